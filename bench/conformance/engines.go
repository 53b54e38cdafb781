package main

import (
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/engine/ort"
)

var engines = map[string]func() (modules.Engine, error){
	"go":          func() (modules.Engine, error) { return goengine.New(), nil },
	"onnxruntime": func() (modules.Engine, error) { return ort.Open("") },
}

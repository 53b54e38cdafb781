package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
)

// engineFlag chooses what runs the modules.
func engineFlag() cli.Flag {
	return &cli.StringFlag{Name: "engine", Value: "auto", Usage: "auto, go, or onnxruntime: `ENGINE` that runs the modules", Category: "running"}
}

func openEngine(name string) (modules.Engine, error) {
	switch name {
	case "auto", "go":
		return goengine.New(), nil
	}
	return nil, fmt.Errorf("there is no engine %q", name)
}

package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine"
)

// engineFlag chooses what runs the modules.
func engineFlag() cli.Flag {
	return &cli.StringFlag{Name: "engine", Value: engine.NameAuto, Usage: "`ENGINE` that runs the modules: auto, go, or onnxruntime (see: wire engines list)", Category: "running"}
}

func openEngine(name string) (modules.Engine, error) {
	switch name {
	case engine.NameAuto, engine.NameGo, engine.NameONNXRuntime:
	default:
		return nil, usageError{fmt.Errorf("there is no engine %q; choose %s, %s or %s", name, engine.NameAuto, engine.NameGo, engine.NameONNXRuntime)}
	}
	return engine.Open(name, engine.Options{})
}

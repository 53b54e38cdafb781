package goengine_test

import (
	"testing"

	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/moduletest"
)

func TestEngine(t *testing.T) { moduletest.Run(t, goengine.New()) }

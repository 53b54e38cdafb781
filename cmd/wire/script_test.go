package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/connectomewire/wire/runtime/demo"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wire": main})
}

// TestScripts runs the command lines in testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			// Caches stay inside the script's own directory.
			env.Setenv("WIRE_CACHE", env.WorkDir+"/cache")
			env.Setenv("HOME", env.WorkDir)
			// An archive that breaks off after its first bytes.
			if err := os.WriteFile(env.WorkDir+"/broken.zip", []byte("PK\x03\x04\x14\x00\x00\x00\x08\x00"), 0o644); err != nil {
				return err
			}
			// The demonstration's picture and sound, and broken ones.
			for _, item := range demo.Items() {
				if item.Name != "apple" && item.Name != "bell" {
					continue
				}
				data, err := item.Encode()
				if err != nil {
					return err
				}
				if err := os.WriteFile(env.WorkDir+"/"+item.File(), data, 0o644); err != nil {
					return err
				}
				if err := os.WriteFile(env.WorkDir+"/truncated-"+item.File(), data[:len(data)/2], 0o644); err != nil {
					return err
				}
				if err := os.WriteFile(env.WorkDir+"/header-"+item.File(), data[:44], 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

package wiring

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed defaultplan
var defaultPlanFiles embed.FS

// DefaultPlan returns the plan that ships with wire: the captioning recipe on
// the synthetic default connectome, trained with the modules that ship with
// it. defaultplan/history.jsonl says by which commands. Each call returns a
// plan of its own.
func DefaultPlan() (*Plan, error) {
	files, err := fs.Sub(defaultPlanFiles, "defaultplan")
	if err != nil {
		return nil, fmt.Errorf("default plan: %w", err)
	}
	p, err := LoadFS(files)
	if err != nil {
		return nil, fmt.Errorf("default plan: %w", err)
	}
	return p, nil
}

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
// it. Each call returns a plan of its own. It is made again by
//
//	wire data pull all
//	wire build default --recipe captioning --seed 1 -o plan
//	wire train plan --mixture mixture.yaml --noise 0 --epochs 6 --batch 128 --half
//	wire calibrate plan --mixture heard.yaml --eval-set stamps --eval-set emoji --eval-set sounds --photographs DIR
//
// on ONNX Runtime, with defaultplan/mixture.yaml beside its captions and
// sounds; defaultplan/history.jsonl records the options' values and the losses.
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

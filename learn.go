package wire

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// BuildOptions say how a plan is built. The zero value keeps the recipe's
// choices.
type BuildOptions struct {
	// Recipe is used instead of one that ships or lies in a file, and
	// Connectome instead of a file's, where they are not nil.
	Recipe     *wiring.Recipe
	Connectome *connectome.Connectome
	// Senses are those of the recipe to use; none takes those that the data
	// have, or the recipe's own.
	Senses []string
	// Modules is a directory whose subdirectories are preferred to the
	// built-in modules. Base is where the plan will be saved, for modules named
	// by relative paths.
	Modules, Base string
	// Read are options for the connectome's file.
	Read []format.Option
	// Build places by hand, sets widths and the seed; what it says of Modules,
	// Widths and Settings is found out here.
	Build wiring.BuildOptions
}

// Build makes an untrained plan: recipe is the name of one that ships or a
// recipe's file, brain a connectome's file or "default", the built-in synthetic
// one. data say what labels there are and how wide vectors are; they may be nil
// where the recipe says everything.
func Build(recipe, brain string, data *own.Dataset, o BuildOptions) (*wiring.Plan, *wiring.BuildReport, error) {
	r, c := o.Recipe, o.Connectome
	var err error
	if r == nil {
		if r, err = wiring.OpenRecipe(recipe); err != nil {
			return nil, nil, err
		}
	}
	if c == nil {
		if c, err = readConnectome(brain, o.Read); err != nil {
			return nil, nil, err
		}
	}
	options := o.Build
	if r, err = examples.Fit(data, r, o.Senses, &options); err != nil {
		return nil, nil, err
	}
	if options.Modules, err = frozen.Describe(r, library.Finder{Dir: o.Modules, Base: o.Base}); err != nil {
		return nil, nil, err
	}
	return wiring.Build(c, r, options)
}

// readConnectome reads a file, or takes the built-in connectome of a name.
func readConnectome(name string, o []format.Option) (*connectome.Connectome, error) {
	if c, ok := synthetic.ByName(name); ok {
		return c, nil
	}
	return format.Read(name, o...)
}

// TrainOptions say how a plan learns. The zero value is what the command does
// without flags, with nothing kept between runs.
type TrainOptions struct {
	// Engine, Modules as in [Options]; Base as in [BuildOptions].
	Engine, Modules, Base string
	// Learn is [learn.Default] where its Epochs are 0; Prepare is
	// [prepare.Default] where its Views are.
	Learn   learn.Options
	Prepare prepare.Options
}

// Trained is what came of training.
type Trained struct {
	*learn.Result
	// Prepared says what there was to learn from, and what was left out.
	Prepared *prepare.Report
}

// Train lets a plan learn from the training split of data, in place; the
// validation split is what the best epoch is chosen by. When ctx ends, the plan
// is left as it was.
func Train(ctx context.Context, p *wiring.Plan, data *own.Dataset, o TrainOptions) (*Trained, error) {
	if err := examples.Check(p, data); err != nil {
		return nil, err
	}
	train, val, _ := examples.Split(data)
	return TrainOn(ctx, p, train, val, o)
}

// TrainOn is [Train] with examples that a program makes itself.
func TrainOn(ctx context.Context, p *wiring.Plan, train, val []task.Example, o TrainOptions) (*Trained, error) {
	if o.Learn.Epochs == 0 {
		o.Learn = learn.Default()
	}
	if o.Prepare.Views == 0 {
		o.Prepare = prepare.Default()
	}
	m, err := openModules(p, o.Base, o.Engine, o.Modules)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	d, report, err := prepare.Prepare(ctx, p, m, train, val, o.Prepare)
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	result, err := learn.Fit(ctx, p, d, o.Learn)
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	prepare.RecordOf(o.Learn, o.Prepare, train).Note(p)
	m.Pin(p)
	return &Trained{result, report}, nil
}

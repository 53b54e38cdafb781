package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/connectome/format"
	"github.com/connectomewire/wire/graphs"
	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/runtime/spread"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/learn"
)

// A check says what is wrong with an option's value; it is made before the
// command begins to work.
type check func(value any) error

// checks are those of all options by name, and of "COMMAND NAME" where a
// command takes an option in a sense of its own. A test makes sure that no
// number and no path is forgotten.
var checks = map[string]check{
	// What is built, trained and run: the bounds of the options' own types.
	"width":              given(func(v int) error { return wiring.BuildOptions{Width: v}.Validate() }),
	"rank":               given(func(v int) error { return wiring.BuildOptions{Rank: v}.Validate() }),
	"neighbours":         given(func(v int) error { return wiring.BuildOptions{Neighbours: v}.Validate() }),
	"settle":             within(1, 1000),
	"epochs":             training(func(o *learn.Options, v int) { o.Epochs = v }),
	"batch":              training(func(o *learn.Options, v int) { o.Batch, o.Shards = v, 1 }),
	"patience":           training(func(o *learn.Options, v int) { o.Patience = v }),
	"workers":            training(func(o *learn.Options, v int) { o.Workers = v }),
	"rate":               training(func(o *learn.Options, v float64) { o.Rate = v }),
	"blur":               within(0, 100),
	"noise":              training(func(o *learn.Options, v float64) { o.Noise = v }),
	"experiment workers": within(0, 1e4), "verdict workers": within(0, 1e4),
	"timeout":   within(0, float64(24*time.Hour)),
	"processes": within(0, 1e6),
	"over":      within(1, 1<<16-1),
	"sure":      within(0, 1),
	"ticks":     within(1, 1e5),
	"run step":  within(float64(time.Microsecond), float64(24*time.Hour)),
	"run wait":  within(float64(time.Microsecond), float64(24*time.Hour)),

	// How much of something.
	"views": within(1, 1000), "limit": within(0, 1e9), "eval-limit": within(0, 1e9), "resamples": within(1, 1e6),
	"top": within(0, 1e6), "max-tokens": within(1, 1e5), "slice": within(0, 1e6), "max-bytes": within(1, 1<<40),
	"nulls": within(0, 1e5), "n": within(1, 1e5), "from": within(0, 1e9), "seeds": within(1, 1000), "swaps": within(0, 1e4), "bins": within(0, 1000),
	"rewire": within(0, 1), "lambda": within(0, 1e6), "eta": within(-100, 100), "gamma": within(-100, 100),
	"data export size":   within(8, 4096),
	"data generate rows": within(1, 1e7), "steps": within(1, 1e7),
	"strangers": within(10, 1e5), "network-spread": within(0, 1e12), "seed-spread": within(0, 1e12),

	// Reservoirs.
	"rho": within(0, 1e6), "leak": within(1e-6, 1), "bias": within(-1e6, 1e6), "input-gain": within(-1e6, 1e6), "inputs": within(1, 4096),
	"activation": oneOf(wiring.ActivationTanh, wiring.ActivationLinear), "train-share": within(0.001, 0.999),
	"washout": within(0, 1e7), "lags": within(1, 1e4), "horizon": within(1, 1e4), "back": within(1, 1e4), "trials": within(1, 1e7),

	"seed": anything, "split-seed": anything,

	"delays": oneOf("carried", "recomputed"), "communities": oneOf("louvain", "lobes", "hemispheres"),

	"nats": func(value any) error { return spread.CheckAddress(value.(string)) },

	"format": oneOf(format.TableFormats()...),

	// What strangers may ask for.
	"max-body": within(1<<10, 1<<34), "max-pixels": within(1<<10, 64<<20), "max-sound": within(float64(100*time.Millisecond), float64(30*time.Minute)),
	"request-timeout": within(float64(100*time.Millisecond), float64(time.Hour)), "wait": within(float64(time.Millisecond), float64(time.Hour)),
	"max-memory": within(1<<10, 1<<40), "grace": within(0, float64(time.Hour)), "networks": within(0, 64), "log": oneOf("text", "json", "none"),
	"token-file": file, "tls-cert": file, "tls-key": file, "client-ca": file,

	// Drawings.
	"scale":      given(func(v float64) error { return graphs.RenderOptions{Scale: v}.Validate() }),
	"max-tracts": within(1, graphs.MaxTracts),
	"layout":     oneOf(string(graphs.Lobes), string(graphs.Axial), string(graphs.Sagittal)),

	// What is read has to be there, what is written has to be writable.
	"image": file, "sound": file, "labels": labelFiles, "sentences": file, "library": file, "mixture": file,
	"beside": plan, "photographs": directory, "modules": directory, "fold-modules": directory, "data pull from": directory,
	"output": output, "build output": outputDir, "null output": outputDir, "lesion output": outputDir, "reroute output": outputDir, "graft output": outputDir, "graft from": plan, "demo output": outputDir, "connectome null output": outputDir,
	"record": output, "trace": output, "states": output, "items": output, "flow": drawing, "draw": drawing, "features": outputDir,
}

// checkOptions makes the checks of the options that were given.
func checkOptions(c *cli.Context) error {
	for _, f := range c.Command.Flags {
		name := f.Names()[0]
		if _, yes := f.(*cli.BoolFlag); yes || !c.IsSet(name) {
			continue // a switch of the same name has no bounds
		}
		do := checks[commandName(c)+" "+name]
		if do == nil {
			do = checks[name]
		}
		if do == nil {
			continue
		}
		if err := do(c.Value(name)); err != nil {
			return usagef("--%s %v: %w", name, c.Value(name), err)
		}
	}
	return nil
}

// commandName is the name of a command below wire: "connectome null".
func commandName(c *cli.Context) string {
	return strings.TrimPrefix(c.Command.HelpName, c.App.Name+" ")
}

// anything accepts every value.
func anything(any) error { return nil }

// number makes a check of a number's type.
func number[T int | float64](do func(T) error) check {
	return func(value any) error {
		v, ok := value.(T)
		if !ok {
			return fmt.Errorf("%T is no number of the kind that is wanted", value)
		}
		return do(v)
	}
}

// training checks an option of learning, all others being the usual ones.
func training[T int | float64](set func(*learn.Options, T)) check {
	return number(func(v T) error {
		o := learn.Default()
		set(&o, v)
		return o.Validate()
	})
}

// given makes a check of a number whose type takes 0 for "as usual": who
// writes 0 means 0, and that is not to be had.
func given[T int | float64](do func(T) error) check {
	return number(func(v T) error {
		if v == 0 {
			return errors.New("want more than 0; leave the option out for the usual")
		}
		return do(v)
	})
}

// within checks that a number lies between two, which are allowed.
func within(lo, hi float64) check {
	return func(value any) error {
		var v float64
		switch x := value.(type) {
		case int:
			v = float64(x)
		case int64:
			v = float64(x)
		case float64:
			v = x
		case time.Duration:
			if v = float64(x); !(v >= lo && v <= hi) {
				return fmt.Errorf("want %v to %v", time.Duration(lo), time.Duration(hi))
			}
		}
		if !(v >= lo && v <= hi) {
			return fmt.Errorf("want %.15g to %.15g", lo, hi)
		}
		return nil
	}
}

func oneOf(names ...string) check {
	return func(value any) error {
		if !slices.Contains(names, value.(string)) {
			return fmt.Errorf("choose one of %s", strings.Join(names, ", "))
		}
		return nil
	}
}

// file checks that a file is there. No name is no file.
func file(value any) error {
	name := value.(string)
	info, err := os.Stat(name)
	switch {
	case name == "":
		return nil
	case err != nil:
		return reason(err)
	case info.IsDir():
		return errors.New("it is a directory, a file is wanted")
	}
	return nil
}

// labelFiles checks the files of labels: "none", one, or several with commas
// between them.
func labelFiles(value any) error {
	all := value.(string)
	if all == "none" {
		return nil
	}
	if err := file(all); err == nil || !strings.Contains(all, ",") {
		return err
	}
	for name := range strings.SplitSeq(all, ",") {
		if err := file(strings.TrimSpace(name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// directory checks that a directory is there.
func directory(value any) error {
	name := value.(string)
	info, err := os.Stat(name)
	switch {
	case name == "":
		return nil
	case err != nil:
		return reason(err)
	case !info.IsDir():
		return errors.New("it is a file, a directory is wanted")
	}
	return nil
}

// plan checks that a plan's directory is there.
func plan(value any) error {
	if value.(string) == "default" {
		return nil
	}
	return directory(value)
}

// reason is an error of the file system without the name, which stands before
// it already.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// output checks that a file can be written.
func output(value any) error {
	if name := value.(string); name != "" {
		return atomicfile.Check(name)
	}
	return nil
}

// drawing checks that a file can be written and that its name has the ending
// of a drawing.
func drawing(value any) error {
	if name := value.(string); name != "" {
		if _, err := graphs.FormatOf(name); err != nil {
			return err
		}
	}
	return output(value)
}

// outputDir checks that a directory can be written, or made.
func outputDir(value any) error {
	if name := value.(string); name != "" {
		return atomicfile.CheckDir(name)
	}
	return nil
}

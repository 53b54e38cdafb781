package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/plural"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime/live"
	"github.com/connectomewire/wire/runtime/record"
	"github.com/connectomewire/wire/wiring"
)

const streamCategory = "streams"

// streamFlags are those of a plan that is asked while its senses go on.
func streamFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "stream", Usage: "answer while inputs come in, a line of JSON a step (docs/streams.md)", Category: streamCategory},
		&cli.StringSliceFlag{Name: "from", Usage: "what feeds a sense, `SENSE=SOURCE`,policy=block|drop-oldest|latest,queue=N,age=TIME (repeatable); a SOURCE is - or jsonl:FILE (lines of JSON), folder:DIR, frames:FILE, wav:FILE, pcm:FILE@RATE or series:FILE; without it lines of JSON on standard input", Category: streamCategory},
		&cli.DurationFlag{Name: "step", Usage: "make a step each `TIME`; else one at every sample", Category: streamCategory},
		&cli.DurationFlag{Name: "wait", Usage: "wait at most `TIME` for a sense that blocks; else as long as it takes", Category: streamCategory},
	}
}

// streamHelp are the examples of streams.
const streamHelp = "   wire run plan --stream --from image=folder:inbox,policy=latest\n" +
	"   arecord -f S16_LE -r 16000 -t raw | wire run --stream --from pcm:-@16000,window=2s,hop=1s,policy=latest\n" +
	"   ffmpeg -i /dev/video0 -f mjpeg - | wire run --stream --from frames:-,policy=latest --record seen.jsonl\n" +
	"   wire run plan --stream --from series=series:temperatures.csv --step 1s\n" +
	"   wire run plan --stream < samples.jsonl          {\"sense\": \"image\", \"t\": 1.5, \"path\": \"cat.png\"}\n"

// runStream is `wire run --stream`.
func runStream(c *cli.Context, plan *wiring.Plan, at string, files []string) error {
	if len(files) > 0 {
		return usagef("--stream takes no files; name what feeds a sense with --from, as in --from image=folder:%s", shellWord(files[0]))
	}
	if err := refuse(c, "is of inputs by themselves, not of a stream", named("data", "trace", "flow", "profile", "states", "top", "exact")); err != nil {
		return err
	}
	specs := c.StringSlice("from")
	if len(specs) == 0 {
		specs = []string{"-"}
	}
	common, err := commonInputs(c, plan)
	if err != nil {
		return err
	}
	inputs, err := live.Parse(plan, specs, common, c.Duration("step"))
	if err != nil {
		return usageError{err}
	}
	t, err := openTeller(c, plan, library.Finder{Dir: c.String("modules"), Base: at}, c.Bool("beam"))
	if err != nil {
		return err
	}
	defer t.Close()
	o := live.Options{
		Timing: live.Timing{Period: c.Duration("step"), Wait: c.Duration("wait")},
		Given:  common, Decode: t.decode, Trim: t.once,
	}
	run := func() (*live.Summary, error) {
		return live.Run(c.Context, t.session, inputs, o, func(l live.Line) error { return printLine(c.App.Writer, l) })
	}
	var sum *live.Summary
	if name := c.String("record"); name == "" {
		sum, err = run()
	} else {
		written := atomicfile.Write(name, func(w io.Writer) error {
			h := t.head(c)
			h.Stream = live.Described(inputs, o.Timing)
			var failed error
			if o.Recorder, failed = record.NewWriter(w, h); failed != nil {
				return failed
			}
			if sum, err = run(); sum == nil {
				return err
			}
			return nil // what was done is kept, also of a stream that was stopped
		})
		if written != nil {
			err = written
		}
	}
	if c.Context.Err() != nil {
		return c.Context.Err()
	}
	if err == nil && sum.Errors > 0 {
		err = fmt.Errorf("%s could not be read or run; their lines say why", plural.Count(sum.Errors, "sample, source or step", "samples, sources or steps"))
	}
	return err
}

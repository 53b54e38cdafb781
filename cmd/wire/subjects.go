package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/task"
)

// subject is one input of a plan before it is read.
type subject struct {
	name  string
	file  string            // as it is shown; "" for none
	sense string            // that takes the file
	kind  string            // of the file
	given answer.Inputs     // what is given beside it
	shown map[string]string // the same, as it was written
	data  []byte            // the file's content where it is at hand
	// row is what a row of data gives, in the place of a file.
	row map[string]task.Input
}

// read decodes the subject's file.
func (s *subject) read(ctx context.Context) (answer.Inputs, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in := answer.Inputs{}
	for name, v := range s.given {
		in[name] = v
	}
	for name, x := range s.row {
		v, err := x.Read()
		if err != nil {
			return nil, err
		}
		in[name] = v
	}
	if s.sense == "" {
		return in, nil
	}
	data := s.data
	if data == nil {
		var err error
		if data, err = readAll(s.file); err != nil {
			return nil, err
		}
	}
	v, err := answer.Decode(s.kind, data)
	if err != nil {
		hint := ""
		if s.kind == wiring.KindVector || s.kind == wiring.KindSeries {
			hint = rowsHint(s.file)
		}
		return nil, fmt.Errorf("%s: %w%s", s.file, err, hint)
	}
	in[s.sense] = v
	return in, nil
}

// readAll reads a file, or standard input for "-".
func readAll(name string) ([]byte, error) {
	const most = 1 << 30
	var r io.Reader = os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && len(data) > most {
		err = fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return data, err
}

// senseFor finds the sense that takes a kind of input and is not given yet.
func senseFor(p *wiring.Plan, kind string, given answer.Inputs) (sense, as string, ok bool) {
	for i := range p.Senses {
		s := &p.Senses[i]
		if _, taken := given[s.Name]; taken || s.Kind == wiring.KindMemory {
			continue
		}
		if kind == answer.Numbers && (s.Kind == wiring.KindVector || s.Kind == wiring.KindSeries) {
			return s.Name, s.Kind, true
		}
		if _, takes := frozen.EncoderFor(s, kind); takes {
			return s.Name, kind, true
		}
	}
	return "", "", false
}

// commonInputs reads what the flags give to senses.
func commonInputs(c *cli.Context, p *wiring.Plan) (answer.Inputs, error) {
	var list []string
	for _, one := range c.StringSlice("input") {
		// The flag package splits at commas: what has no "=" continues the
		// option before it.
		if n := len(list); n > 0 && !strings.Contains(one, "=") {
			list[n-1] += "," + one
			continue
		}
		list = append(list, one)
	}
	for _, name := range []string{"image", "sound"} {
		if v := c.String(name); v != "" {
			list = append(list, name+"="+v)
		}
	}
	in := answer.Inputs{}
	for _, one := range list {
		name, value, ok := strings.Cut(one, "=")
		if !ok || name == "" || value == "" {
			return nil, usagef("--input %s: write SENSE=FILE, SENSE=TEXT or SENSE=1,2,3", one)
		}
		s := p.Sense(name)
		if s == nil || s.Kind == wiring.KindMemory {
			return nil, usagef("--input %s: plan %q has no sense %q; its senses are %s", one, p.Name, name, sensesOf(p))
		}
		if _, twice := in[name]; twice {
			return nil, usagef("sense %q is given two inputs; run them one after the other, or name both files without --input", name)
		}
		v, err := senseValue(s, value)
		if err != nil {
			return nil, fmt.Errorf("--input %s: %w", one, err)
		}
		in[name] = v
	}
	return in, nil
}

// senseValue reads a value for a sense: a file, or, for texts and numbers, what
// stands there.
func senseValue(s *wiring.Sense, value string) (any, error) {
	kind := answer.KindOfFile(value)
	if _, takes := frozen.EncoderFor(s, kind); !takes {
		kind = s.Kind
	}
	data, err := readAll(value)
	if err != nil && (kind == modules.KindText || kind == wiring.KindVector || kind == wiring.KindSeries) {
		data, err = []byte(value), nil
	}
	if err != nil {
		return nil, err
	}
	return answer.Decode(kind, data)
}

// rowsHint says, of a table that is no input itself, how its rows are.
func rowsHint(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv", ".tsv", ".jsonl":
		return fmt.Sprintf(" (wire run PLAN --data %s --input SENSE=COLUMN answers every row of a table)", shellWord(name))
	}
	return ""
}

// gatherFiles makes a subject of every file, and of those in folders whose
// kind a sense takes; skipped counts the others.
func gatherFiles(p *wiring.Plan, files []string, common answer.Inputs) (subjects []subject, skipped int, err error) {
	add := func(name string, must bool) error {
		kind := answer.KindOfFile(name)
		var data []byte
		if name == "-" {
			if data, err = readAll(name); err != nil {
				return err
			}
			kind = kindOfContent(data)
		}
		sense, as, ok := senseFor(p, kind, common)
		if !ok && must {
			if kind == "" {
				kind = "unknown kind"
			}
			return fmt.Errorf("%s is of %s, and plan %q has no sense left for it; its senses are %s%s", name, kind, p.Name, sensesOf(p), rowsHint(name))
		}
		if !ok {
			skipped++
			return nil
		}
		stem := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
		subjects = append(subjects, subject{name: stem, file: name, sense: sense, kind: as, given: common, data: data})
		return nil
	}
	for _, name := range files {
		info, err := os.Stat(name)
		switch {
		case name == "-":
			err = add(name, true)
		case err != nil:
		case info.IsDir():
			err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				return add(path, false)
			})
		default:
			err = add(name, true)
		}
		if err != nil {
			return nil, 0, err
		}
	}
	return subjects, skipped, nil
}

// kindOfContent tells a picture, a sound or a text by its first bytes.
func kindOfContent(data []byte) string {
	if _, err := picture.Decode(bytes.NewReader(data)); err == nil {
		return modules.KindImage
	}
	if _, err := sound.Decode(bytes.NewReader(data)); err == nil {
		return modules.KindSound
	}
	return modules.KindText
}

// isNothing says that there is no file of a name, nor does it look like one.
func isNothing(name string) bool {
	info, err := os.Stat(name)
	return err != nil && answer.KindOfFile(name) == "" || err == nil && info.IsDir() && !hasInputs(name)
}

// hasInputs says whether a folder holds any file that could be an input.
func hasInputs(dir string) bool {
	found := false
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && answer.KindOfFile(path) != "" {
			found = true
			return filepath.SkipAll
		}
		return nil
	})
	return found
}

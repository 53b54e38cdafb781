package live

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
)

// Parse reads inputs as one writes them,
//
//	[SENSE=]SOURCE[,policy=block|drop-oldest|latest][,queue=N][,age=TIME]…
//
// where a source is
//
//   - lines of JSON on standard input, see [Lines]; or jsonl:FILE
//     folder:DIR    [Folder]; ,new leaves out the files that are there
//     frames:FILE   [Frames]; ,every=TIME
//     wav:FILE      [Sound]; ,window=TIME (1s) ,hop=TIME (the window)
//     pcm:FILE@RATE [Sound]; also ,encoding=s16|f32 ,channels=N
//     series:FILE   [Series]; ,every=TIME (the period, or 1s; 0s stamps on arrival)
//
// and FILE may be a pipe, or "-" for standard input. A sense may be left out where
// one alone takes what the source gives; lines may name any that is not given.
// Several may be fed by one source of lines, each with rules of its own.
func Parse(p *wiring.Plan, specs []string, given answer.Inputs, period time.Duration) ([]Input, error) {
	var inputs []Input
	stdin := false
	owner := map[string]string{}
	for _, spec := range specs {
		x, err := parseSpec(spec)
		if err != nil {
			return nil, err
		}
		senses, err := x.senses(p, given)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", spec, err)
		}
		for _, s := range senses {
			if owner[s.Name] != "" {
				return nil, fmt.Errorf("%s: sense %q is fed by %s already", spec, s.Name, owner[s.Name])
			}
			owner[s.Name] = spec
		}
		at := slices.IndexFunc(inputs, func(in Input) bool { return in.Name == x.source() })
		if at >= 0 && x.kind == kindLines {
			lines := inputs[at].Source.(*Lines)
			lines.Senses = append(lines.Senses, senses...)
		} else if at >= 0 || stdin && x.path == "-" {
			return nil, fmt.Errorf("%s: what it reads is read already", spec)
		} else {
			source, err := x.open(senses, period)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", spec, err)
			}
			stdin = stdin || x.path == "-"
			at = len(inputs)
			inputs = append(inputs, Input{Name: x.source(), Source: source, Senses: map[string]Rules{}})
		}
		for _, s := range senses {
			inputs[at].Senses[s.Name] = x.rules
		}
	}
	return inputs, nil
}

// Kinds of sources.
const (
	kindLines  = "jsonl"
	kindFolder = "folder"
	kindFrames = "frames"
	kindWAV    = "wav"
	kindPCM    = "pcm"
	kindSeries = "series"
)

var kinds = []string{kindLines, kindFolder, kindFrames, kindWAV, kindPCM, kindSeries}

// spec is an input as it was written.
type spec struct {
	sense, kind string
	file        string // as it is written
	path        string // what is read
	rate        string // of raw samples
	rules       Rules
	options     map[string]string // of the source
}

// source is the spec without sense and options.
func (x *spec) source() string { return x.kind + ":" + x.file }

// of says which kinds of sources take an option.
var of = map[string][]string{
	"new": {kindFolder}, "every": {kindFrames, kindSeries}, "window": {kindWAV, kindPCM}, "hop": {kindWAV, kindPCM},
	"encoding": {kindPCM}, "channels": {kindPCM},
}

// rules are the options of every source.
var ofAll = []string{"policy", "queue", "age"}

func parseSpec(text string) (*spec, error) {
	x := &spec{rules: DefaultRules(), options: map[string]string{}}
	parts := strings.Split(text, ",")
	first := len(parts)
	for first > 1 && isOption(parts[first-1]) {
		first--
	}
	source := strings.Join(parts[:first], ",") // a file's name may have commas
	if sense, rest, ok := strings.Cut(source, "="); ok && !strings.ContainsAny(sense, ":") {
		x.sense, source = sense, rest
	}
	kind, file, ok := strings.Cut(source, ":")
	switch {
	case source == "-":
		kind, file = kindLines, "-"
	case !ok || !slices.Contains(kinds, kind):
		return nil, fmt.Errorf("%s: %q is no source: write -, or one of %s, a colon and what it reads", text, source, strings.Join(kinds, ", "))
	case file == "":
		return nil, fmt.Errorf("%s: behind %s: stands what it reads, a file, a folder or -", text, kind)
	}
	x.kind, x.file, x.path = kind, file, file
	if kind == kindPCM {
		at := strings.LastIndexByte(file, '@')
		if at < 1 {
			return nil, fmt.Errorf("%s: write pcm:FILE@RATE, as in pcm:-@16000", text)
		}
		x.path, x.rate = file[:at], file[at+1:]
	}
	for _, part := range parts[first:] {
		key, value, _ := strings.Cut(part, "=")
		if _, twice := x.options[key]; twice {
			return nil, fmt.Errorf("%s: %s is given twice", text, key)
		}
		if on, known := of[key]; known && !slices.Contains(on, kind) {
			return nil, fmt.Errorf("%s: %s is of %s", text, key, strings.Join(on, " and "))
		}
		x.options[key] = value
	}
	if err := x.rule(); err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	return x, nil
}

// isOption tells an option from a piece of a file's name.
func isOption(part string) bool {
	key, _, ok := strings.Cut(part, "=")
	if key == "new" {
		return !ok
	}
	return ok && (of[key] != nil || slices.Contains(ofAll, key))
}

// rule reads the rules among the options.
func (x *spec) rule() error {
	var err error
	if v, ok := x.options["policy"]; ok {
		x.rules.Policy = Policy(v)
	}
	if v, ok := x.options["queue"]; ok {
		if x.rules.Queue, err = strconv.Atoi(v); err != nil {
			return fmt.Errorf("queue=%s: want a number of samples", v)
		}
		if x.rules.Policy == Latest && x.rules.Queue != 1 {
			return fmt.Errorf("queue=%s: the policy latest keeps one sample", v)
		}
	}
	if _, ok := x.options["age"]; ok {
		if x.rules.Age, err = x.time("age", 0); err != nil {
			return err
		}
	}
	return x.rules.Validate()
}

// time reads an option that is a time of at most a day.
func (x *spec) time(key string, usual time.Duration) (time.Duration, error) {
	v, ok := x.options[key]
	if !ok {
		return usual, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 || d > 24*time.Hour {
		return 0, fmt.Errorf("%s=%s: want a time from 0s to 24h, such as 500ms", key, v)
	}
	return d, nil
}

// senses are those that the input feeds.
func (x *spec) senses(p *wiring.Plan, given answer.Inputs) ([]*wiring.Sense, error) {
	var all, fit []*wiring.Sense
	var names []string
	for i := range p.Senses {
		s := &p.Senses[i]
		if _, fixed := given[s.Name]; s.Kind == wiring.KindMemory || fixed && x.sense != s.Name {
			continue
		}
		all, names = append(all, s), append(names, fmt.Sprintf("%s (%s)", s.Name, s.Kind))
		if x.fits(s) {
			fit = append(fit, s)
		}
	}
	if x.sense == "" {
		if x.kind == kindLines {
			return all, nil
		}
		if len(fit) != 1 {
			return nil, fmt.Errorf("write SENSE=%s: %d senses of plan %q take what it gives; its senses are %s", x.source(), len(fit), p.Name, strings.Join(names, ", "))
		}
		return fit, nil
	}
	for _, s := range all {
		if s.Name != x.sense {
			continue
		}
		if !slices.Contains(fit, s) {
			return nil, fmt.Errorf("sense %q takes %s, which %s does not give", s.Name, s.Kind, x.kind)
		}
		if _, fixed := given[s.Name]; fixed {
			return nil, fmt.Errorf("sense %q is given the same all the time, and cannot be fed", s.Name)
		}
		return []*wiring.Sense{s}, nil
	}
	return nil, fmt.Errorf("plan %q has no sense %q; its senses are %s", p.Name, x.sense, strings.Join(names, ", "))
}

// fits says whether a sense takes what the source gives.
func (x *spec) fits(s *wiring.Sense) bool {
	switch x.kind {
	case kindFrames:
		return takes(s, modules.KindImage)
	case kindWAV, kindPCM:
		return takes(s, modules.KindSound)
	case kindSeries:
		return s.Kind == wiring.KindVector || s.Kind == wiring.KindSeries
	case kindFolder:
		return s.Kind != wiring.KindSeries
	}
	return true
}

// open makes the source. That a file is there is seen to here; a pipe is opened
// when the stream begins.
func (x *spec) open(senses []*wiring.Sense, period time.Duration) (Source, error) {
	from := From{Name: x.path}
	if x.path == "-" {
		from = From{Name: "stdin", Reader: os.Stdin}
	} else if info, err := os.Stat(x.path); err != nil {
		return nil, err
	} else if info.IsDir() != (x.kind == kindFolder) {
		return nil, fmt.Errorf("%s takes a %s", x.kind, map[bool]string{true: "folder", false: "file"}[x.kind == kindFolder])
	}
	switch x.kind {
	case kindLines:
		return &Lines{From: from, Senses: senses}, nil
	case kindFolder:
		_, isNew := x.options["new"]
		return &Folder{Dir: x.path, Sense: senses[0], New: isNew}, nil
	case kindFrames:
		every, err := x.time("every", 0)
		return &Frames{From: from, Sense: senses[0], Every: every}, err
	case kindSeries:
		if period == 0 {
			period = time.Second
		}
		every, err := x.time("every", period)
		return &Series{From: from, Sense: senses[0], Every: every}, err
	}
	return x.openSound(from, senses[0])
}

func (x *spec) openSound(from From, sense *wiring.Sense) (Source, error) {
	s := &Sound{From: from, Sense: sense, Encoding: sound.Int16, Channels: 1}
	var err error
	if s.Window, err = x.time("window", time.Second); err != nil {
		return nil, err
	}
	if s.Hop, err = x.time("hop", s.Window); err != nil {
		return nil, err
	}
	if s.Window == 0 || s.Hop == 0 || s.Window > maxWindow || s.Hop > maxWindow {
		return nil, fmt.Errorf("windows of %v each %v: want up to %v", s.Window, s.Hop, maxWindow)
	}
	if x.kind == kindWAV {
		return s, nil
	}
	if s.Rate, err = strconv.Atoi(x.rate); err != nil || s.Rate < 1 {
		return nil, fmt.Errorf("%q is no rate in samples/s", x.rate)
	}
	if v, ok := x.options["encoding"]; ok {
		s.Encoding = v
	}
	if v, ok := x.options["channels"]; ok {
		if s.Channels, err = strconv.Atoi(v); err != nil {
			return nil, fmt.Errorf("channels=%s: want a number", v)
		}
	}
	_, err = sound.NewPCM(strings.NewReader(""), s.Encoding, s.Rate, s.Channels) // checks them
	return s, err
}

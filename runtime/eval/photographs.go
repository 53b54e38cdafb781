package eval

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/metrics"
	owndata "github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/bridge"
	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
)

// photographFolds is the number of folds that captioned photographs are scored
// in: photograph i of those that a bridge was fitted on is in fold i mod 5.
const photographFolds = 5

// Photographs says which captioned photographs are scored, and beside what.
type Photographs struct {
	// Captions is a table of files, licences, sources and captions.
	Captions string
	// Sentences is a file of sentences to look up, a line each; "" for none.
	Sentences string
	// Module opens a module's files, which say what its bridge was fitted on.
	Module func(name string) (fs.FS, error)
	// Progress is told how many photographs are encoded.
	Progress func(what string, done, total int)
}

// PhotographsFile is the table of captions below a folder of data.
func PhotographsFile(dir string) (string, error) {
	for _, name := range []string{filepath.Join(dir, "photos", "coco", "captions.tsv"), filepath.Join(dir, "captions.tsv")} {
		if _, err := os.Stat(name); err == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("there is no photos/coco/captions.tsv and no captions.tsv in %s: a table of file, licence, source and captions, between tabs", dir)
}

// OpenPhotographs encodes captioned photographs. One that the vision module's
// bridge was fitted on is placed by the bridge without its fold; what is said of
// it is thus said of a photograph whose captions nothing has seen, as long as
// the plan's tracts have not.
func OpenPhotographs(ctx context.Context, o Photographs, p *wiring.Plan, m *frozen.Modules) (*Set, error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	at := slices.IndexFunc(p.Senses, func(s wiring.Sense) bool { return s.Kind == modules.KindImage })
	if at < 0 {
		return nil, fmt.Errorf("plan %q has no sense of pictures", p.Name)
	}
	data, err := owndata.Open(ctx, o.Captions, owndata.Options{Source: owndata.SourceCaptions})
	if err != nil {
		return nil, err
	}
	set := &Set{Name: "photographs", Split: "folds", Picture: true, encoded: map[*datasets.Sample]encoded{}}
	image := slices.IndexFunc(data.Inputs, func(b owndata.Binding) bool { return b.Name == modules.KindImage })
	captions := slices.IndexFunc(data.Targets, func(b owndata.Binding) bool { return b.Name == "caption" })
	if image < 0 || captions < 0 {
		return nil, fmt.Errorf("%s: there are no pictures with captions", o.Captions)
	}
	for _, r := range data.Rows {
		file := r.Values[data.Inputs[image].Column].Path
		name := filepath.Base(file)
		set.Samples = append(set.Samples, &datasets.Sample{
			ID: name, Component: name, Image: datasets.PictureFile(file), Captions: r.Values[data.Targets[captions].Column].Texts,
		})
	}
	x := &placing{o: o, sense: &p.Senses[at], modules: m}
	if err := x.place(ctx, set); err != nil {
		return nil, err
	}
	if o.Sentences != "" {
		if err := x.sentences(ctx, set); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// encoded is what is known of a sample before it is answered.
type encoded struct {
	vector []float32 // of the sense of pictures
	class  string    // the likeliest class's name
}

// placing places photographs in the sense's space.
type placing struct {
	o       Photographs
	sense   *wiring.Sense
	modules *frozen.Modules
}

// seen is what the module gives of a view.
type seen struct{ columns, point, embedding []float32 }

func (x *placing) place(ctx context.Context, set *Set) error {
	module := x.modules.Module(x.sense.Module)
	files, err := x.o.Module(x.sense.Module)
	if err != nil {
		return err
	}
	fitted, err := bridge.Read(files)
	if err != nil && err != bridge.ErrNone {
		return fmt.Errorf("module %q: %w", x.sense.Module, err)
	}
	views := make([][]seen, len(set.Samples))
	folds := make([][]bridge.Seen, photographFolds)
	for i, s := range set.Samples {
		class := ""
		if views[i], class, err = x.look(ctx, module, s, fitted != nil); err != nil {
			return fmt.Errorf("%s: %w", s.ID, err)
		}
		set.encoded[s] = encoded{class: class}
		if fitted != nil {
			if at := fitted.Index(s.ID); at >= 0 {
				plain := views[i][0]
				folds[at%photographFolds] = append(folds[at%photographFolds], bridge.Seen{Index: at, Columns: plain.columns, Point: plain.point})
			}
		}
		x.o.Progress("photographs", i+1, len(set.Samples))
	}
	without := make([]*bridge.Without, photographFolds)
	for k, f := range folds {
		if len(f) == 0 {
			continue
		}
		if without[k], err = fitted.Without(f); err != nil {
			return err
		}
	}
	for i, s := range set.Samples {
		var w *bridge.Without
		if fitted != nil {
			if at := fitted.Index(s.ID); at >= 0 {
				w = without[at%photographFolds]
			}
		}
		mean := make([]float32, x.sense.Width)
		for _, v := range views[i] {
			e := v.embedding
			if w != nil {
				e = w.Place(v.columns, v.point)
			}
			for k := range mean {
				mean[k] += e[k] / float32(len(views[i]))
			}
		}
		known := set.encoded[s]
		known.vector = mean
		set.encoded[s] = known
	}
	return nil
}

// look runs the vision module over the views of a photograph that the sense
// takes.
func (x *placing) look(ctx context.Context, module *modules.Module, s *datasets.Sample, fitted bool) (views []seen, class string, err error) {
	img, err := s.Image.Decode()
	if err != nil {
		return nil, "", err
	}
	name := ""
	for _, in := range module.Manifest.Inputs {
		if in.Kind == modules.KindImage {
			name = in.Name
		}
	}
	ports := []string{x.sense.Port}
	if fitted {
		ports = append(ports, bridge.ColumnsPort, bridge.PointPort)
	}
	scores := ""
	for _, out := range module.Manifest.Outputs {
		if out.Kind == modules.KindLogits && len(module.Labels(out.Name)) > 0 {
			scores = out.Name
			ports = append(ports, scores)
		}
	}
	for v := range max(x.sense.Views, 1) {
		in, err := module.Prepare(name, picture.Look{Image: picture.Image{Image: img}, View: picture.View(v)})
		if err != nil {
			return nil, "", err
		}
		out, err := module.Run(ctx, map[string]*modules.Tensor{name: in}, ports...)
		if err != nil {
			return nil, "", err
		}
		if scores != "" && v == 0 {
			best := 0
			for i, p := range out[scores].F32 {
				if p > out[scores].F32[best] {
					best = i
				}
			}
			class = module.Labels(scores)[best]
		}
		one := seen{embedding: out[x.sense.Port].F32}
		if fitted {
			one.columns, one.point = out[bridge.ColumnsPort].F32, out[bridge.PointPort].F32
		}
		views = append(views, one)
	}
	return views, class, nil
}

// sentences reads and encodes the sentences that are looked up.
func (x *placing) sentences(ctx context.Context, set *Set) error {
	data, err := os.ReadFile(x.o.Sentences)
	if err != nil {
		return err
	}
	var texts []any
	var captions []string
	for _, line := range strings.Split(string(data), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			texts = append(texts, line)
			captions = append(captions, line)
			set.Alike = append(set.Alike, &datasets.Sample{Captions: []string{line}})
		}
	}
	flat, err := x.modules.Encode(ctx, x.sense, modules.KindText, texts)
	if err != nil {
		return fmt.Errorf("%s: %w", x.o.Sentences, err)
	}
	vectors := make([][]float32, len(texts))
	for i := range vectors {
		vectors[i] = flat[i*x.sense.Width:][:x.sense.Width]
	}
	set.gallery, err = metrics.NewGallery(vectors, captions)
	return err
}

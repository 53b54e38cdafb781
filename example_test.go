package wire_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/learn"
)

func ExampleOpen() {
	ctx := context.Background()
	p, err := wire.Open(ctx, "default", wire.Options{Engine: "go"})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	pizza := demo.Items()[4].Image() // any image.Image
	answer, err := p.Run(ctx, wire.Inputs{"image": pizza})
	if err != nil {
		log.Fatal(err)
	}
	caption := strings.Fields(answer.Text("caption")) // a pizza sitting on a table …
	fmt.Println(caption[0], caption[1])
	// Output: a pizza
}

// A folder of pictures, one folder a label, becomes a plan that tells them
// apart.
func ExampleTrain() {
	ctx := context.Background()
	folder, err := flowers()
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)

	data, err := own.Open(ctx, folder, own.Options{})
	if err != nil {
		log.Fatal(err)
	}
	plan, _, err := wire.Build("labelling", "default", data, wire.BuildOptions{Build: wiring.BuildOptions{Seed: 1}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err = wire.Train(ctx, plan, data, wire.TrainOptions{Engine: "go"}); err != nil {
		log.Fatal(err)
	}
	p, err := wire.OpenPlan(ctx, plan, "", wire.Options{Engine: "go"})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	answer, err := p.Run(ctx, wire.Inputs{"image": disc(color.NRGBA{220, 20, 60, 255}, 9)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Label("label"))
	// Output: rose
}

// flowers makes a folder of small pictures: roses are red discs, violets blue
// ones.
func flowers() (string, error) {
	dir, err := os.MkdirTemp("", "flowers")
	if err != nil {
		return "", err
	}
	for name, colour := range map[string]color.NRGBA{"rose": {R: 200, G: 30, B: 50, A: 255}, "violet": {R: 90, G: 40, B: 200, A: 255}} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return "", err
		}
		for k := range 16 {
			colour.G = uint8(20 + 4*k)
			f, err := os.Create(filepath.Join(dir, name, fmt.Sprintf("%02d.png", k)))
			if err != nil {
				return "", err
			}
			if err := png.Encode(f, disc(colour, 6+k%5)); err != nil {
				return "", err
			}
			if err := f.Close(); err != nil {
				return "", err
			}
		}
	}
	return dir, nil
}

// disc is a disc of a colour on white.
func disc(c color.NRGBA, radius int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, 24, 24))
	for i := range 24 * 24 {
		x, y := i%24, i/24
		if (x-12)*(x-12)+(y-12)*(y-12) <= radius*radius {
			m.SetNRGBA(x, y, c)
		} else {
			m.SetNRGBA(x, y, color.NRGBA{255, 255, 255, 255})
		}
	}
	return m
}

// A plan that forecasts answers a series step by step while it comes in.
func ExampleRunner_Stream() {
	ctx := context.Background()
	sine := func(phase, step int) float32 { return float32(math.Sin(0.5*float64(step) + float64(phase))) }
	var rows []*own.Row
	for phase := range 24 {
		row := &own.Row{Values: []own.Value{{Steps: 30}}}
		for step := range 30 {
			row.Values[0].Data = append(row.Values[0].Data, sine(phase, step))
		}
		rows = append(rows, row)
	}
	data, err := own.New("sines", []own.Column{{Name: "x", Kind: own.Series}}, rows, own.Options{
		Inputs: map[string]string{"series": "x"}, Targets: map[string]string{"next": "x"},
	})
	if err != nil {
		log.Fatal(err)
	}
	plan, _, err := wire.Build("forecasting", "default", data, wire.BuildOptions{Build: wiring.BuildOptions{Width: 16, Rank: 4, Seed: 1}})
	if err != nil {
		log.Fatal(err)
	}
	options := learn.Default()
	options.Epochs, options.Batch, options.Noise = 24, 8, 0.05
	if _, err := wire.Train(ctx, plan, data, wire.TrainOptions{Engine: "go", Learn: options}); err != nil {
		log.Fatal(err)
	}

	p, err := wire.OpenPlan(ctx, plan, "", wire.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	stream, err := p.Stream("series")
	if err != nil {
		log.Fatal(err)
	}
	var wrong, still float64
	for step := range 40 {
		now, next := sine(1, step), sine(1, step+1)
		answer, err := stream.Push(ctx, []float32{now}, nil)
		if err != nil {
			log.Fatal(err)
		}
		if step >= 8 {
			wrong += math.Abs(answer.Vector("next")[0] - float64(next))
			still += math.Abs(float64(now - next))
		}
	}
	fmt.Println("nearer than saying that nothing changes:", wrong < still/2)
	// Output: nearer than saying that nothing changes: true
}

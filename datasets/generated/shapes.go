package generated

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// shape is a drawing of one thing, and what can be said of it.
type shape struct{ size, colour, form, place, page string }

var (
	sizes   = []string{"small", "big"}
	forms   = []string{"circle", "square", "triangle", "cross", "star"}
	places  = []string{"left", "middle", "right"}
	pages   = []string{"white", "grey"}
	colours = map[string]color.RGBA{
		"red": {210, 30, 40, 255}, "green": {30, 150, 60, 255}, "blue": {30, 70, 200, 255}, "yellow": {240, 210, 30, 255}, "black": {20, 20, 20, 255},
		"purple": {120, 40, 160, 255}, "orange": {240, 130, 20, 255}, "brown": {120, 70, 30, 255}, "pink": {245, 150, 180, 255},
	}
	colourNames = []string{"red", "green", "blue", "yellow", "black", "purple", "orange", "brown", "pink"}
)

// sentence is what a person would say of it.
func (s shape) sentence() string {
	where := "on the " + s.place
	if s.place == "middle" {
		where = "in the middle"
	}
	return fmt.Sprintf("a %s %s %s %s of a %s page", s.size, s.colour, s.form, where, s.page)
}

// question is one of four, and its answer.
func (s shape) question(k int) (question, answer string) {
	switch k % 4 {
	case 0:
		return "what colour is it", s.colour
	case 1:
		return "what shape is it", s.form
	case 2:
		return "where is it", s.place
	}
	return "how big is it", s.size
}

// shapeSide is the side of the drawings in pixels.
const shapeSide = 96

// Shapes writes drawings of one thing each, all of 540 different, into a folder:
// pictures, and metadata.csv with the columns file_name, sentence, question,
// answer and shape. rows is how many of them, 0 for all. The folder must be new or empty.
func Shapes(dir string, rows int, seed uint64) error {
	var all []shape
	for _, size := range sizes {
		for _, colour := range colourNames {
			for _, form := range forms {
				for _, place := range places {
					for _, page := range pages {
						all = append(all, shape{size, colour, form, place, page})
					}
				}
			}
		}
	}
	if rows < 0 || rows > len(all) {
		return fmt.Errorf("%d rows: there are %d different drawings", rows, len(all))
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty; choose another folder", dir)
	}
	r := random(seed, 8)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if rows > 0 {
		all = all[:rows]
	}
	// All of it, or nothing.
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(dir)), 0o755); err != nil {
		return err
	}
	making, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".shapes-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(making)
	var table bytes.Buffer
	w := csv.NewWriter(&table)
	w.Write([]string{"file_name", "sentence", "question", "answer", "shape"}) //nolint:errcheck // a buffer takes everything
	for i, s := range all {
		var file bytes.Buffer
		if err := png.Encode(&file, s.draw(r)); err != nil {
			return err
		}
		name := fmt.Sprintf("%03d.png", i)
		if err := os.WriteFile(filepath.Join(making, name), file.Bytes(), 0o644); err != nil {
			return err
		}
		question, answer := s.question(r.IntN(4))
		w.Write([]string{name, s.sentence(), question, answer, s.form}) //nolint:errcheck // as above
	}
	w.Flush()
	if err := os.WriteFile(filepath.Join(making, "metadata.csv"), table.Bytes(), 0o644); err != nil {
		return err
	}
	if err := os.Chmod(making, 0o755); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Rename(making, dir)
}

// draw draws it, a little out of its place, by four points a pixel.
func (s shape) draw(r *rand.Rand) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, shapeSide, shapeSide))
	page := color.RGBA{250, 250, 250, 255}
	if s.page == "grey" {
		page = color.RGBA{150, 150, 150, 255}
	}
	radius := 10.0
	if s.size == "big" {
		radius = 22
	}
	x := map[string]float64{"left": 0.25, "middle": 0.5, "right": 0.75}[s.place]*shapeSide + 6*(r.Float64()-0.5)
	y := shapeSide/2 + 30*(r.Float64()-0.5)
	turn := 0.3 * (r.Float64() - 0.5)
	ink := colours[s.colour]
	for py := range shapeSide {
		for px := range shapeSide {
			inside := 0
			for k := range 4 {
				dx := (float64(px) + 0.25 + 0.5*float64(k%2) - x) / radius
				dy := (float64(py) + 0.25 + 0.5*float64(k/2) - y) / radius
				if s.inside(dx*math.Cos(turn)+dy*math.Sin(turn), dy*math.Cos(turn)-dx*math.Sin(turn)) {
					inside++
				}
			}
			mix := func(a, b uint8) uint8 { return uint8((int(a)*inside + int(b)*(4-inside) + 2) / 4) }
			m.SetRGBA(px, py, color.RGBA{mix(ink.R, page.R), mix(ink.G, page.G), mix(ink.B, page.B), 255})
		}
	}
	return m
}

// inside says whether a point, in radii from the centre, belongs to the form.
func (s shape) inside(x, y float64) bool {
	switch s.form {
	case "circle":
		return x*x+y*y < 1
	case "square":
		return max(math.Abs(x), math.Abs(y)) < 0.85
	case "triangle":
		return y < 0.75 && y > -1 && math.Abs(x) < (y+1)*0.55
	case "cross":
		return max(math.Abs(x), math.Abs(y)) < 1 && min(math.Abs(x), math.Abs(y)) < 0.3
	}
	// A star of five points: the radius between a tip and a notch.
	angle := math.Mod(math.Atan2(x, -y)+2*math.Pi, 2*math.Pi/5)
	angle = min(angle, 2*math.Pi/5-angle) // from the nearest tip
	const tip, notch = 1.1, 0.45
	const half = math.Pi / 5
	// On the line from (tip, 0) to (notch, half) in polar coordinates.
	edge := tip * notch * math.Sin(half) / (tip*math.Sin(angle) + notch*math.Sin(half-angle))
	return math.Hypot(x, y) < edge
}

package reference_test

import (
	"math"
	"math/rand/v2"
)

// toy is a small invented data set: examples of a few classes, each class with
// captions of its own. It is made of seeded numbers alone.
type toy struct {
	words                     int
	headWeight, headBias      []float32 // [words, hidden], [words]
	vectors                   []float32 // [words, semantic]; zero for the end, word 0
	captions                  []toyCaption
	train, val                []toyExample
	memory                    bool
	memories                  []float32 // a caption's meaning, [captions, semantic]
	image, sound, hiddenWidth int
	semanticWidth             int
}

type toyCaption struct {
	words, bag []int32   // the end last; the words that the bag asks for
	hidden     []float32 // [words, hidden]
}

type toyExample struct {
	image, sound []float32 // [views, width]; nil where it lacks one
	captions     []int
	repeat       int
}

// Widths of what the invented modules give; none is a multiple of a vector
// register, most are longer than one.
const (
	toyImage, toySound       = 19, 11
	toyHidden, toySemantic   = 17, 13
	toyWords, toyMaxTokens   = 37, 6
	toyClasses               = 9
	toyBatch, toyEpochs      = 12, 10
	toyEven, toyRagged       = 60, 51 // examples of an epoch: 5 steps, the last of 12 or 3
	toySteps                 = 50
	toyValidation, toyRepeat = 37, 7 // of validation; examples shown twice
)

// toyOptions say what a toy has beyond pictures and sounds with one caption.
type toyOptions struct{ memory, several, ragged, validation, repeats bool }

func newToy(o toyOptions) *toy {
	rng := rand.New(rand.NewPCG(20, 26))
	gauss := func(n int, deviation float64) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64() * deviation)
		}
		return v
	}
	units := func(rows, width int) []float32 {
		v := gauss(rows*width, 1)
		for lo := 0; lo < len(v); lo += width {
			var square float64
			for _, x := range v[lo:][:width] {
				square += float64(x) * float64(x)
			}
			for i := range width {
				v[lo+i] = float32(float64(v[lo+i]) / math.Sqrt(square))
			}
		}
		return v
	}
	y := &toy{
		words: toyWords, headWeight: gauss(toyWords*toyHidden, 0.4), headBias: gauss(toyWords, 0.1),
		vectors: units(toyWords, toySemantic), memory: o.memory,
		image: toyImage, sound: toySound, hiddenWidth: toyHidden, semanticWidth: toySemantic,
	}
	clear(y.vectors[:toySemantic])
	// Three captions a class, of one to six words and the end; every fifth
	// asks nothing of the bag.
	for c := range 3 * toyClasses {
		var caption toyCaption
		for k := range 1 + c%toyMaxTokens {
			caption.words = append(caption.words, int32(1+(c*7+k*3)%(toyWords-1)))
		}
		if c%5 != 4 {
			caption.bag = append(caption.bag, caption.words[0])
			if len(caption.words) > 1 {
				caption.bag = append(caption.bag, caption.words[1])
			}
		}
		caption.words = append(caption.words, 0)
		caption.hidden = gauss(len(caption.words)*toyHidden, 0.5)
		y.captions = append(y.captions, caption)
	}
	y.memories = units(len(y.captions), toySemantic)
	images, sounds := gauss(toyClasses*toyImage, 1), gauss(toyClasses*toySound, 1)
	example := func(i, views int) toyExample {
		class := i % toyClasses
		e := toyExample{captions: []int{class}}
		if o.several {
			e.captions = []int{class, toyClasses + class, 2*toyClasses + class}[:1+i%3]
		}
		near := func(centre []float32) (v []float32) {
			for range views {
				for _, x := range centre {
					v = append(v, x+float32(0.2*rng.NormFloat64()))
				}
			}
			return v
		}
		// A quarter is heard only, a quarter seen only, the rest both.
		if i%4 != 0 {
			e.image = near(images[class*toyImage:][:toyImage])
		}
		if i%4 != 1 {
			e.sound = near(sounds[class*toySound:][:toySound])
		}
		return e
	}
	n := toyEven
	if o.ragged {
		n = toyRagged
	}
	if o.repeats {
		n -= toyRepeat
	}
	for i := range n {
		e := example(i, 2)
		if o.repeats && i < toyRepeat {
			e.repeat = 2
		}
		y.train = append(y.train, e)
	}
	if o.validation {
		for i := range toyValidation {
			y.val = append(y.val, example(i, 1))
		}
	}
	return y
}

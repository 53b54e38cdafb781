package learn

import (
	"fmt"

	"github.com/connectomewire/wire/wiring"
)

// Data is a prepared training set: what the frozen modules made of every
// picture, sound and caption.
type Data struct {
	// Senses are the names of the plan's senses, in its order, and Widths
	// the lengths of their vectors.
	Senses []string
	Widths []int
	// Memory holds the training samples' episodes, for a plan that has a
	// sense of kind memory; else nil.
	Memory *wiring.Memory
	// Train and Val are the samples to learn from and to stop by.
	Train, Val []Sample
	// Captions that samples refer to.
	Captions []Caption
	// Words are the tokens a caption may use, sorted.
	Words []int32
	// Head is the language module's last layer for those words:
	// logits = HeadWeight·h + HeadBias, [words, hidden] and [words].
	HeadWeight, HeadBias []float32
	// Vectors are the text tower's unit vectors of the words, [words,
	// semantic]; a zero vector for words it does not know.
	Vectors []float32
	// Hidden and Semantic are the widths above.
	Hidden, Semantic int
}

// Sample is one picture, sound, or both, with its captions.
type Sample struct {
	// ID names the sample in messages.
	ID string
	// Inputs holds, for each sense, the module's vectors of one or more views
	// (augmentations), [views, width], as the module gave them; nil where
	// the sense is missing. The first view is the plain one.
	Inputs [][]float32
	// Captions are indices into [Data.Captions]; one is drawn each epoch, and
	// validation uses the first.
	Captions []int
	// Repeat is how often the sample appears in an epoch; 0 means once.
	Repeat int
}

// Caption is a tokenised caption with the language module's hidden states.
type Caption struct {
	Text string
	// Words are indices into [Data.Words], the end token last.
	Words []int32
	// Hidden is the module's state before each word, [len(Words), hidden].
	Hidden []float32
	// Bag are the distinct content words, indices into [Data.Words].
	Bag []int32
}

// Validate reports the first mistake, and whether the data fit the plan.
func (d *Data) Validate(p *wiring.Plan) error {
	if len(d.Senses) != len(p.Senses) || len(d.Widths) != len(p.Senses) {
		return fmt.Errorf("the data have %d senses, plan %q has %d", len(d.Senses), p.Name, len(p.Senses))
	}
	for i, s := range p.Senses {
		if d.Senses[i] != s.Name || d.Widths[i] != s.Width {
			return fmt.Errorf("sense %d of the data is %q of width %d, of plan %q it is %q of width %d", i, d.Senses[i], d.Widths[i], p.Name, s.Name, s.Width)
		}
	}
	e := &p.Effectors[0]
	if d.Hidden != e.Hidden || d.Semantic != e.Semantic {
		return fmt.Errorf("the data's hidden and semantic widths are %d and %d, those of plan %q %d and %d", d.Hidden, d.Semantic, p.Name, e.Hidden, e.Semantic)
	}
	v := len(d.Words)
	if v == 0 || len(d.HeadWeight) != v*d.Hidden || len(d.HeadBias) != v || len(d.Vectors) != v*d.Semantic {
		return fmt.Errorf("the data's %d words do not match their head weights, biases or vectors", v)
	}
	if memory, cue := p.MemorySense(); d.Memory != nil && (memory < 0 || cue < 0 || d.Memory.KeyWidth != d.Widths[cue] || d.Memory.ValueWidth != d.Widths[memory]) {
		return fmt.Errorf("the data's memory does not fit plan %q", p.Name)
	}
	if len(d.Train) == 0 {
		return fmt.Errorf("the data have no training samples")
	}
	for i := range d.Captions {
		c := &d.Captions[i]
		if len(c.Words) == 0 || len(c.Words) > p.MaxTokens+1 || len(c.Hidden) != len(c.Words)*d.Hidden {
			return fmt.Errorf("caption %q has %d words with the end token, want 1 to %d, and %d hidden numbers", c.Text, len(c.Words), p.MaxTokens+1, len(c.Hidden))
		}
		for _, list := range [][]int32{c.Words, c.Bag} {
			for _, w := range list {
				if w < 0 || int(w) >= v {
					return fmt.Errorf("caption %q uses word %d of %d", c.Text, w, v)
				}
			}
		}
	}
	for _, set := range [][]Sample{d.Train, d.Val} {
		for i := range set {
			if err := d.checkSample(&set[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Data) checkSample(s *Sample) error {
	if len(s.Inputs) != len(d.Senses) {
		return fmt.Errorf("sample %q has inputs for %d senses, want %d", s.ID, len(s.Inputs), len(d.Senses))
	}
	some := false
	for k, x := range s.Inputs {
		if len(x)%d.Widths[k] != 0 {
			return fmt.Errorf("sample %q: %d numbers for sense %q are not whole vectors of %d", s.ID, len(x), d.Senses[k], d.Widths[k])
		}
		some = some || len(x) > 0
	}
	if !some {
		return fmt.Errorf("sample %q has no input at all", s.ID)
	}
	if len(s.Captions) == 0 {
		return fmt.Errorf("sample %q has no caption", s.ID)
	}
	for _, c := range s.Captions {
		if c < 0 || c >= len(d.Captions) {
			return fmt.Errorf("sample %q refers to caption %d of %d", s.ID, c, len(d.Captions))
		}
	}
	return nil
}

package wiring

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
)

// Signs by which an answer is believed or not. Each is a number that is larger
// for answers more likely to be right; which an answer has depends on its head
// and its inputs.
const (
	// SignOwn is log p/(1−p) of the head's own confidence p.
	SignOwn = "own"
	// SignAgreement is the cosine of what is said and what was put in, in the
	// space of texts.
	SignAgreement = "agreement"
	// SignMeaning is the cosine of what is said and what the effector meant
	// before it spoke, in the space of texts.
	SignMeaning = "meaning"
	// SignFamiliar is the log odds that the input is of the kind that the plan
	// was made for, as its strangest sense sees it, cut off at ±6.
	SignFamiliar = "familiar"
	// SignEasy is the log odds that answers about inputs like this one are right,
	// as its hardest sense sees it, cut off alike.
	SignEasy = "easy"
)

// Signs are all signs, in the order in which they are told.
var Signs = []string{SignOwn, SignAgreement, SignMeaning, SignFamiliar, SignEasy}

// oddsLimit is where log odds are cut off: beyond it they say how far a linear
// rule reaches, not more.
const oddsLimit = 6

// Calibration turns signs into the chance that an answer is right (Platt 1999,
// "Probabilistic outputs for support vector machines"). It is fitted on
// validation data after learning, and holds as long as what was learned.
type Calibration struct {
	// Familiar tells what a sense usually gets from noise, silence and blank
	// pictures, by the senses' names.
	Familiar map[string]Discriminant `json:"familiar,omitempty"`
	// Chances are those of answers, by the effectors' names.
	Chances map[string]Chance `json:"chances"`
}

// Discriminant is a linear rule over what a sense's modules give, scaled to
// length 1.
type Discriminant struct {
	Weights []float32 `json:"weights"`
	Bias    float64   `json:"bias"`
}

// Odds are the log odds that a vector is a familiar one.
func (d Discriminant) Odds(x []float32) float64 {
	var sum, square float64
	for i, v := range x {
		sum += float64(v) * float64(d.Weights[i])
		square += float64(v) * float64(v)
	}
	return sum/math.Sqrt(max(square, 1e-20)) + d.Bias
}

// Chance is how likely an answer is right: the chance that it would be, were it
// about what the plan was made for, times the chance that it is about that. An
// answer about noise is not hard, it is beside the point; one rule for both would
// believe answers too little that look a little like those about noise.
type Chance struct {
	// Right tells right answers from wrong ones.
	Right Rule `json:"right"`
	// Known tells answers about what the plan was made for from those about
	// strangers; nil where no strangers were asked about.
	Known *Rule `json:"known,omitempty"`
	// Easy tells inputs that are often answered rightly from others, by the
	// senses' names.
	Easy map[string]Discriminant `json:"easy,omitempty"`
	// Sure is the chance below which an answer is not sure.
	Sure float64 `json:"sure"`
}

// Of is the chance, 0 to 1, that an answer with these signs is right; ok is
// false where one that a rule asks for is missing.
func (c Chance) Of(signs map[string]float64) (p float64, ok bool) {
	p, ok = c.Right.Of(signs)
	if !ok || c.Known == nil {
		return p, ok
	}
	known, ok := c.Known.Of(signs)
	return p * known, ok
}

// Rule is a logistic rule over signs.
type Rule struct {
	Weights map[string]float64 `json:"weights"`
	Bias    float64            `json:"bias"`
}

// Of is the rule's chance, 0 to 1; ok is false where a sign that it asks for is
// missing.
func (r Rule) Of(signs map[string]float64) (p float64, ok bool) {
	z := r.Bias
	for _, name := range Signs { // a fixed order of the sum
		w, asked := r.Weights[name]
		if !asked {
			continue
		}
		v, there := signs[name]
		if !there {
			return 0, false
		}
		z += w * v
	}
	return 1 / (1 + math.Exp(-z)), true
}

// check refuses signs that do not exist.
func (r Rule) check() error {
	for sign := range r.Weights {
		if !slices.Contains(Signs, sign) {
			return fmt.Errorf("there is no sign %q", sign)
		}
	}
	return nil
}

// Odds are the least log odds that rules, by senses' names, give what the senses'
// modules gave, by the plan's senses, nil for one that got nothing; ok is false
// where no sense that got anything has a rule.
func (p *Plan) Odds(rules map[string]Discriminant, senses [][]float32) (odds float64, ok bool) {
	odds = oddsLimit
	for i, s := range p.Senses {
		d, known := rules[s.Name]
		if known && i < len(senses) && len(senses[i]) == len(d.Weights) {
			odds, ok = min(odds, d.Odds(senses[i])), true
		}
	}
	return max(odds, -oddsLimit), ok
}

// checkCalibration refuses a calibration that is of another plan.
func (p *Plan) checkCalibration(c *Calibration) error {
	if err := p.checkRules(c.Familiar); err != nil {
		return err
	}
	for name, chance := range c.Chances {
		if err := p.checkRules(chance.Easy); err != nil {
			return fmt.Errorf("effector %q: %w", name, err)
		}
		if p.Effector(name) < 0 {
			return fmt.Errorf("there is no effector %q", name)
		}
		if !(chance.Sure >= 0 && chance.Sure <= 1) {
			return fmt.Errorf("effector %q: sure from %v on, want 0 to 1", name, chance.Sure)
		}
		rules := []Rule{chance.Right}
		if chance.Known != nil {
			rules = append(rules, *chance.Known)
		}
		for _, r := range rules {
			if err := r.check(); err != nil {
				return fmt.Errorf("effector %q: %w", name, err)
			}
		}
	}
	return nil
}

// checkRules refuses rules for other senses.
func (p *Plan) checkRules(rules map[string]Discriminant) error {
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		s := p.Sense(name)
		if s == nil {
			return fmt.Errorf("there is no sense %q", name)
		}
		if n := len(rules[name].Weights); n != s.Numbers() {
			return fmt.Errorf("%d weights for sense %q, which has %d numbers", n, name, s.Numbers())
		}
	}
	return nil
}

// encode writes calibration.json.
func (c *Calibration) encode() ([]byte, error) {
	var b bytes.Buffer
	w := json.NewEncoder(&b)
	if err := w.Encode(c); err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	return b.Bytes(), nil
}

// loadCalibration reads calibration.json, if there is one.
func (p *Plan) loadCalibration(fsys fs.FS) error {
	data, err := readFile(fsys, calibrationFileName, maxYAML)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	c := &Calibration{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return &Error{File: calibrationFileName, Msg: err.Error(), Err: err}
	}
	if err := p.checkCalibration(c); err != nil {
		return &Error{File: calibrationFileName, Msg: err.Error(), Err: err}
	}
	p.Calibration = c
	return nil
}

package calibrate

import (
	"fmt"
	"hash/fnv"
	"math"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task/baseline"
)

// folds is how many times what is reported is fitted.
const folds = 5

// least is the number of answers, right and wrong each, below which nothing is
// fitted.
const least = 5

// Report says how well an effector's confidence does, cross-fitted.
type Report struct {
	Effector string `json:"effector"`
	// N answers were judged, Strangers beside them.
	N         int `json:"n"`
	Strangers int `json:"strangers"`
	// Right is the share of right answers.
	Right float64 `json:"right"`
	// Error is the expected calibration error in ten bins, without strangers.
	Error float64                  `json:"calibration_error"`
	Bins  []metrics.ReliabilityBin `json:"bins"`
	// RightWrong is the area under the curve of right answers against wrong
	// ones, Known that of answers against those about strangers.
	RightWrong float64 `json:"auroc_right_wrong"`
	Known      float64 `json:"auroc_known_stranger"`
	// Before are the same two of the head's own confidence.
	Before [2]float64 `json:"auroc_before"`
	// Sure is the chance from which on an answer counts as sure; the others are
	// the shares of answers below it.
	Sure            float64 `json:"sure"`
	UnsureRight     float64 `json:"unsure_of_right"`
	UnsureWrong     float64 `json:"unsure_of_wrong"`
	UnsureStrangers float64 `json:"unsure_of_strangers"`
	// Sets are the parts of it.
	Sets []SetReport `json:"sets"`
	// Weights are those of the rule for right answers, Familiar of the one for
	// answers about what is known.
	Weights  map[string]float64 `json:"weights"`
	Familiar map[string]float64 `json:"weights_known,omitempty"`
}

// SetReport is a part of a [Report].
type SetReport struct {
	Set        string  `json:"set"`
	N          int     `json:"n"`
	Right      float64 `json:"right"`
	Confidence float64 `json:"confidence"`
	Unsure     float64 `json:"unsure"`
}

// Fit fits the rules of a plan's effectors to judged items, and reports how well
// such rules do on items that they did not see. It adds [wiring.SignFamiliar]
// and [wiring.SignEasy] to the items' signs, cross-fitted.
func Fit(p *wiring.Plan, items []Item) (*wiring.Calibration, []Report, error) {
	c := &wiring.Calibration{Familiar: map[string]wiring.Discriminant{}, Chances: map[string]wiring.Chance{}}
	fold := make([]int, len(items))
	for i := range items {
		h := fnv.New32a()
		fmt.Fprintf(h, "%s\x00%s", items[i].Set, items[i].Group)
		fold[i] = int(h.Sum32() % folds)
	}
	x := &fitting{plan: p, items: items, fold: fold}
	var err error
	if c.Familiar, err = x.vectors(wiring.SignFamiliar, "", func(it *Item) (int, bool) {
		if it.Stranger {
			return 0, true
		}
		return 1, true
	}); err != nil {
		return nil, nil, err
	}
	var reports []Report
	for _, e := range p.Effectors {
		r, err := x.chances(e.Name, c)
		if err != nil {
			return nil, nil, fmt.Errorf("effector %q: %w", e.Name, err)
		}
		if r != nil {
			reports = append(reports, *r)
		}
	}
	if len(reports) == 0 {
		return nil, nil, fmt.Errorf("plan %q: no effector's answers can be right or wrong with a confidence: those of labels and sentences can", p.Name)
	}
	return c, reports, nil
}

// fitting is a fit in progress.
type fitting struct {
	plan  *wiring.Plan
	items []Item
	fold  []int // of each item
}

// vectors fits, for each sense, a linear rule to labels (0 or 1) of what it got,
// and adds the odds of an effector's answers to their signs ("" for all
// effectors'), each by a rule that did not see its group. A sense without enough
// of both labels has its share of ones as a rule, or none where there are no
// labels.
func (x *fitting) vectors(sign, effector string, label func(it *Item) (y int, known bool)) (map[string]wiring.Discriminant, error) {
	rules := map[string]wiring.Discriminant{}
	held := make([]map[string]wiring.Discriminant, folds)
	for k := range held {
		held[k] = map[string]wiring.Discriminant{}
	}
	for s, sense := range x.plan.Senses {
		all, of := senseOf(x.items, s)
		var rows [][]float32
		var labels, fold []int
		for k, i := range of {
			if y, known := label(&x.items[i]); known {
				rows, labels, fold = append(rows, all[k]), append(labels, y), append(fold, x.fold[i])
			}
		}
		if len(rows) == 0 {
			continue
		}
		var err error
		if rules[sense.Name], err = discriminant(rows, labels); err != nil {
			return nil, fmt.Errorf("sense %q: %w", sense.Name, err)
		}
		for k := range folds {
			kx, ky := without(rows, labels, func(j int) bool { return fold[j] == k })
			held[k][sense.Name] = rules[sense.Name]
			if len(kx) > 0 {
				if held[k][sense.Name], err = discriminant(kx, ky); err != nil {
					return nil, fmt.Errorf("sense %q: %w", sense.Name, err)
				}
			}
		}
	}
	for i := range x.items {
		odds, ok := x.plan.Odds(held[x.fold[i]], x.items[i].Senses)
		for name, signs := range x.items[i].Signs {
			if ok && signs != nil && (effector == "" || effector == name) {
				signs[sign] = odds
			}
		}
	}
	return rules, nil
}

// without leaves rows out.
func without[T any](x []T, y []int, out func(i int) bool) (kx []T, ky []int) {
	for i := range x {
		if !out(i) {
			kx, ky = append(kx, x[i]), append(ky, y[i])
		}
	}
	return kx, ky
}

// discriminant is a linear rule, or the share of ones where there are too few of
// a label to learn from.
func discriminant(rows [][]float32, usual []int) (wiring.Discriminant, error) {
	ones := 0
	for _, y := range usual {
		ones += y
	}
	if zeros := len(usual) - ones; min(ones, zeros) < least {
		return wiring.Discriminant{Weights: make([]float32, len(rows[0])), Bias: math.Log((float64(ones) + 0.5) / (float64(zeros) + 0.5))}, nil
	}
	m, err := baseline.FitLogistic(rows, usual, nil, nil, 2)
	if err != nil {
		return wiring.Discriminant{}, err
	}
	w, b := m.Odds()
	d := wiring.Discriminant{Bias: b}
	for _, v := range w {
		d.Weights = append(d.Weights, float32(v))
	}
	return d, nil
}

// judged is an item as an effector's rule sees it.
type judged struct {
	item  int
	signs []float32
	right int
}

// chances fits an effector's rule; nil for an effector whose answers are
// neither right nor wrong.
func (x *fitting) chances(name string, c *wiring.Calibration) (*Report, error) {
	items, fold := x.items, x.fold
	easy, err := x.vectors(wiring.SignEasy, name, func(it *Item) (int, bool) {
		right, known := it.Right[name]
		if right {
			return 1, known && !it.Stranger
		}
		return 0, known && !it.Stranger
	})
	if err != nil {
		return nil, err
	}
	var rows []judged
	names := common(name, items)
	if len(names) == 0 {
		return nil, nil
	}
	count := [2]int{}
	for i := range items {
		right, known := items[i].Right[name]
		signs := signsOf(&items[i], name, names)
		if !known || signs == nil {
			continue
		}
		j := judged{item: i, signs: signs}
		if right {
			j.right = 1
		}
		if !items[i].Stranger {
			count[j.right]++
		}
		rows = append(rows, j)
	}
	if count[0] < least || count[1] < least {
		return nil, fmt.Errorf("%d right and %d wrong answers: want at least %d of each to see by what they differ", count[1], count[0], least)
	}
	all := make([]int, len(rows))
	chance, err := x.rules(rows, names)
	if err != nil {
		return nil, err
	}
	p := make([]float64, len(rows))
	for k := range folds {
		kept, _ := without(rows, all, func(i int) bool { return fold[rows[i].item] == k })
		held, err := x.rules(kept, names)
		if err != nil {
			return nil, err
		}
		for i, j := range rows {
			if fold[j.item] == k {
				p[i], _ = held.Of(named(names, j.signs))
			}
		}
	}
	r, err := report(name, items, rows, p)
	if err != nil {
		return nil, err
	}
	chance.Sure, chance.Easy = r.Sure, easy
	r.Weights = chance.Right.Weights
	if chance.Known != nil {
		r.Familiar = chance.Known.Weights
	}
	c.Chances[name] = chance
	return r, nil
}

// common are the signs that nearly every judged answer of an effector has.
func common(name string, items []Item) []string {
	count, n := map[string]int{}, 0
	for i := range items {
		if _, known := items[i].Right[name]; !known || items[i].Signs[name] == nil {
			continue
		}
		n++
		for s := range items[i].Signs[name] {
			count[s]++
		}
	}
	var out []string
	for _, s := range wiring.Signs {
		if n > 0 && count[s] >= n-n/20 {
			out = append(out, s)
		}
	}
	return out
}

// signsOf are an item's, in the order of their names; nil where one is missing.
func signsOf(it *Item, effector string, names []string) []float32 {
	var out []float32
	for _, s := range names {
		v, there := it.Signs[effector][s]
		if !there {
			return nil
		}
		out = append(out, float32(v))
	}
	return out
}

func named(names []string, signs []float32) map[string]float64 {
	out := map[string]float64{}
	for k, s := range names {
		out[s] = float64(signs[k])
	}
	return out
}

// rules fits the two rules of a chance: one for right answers among those that
// are not about strangers, one for those among all.
func (x *fitting) rules(rows []judged, names []string) (wiring.Chance, error) {
	stranger := func(j judged) bool { return x.items[j.item].Stranger }
	var known []judged
	right, usual := []int{}, make([]int, len(rows))
	for i, j := range rows {
		if !stranger(j) {
			known, right, usual[i] = append(known, j), append(right, j.right), 1
		}
	}
	var c wiring.Chance
	var err error
	if c.Right, err = rule(known, right, names); err != nil || len(known) == len(rows) {
		return c, err
	}
	r, err := rule(rows, usual, names)
	c.Known = &r
	return c, err
}

// rule fits a logistic rule for labels 1 among labels 0 and 1 to standardised
// signs, and writes it for signs as they are.
func rule(rows []judged, labels []int, names []string) (wiring.Rule, error) {
	mean, spread := make([]float64, len(names)), make([]float64, len(names))
	for k := range names {
		values := make([]float64, len(rows))
		for i, j := range rows {
			values[i] = float64(j.signs[k])
		}
		mean[k] = metrics.Mean(values)
		for _, v := range values {
			spread[k] += (v - mean[k]) * (v - mean[k]) / float64(len(rows))
		}
		spread[k] = math.Sqrt(spread[k]) + 1e-6
	}
	x := make([][]float32, len(rows))
	for i, j := range rows {
		for k, v := range j.signs {
			x[i] = append(x[i], float32((float64(v)-mean[k])/spread[k]))
		}
	}
	m, err := baseline.FitLogistic(x, labels, nil, nil, 2)
	if err != nil {
		return wiring.Rule{}, err
	}
	w, b := m.Odds()
	r := wiring.Rule{Weights: map[string]float64{}, Bias: b}
	for k, s := range names {
		r.Weights[s] = w[k] / spread[k]
		r.Bias -= w[k] * mean[k] / spread[k]
	}
	return r, nil
}

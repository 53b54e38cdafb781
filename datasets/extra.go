package datasets

import (
	"slices"
	"strings"
)

// leakRule decides which extras may be trained on. It knows the samples that
// are already there, with their splits and, where they have pictures, their
// thumbs. An extra is left out if
//
//   - its concept, the normalised form of one of its captions, or the set of
//     the content words of one of its captions is that of a sample in Val or
//     Test,
//   - or its picture is a near-duplicate of any that is already there, be it
//     held out or not: a repeated picture teaches nothing.
//
// Otherwise it joins the component of the training samples with its caption
// or concept, or makes a component of its own.
type leakRule struct {
	held    map[string]bool   // keys and word sets of Val and Test
	owner   map[string]string // key → component of training samples
	thumbs  []*thumb
	refused map[string]int // extras that were left out, by reason
}

// Reasons to leave an extra out.
const (
	leakConcept = "concept, caption or words of a held-out sample"
	leakPicture = "near-duplicate of another picture"
)

func newLeakRule(samples []*Sample, thumbs []*thumb) *leakRule {
	r := &leakRule{held: map[string]bool{}, owner: map[string]string{}, thumbs: slices.Clone(thumbs), refused: map[string]int{}}
	for _, s := range samples {
		if s.Split == Train {
			r.own(s)
			continue
		}
		for _, k := range append(s.keys(), s.wordSets()...) {
			r.held[k] = true
		}
	}
	return r
}

// own remembers the component of a training sample.
func (r *leakRule) own(s *Sample) {
	for _, k := range s.keys() {
		if _, ok := r.owner[k]; !ok {
			r.owner[k] = s.Component
		}
	}
}

// admit assigns an extra to Train and to a component, or reports false.
func (r *leakRule) admit(s *Sample, t *thumb) bool {
	for _, k := range append(s.keys(), s.wordSets()...) {
		if r.held[k] {
			r.refused[leakConcept]++
			return false
		}
	}
	for _, other := range r.thumbs {
		if other != nil && similar(t, other) {
			r.refused[leakPicture]++
			return false
		}
	}
	keys := s.keys()
	slices.Sort(keys)
	component := componentName("extra:" + keys[0])
	for _, k := range keys {
		if known, ok := r.owner[k]; ok {
			component = known
			break
		}
	}
	s.assign(component)
	r.own(s)
	r.thumbs = append(r.thumbs, t)
	return true
}

// wordSets are the captions as sets of normalised content words.
func (s *Sample) wordSets() []string {
	var sets []string
	for _, c := range s.Captions {
		words := slices.DeleteFunc(strings.Fields(NormalCaption(c)), func(w string) bool { return functionWords[w] })
		slices.Sort(words)
		sets = append(sets, "words:"+strings.Join(slices.Compact(words), " "))
	}
	return sets
}

// withoutUnknownExtras leaves out the extras that the table of splits does not
// know, in place: only those that passed the [leakRule] are in it.
func withoutUnknownExtras(samples []*Sample, table map[string]string) []*Sample {
	return slices.DeleteFunc(samples, func(s *Sample) bool { return s.Extra && table[s.ID] == "" })
}

package datasets

import (
	"slices"
	"strings"
)

// leakRule decides which extras may be trained on. It knows the samples that
// are already there, with their splits, the thumbs of their pictures and the
// prints of their sounds. An extra is left out if
//
//   - its concept, the normalised form of one of its captions, or the set of
//     the content words of one of its captions is that of a sample in Val or
//     Test,
//   - or it is a near-duplicate of any that is already there, be it held out
//     or not: a repeated picture or sound teaches nothing.
//
// Pictures and sounds are each compared with their kind. There are so few
// sounds that the head noun alone rules a sound out: with "a small dog" held
// out, no dog barks in training.
//
// Otherwise it joins the component of the training samples with its caption
// or concept, or makes a component of its own.
type leakRule struct {
	held    map[string]bool   // keys and word sets of Val and Test
	heard   map[string]bool   // the same and head nouns of those with a sound
	owner   map[string]string // key → component of training samples
	thumbs  []*thumb
	prints  []*soundPrint
	refused map[string]int // extras that were left out, by reason
}

// Reasons to leave an extra out.
const (
	leakConcept = "concept, caption or words of a held-out sample"
	leakPicture = "near-duplicate of another picture"
	leakSound   = "near-duplicate of another sound"
)

// newLeakRule makes the rule; thumbs and prints are in no particular order.
func newLeakRule(samples []*Sample, thumbs []*thumb, prints []*soundPrint) *leakRule {
	r := &leakRule{
		held: map[string]bool{}, heard: map[string]bool{}, owner: map[string]string{},
		thumbs: slices.Clone(thumbs), prints: slices.Clone(prints), refused: map[string]int{},
	}
	for _, s := range samples {
		if s.Split == Train {
			r.own(s)
			continue
		}
		for _, k := range append(s.keys(), s.wordSets()...) {
			r.held[k] = true
			if s.Sound != nil {
				r.heard[k] = true
				r.heard[s.headNoun()] = true
			}
		}
	}
	return r
}

// headNoun is a key beside those of [Sample.keys].
func (s *Sample) headNoun() string { return "head:" + HeadNoun(s.Caption()) }

// own remembers the component of a training sample.
func (r *leakRule) own(s *Sample) {
	for _, k := range s.keys() {
		if _, ok := r.owner[k]; !ok {
			r.owner[k] = s.Component
		}
	}
}

// admitPicture assigns an extra to Train and to a component, or reports false.
func (r *leakRule) admitPicture(s *Sample, t *thumb) bool {
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
	r.thumbs = append(r.thumbs, t)
	r.join(s)
	return true
}

// admitSound is the same for an extra that is heard.
func (r *leakRule) admitSound(s *Sample, p *soundPrint) bool {
	for _, k := range append(append(s.keys(), s.headNoun()), s.wordSets()...) {
		if r.heard[k] {
			r.refused[leakConcept]++
			return false
		}
	}
	for _, other := range r.prints {
		if sameRecording(p, other) {
			r.refused[leakSound]++
			return false
		}
	}
	r.prints = append(r.prints, p)
	r.join(s)
	return true
}

// join puts an extra into the component of its caption or concept.
func (r *leakRule) join(s *Sample) {
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
}

// ApartFrom leaves out the samples that share a component or a head noun with
// held-out ones: what sounds may be learned from beside them.
func ApartFrom(held, samples []*Sample) []*Sample {
	known := map[string]bool{}
	for _, s := range held {
		known[s.Component], known[s.headNoun()] = true, true
	}
	var apart []*Sample
	for _, s := range samples {
		if !known[s.Component] && !known[s.headNoun()] {
			apart = append(apart, s)
		}
	}
	return apart
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

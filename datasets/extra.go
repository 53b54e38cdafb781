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
		names := append(s.keys(), s.wordSets()...)
		mark(r.held, names)
		if s.Sound != nil {
			mark(r.heard, append(names, s.headNoun()))
		}
	}
	return r
}

func mark(set map[string]bool, keys []string) {
	for _, k := range keys {
		set[k] = true
	}
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
	copied := func(other *thumb) bool { return other != nil && similar(t, other) }
	if r.refuse(leakConcept, anyIn(r.held, append(s.keys(), s.wordSets()...))) || r.refuse(leakPicture, slices.ContainsFunc(r.thumbs, copied)) {
		return false
	}
	r.thumbs = append(r.thumbs, t)
	r.join(s)
	return true
}

// admitSound is the same for an extra that is heard.
func (r *leakRule) admitSound(s *Sample, p *soundPrint) bool {
	copied := func(other *soundPrint) bool { return sameRecording(p, other) }
	if r.refuse(leakConcept, anyIn(r.heard, append(append(s.keys(), s.headNoun()), s.wordSets()...))) || r.refuse(leakSound, slices.ContainsFunc(r.prints, copied)) {
		return false
	}
	r.prints = append(r.prints, p)
	r.join(s)
	return true
}

// refuse counts a reason that holds, and returns whether it does.
func (r *leakRule) refuse(reason string, holds bool) bool {
	if holds {
		r.refused[reason]++
	}
	return holds
}

func anyIn(set map[string]bool, keys []string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return set[k] })
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

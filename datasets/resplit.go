package datasets

import (
	"errors"
	"os"
)

// splitAfresh writes the pixels, groups the samples and writes the table of
// splits. Extras come last: the rule against leakage judges them one by one.
func (e *exporter) splitAfresh(w *npyWriter, samples []*Sample) ([]*Sample, error) {
	var some, drawn, heard []*Sample
	for _, s := range samples {
		switch {
		case !s.Extra:
			some = append(some, s)
		case s.Image != nil:
			drawn = append(drawn, s)
		default:
			heard = append(heard, s)
		}
	}
	kept, thumbs, err := e.fit(w, some, nil)
	if err != nil {
		return nil, err
	}
	assignComponents(kept, thumbs)
	var prints []*soundPrint
	if len(heard) > 0 {
		prints = e.prints(kept)
	}
	rule := newLeakRule(kept, thumbs, prints)
	e.report.Refused = rule.refused
	admitted, _, err := e.fit(w, drawn, rule.admitPicture)
	if err != nil {
		return nil, err
	}
	kept = append(append(kept, admitted...), e.hear(heard, rule.admitSound)...)
	return kept, e.table(kept)
}

// prints hears every sound that is there; what cannot be read is reported
// when sounds are written.
func (e *exporter) prints(samples []*Sample) []*soundPrint {
	var prints []*soundPrint
	for i, s := range samples {
		for _, clip := range s.clips() {
			if sound, err := clip.Decode(); err == nil {
				prints = append(prints, newSoundPrint(sound))
			}
		}
		e.progress("recordings compared", i+1, len(samples))
	}
	return prints
}

// hear returns the samples without a picture that have a usable sound and
// that admit lets in.
func (e *exporter) hear(samples []*Sample, admit func(*Sample, *soundPrint) bool) []*Sample {
	var kept []*Sample
	for _, s := range samples {
		sound, err := s.Sound.audible()
		if err != nil {
			e.drop(s, err)
		} else if admit(s, newSoundPrint(sound)) {
			kept = append(kept, s)
		}
	}
	return kept
}

// table writes the split of every sample.
func (e *exporter) table(samples []*Sample) error {
	const name = "splits.tsv.gz"
	file, err := os.Create(e.temporary(name))
	if err != nil {
		return err
	}
	if err := errors.Join(writeSplitTable(file, samples), file.Close()); err != nil {
		return err
	}
	return e.publish("", name)
}

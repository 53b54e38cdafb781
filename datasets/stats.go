package datasets

// SplitCounts are numbers of samples by split.
type SplitCounts struct {
	Train int `json:"train"`
	Val   int `json:"val"`
	Test  int `json:"test"`
}

func (c *SplitCounts) add(s Split) {
	switch s {
	case Train:
		c.Train++
	case Val:
		c.Val++
	case Test:
		c.Test++
	}
}

// Total is the sum over the splits.
func (c SplitCounts) Total() int { return c.Train + c.Val + c.Test }

// SourceCounts says how many pictures, effects and voices a source has.
type SourceCounts struct {
	Source   string      `json:"source"`
	Pictures SplitCounts `json:"pictures"`
	Effects  SplitCounts `json:"effects"`
	Speech   SplitCounts `json:"speech"`
	// Triples have a picture, an effect and a caption.
	Triples SplitCounts `json:"triples"`
	// Captions is the number of distinct normalised captions.
	Captions int `json:"captions"`
}

// Count counts the samples by source, in the order in which the sources first
// appear.
func Count(samples []*Sample) []SourceCounts {
	var rows []SourceCounts
	place := map[string]int{}
	captions := map[string]map[string]bool{}
	for _, s := range samples {
		i, ok := place[s.Source]
		if !ok {
			i = len(rows)
			place[s.Source] = i
			rows = append(rows, SourceCounts{Source: s.Source})
			captions[s.Source] = map[string]bool{}
		}
		if s.Image != nil {
			rows[i].Pictures.add(s.Split)
		}
		if s.Sound != nil {
			rows[i].Effects.add(s.Split)
		}
		if s.Speech != nil {
			rows[i].Speech.add(s.Split)
		}
		if s.Image != nil && s.Sound != nil {
			rows[i].Triples.add(s.Split)
		}
		captions[s.Source][NormalCaption(s.Caption())] = true
	}
	for i := range rows {
		rows[i].Captions = len(captions[rows[i].Source])
	}
	return rows
}

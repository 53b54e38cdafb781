package datasets

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"sort"

	"github.com/connectomewire/wire/internal/disjoint"
)

// SplitSeed is hashed with each component's name; another seed gives another
// split.
const SplitSeed = "wire-split-1"

// Folds is the number of folds for cross-validation.
const Folds = 5

// keys are the names that tie a sample to others: its concept and all its
// captions.
func (s *Sample) keys() []string {
	keys := []string{"concept:" + s.Concept}
	for _, c := range s.Captions {
		keys = append(keys, "caption:"+NormalCaption(c))
	}
	return keys
}

// assignComponents groups the samples that share a concept, a normalised
// caption or, by thumbs, a picture, and sets Component, Split and Fold of
// each. thumbs has an entry a sample, nil for those without a picture.
//
// Samples without a picture join a group of pictures but never join two
// groups together or name one, so that adding sounds leaves the split of the
// pictures as it is.
func assignComponents(samples []*Sample, thumbs []*thumb) {
	u := disjoint.New(len(samples))
	owner := map[string]int{}
	for i, s := range samples {
		if s.Image == nil {
			continue
		}
		for _, k := range s.keys() {
			if j, ok := owner[k]; ok {
				u.Join(i, j)
			} else {
				owner[k] = i
			}
		}
	}
	for _, pair := range nearDuplicates(thumbs) {
		u.Join(pair[0], pair[1])
	}
	for i, s := range samples {
		if s.Image != nil {
			continue
		}
		joined := false
		for _, k := range s.keys() {
			j, ok := owner[k]
			switch {
			case !ok:
				owner[k] = i
			case !joined && i != j:
				u.Join(i, j)
				joined = true
			}
		}
	}
	pictured := map[int]bool{}
	for i, s := range samples {
		if s.Image != nil {
			pictured[u.Root(i)] = true
		}
	}
	names := map[int]string{} // the smallest key of a component, of its pictures if it has any
	for i, s := range samples {
		root := u.Root(i)
		if pictured[root] && s.Image == nil {
			continue
		}
		for _, k := range s.keys() {
			if old, ok := names[root]; !ok || k < old {
				names[root] = k
			}
		}
	}
	for i, s := range samples {
		s.assign(componentName(names[u.Root(i)]))
	}
}

// componentName is a short hash of a component's smallest key.
func componentName(key string) string {
	sum := sha256.Sum256([]byte(SplitSeed + "\x00" + key))
	return hex.EncodeToString(sum[:6])
}

// assign sets the component and what follows from it.
func (s *Sample) assign(component string) {
	s.Component = component
	sum := sha256.Sum256([]byte(SplitSeed + "\x00component\x00" + component))
	switch place := binary.BigEndian.Uint64(sum[:8]) % 1000; {
	case place < 800 || s.Extra:
		s.Split = Train
	case place < 900:
		s.Split = Val
	default:
		s.Split = Test
	}
	s.Fold = int(binary.BigEndian.Uint64(sum[8:16]) % Folds)
}

// componentSizes counts the samples of each component, largest first.
func componentSizes(samples []*Sample) []int {
	counts := map[string]int{}
	for _, s := range samples {
		counts[s.Component]++
	}
	sizes := make([]int, 0, len(counts))
	for _, n := range counts {
		sizes = append(sizes, n)
	}
	sort.Sort(sort.Reverse(sort.IntSlice(sizes)))
	return sizes
}

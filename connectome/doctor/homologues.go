package doctor

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/rank"
)

// The two hemispheres of a brain are wired alike: the weight between two
// regions on the left predicts the one between their counterparts on the
// right. Labels in the wrong order destroy that, so it tests the order of
// labels, which nothing else in a matrix does.

const (
	// minHomologues is the number of pairs of counterparts below which the
	// correlation says little.
	minHomologues = 8
	// alike and unlike are the rank correlations above which the order of
	// labels is confirmed, and below which it is doubted. Human structural
	// connectomes give 0.7 to 0.97, shuffled labels 0 ± 0.1.
	alike, unlike = 0.6, 0.2
)

// homologues are pairs of regions: a left one and its counterpart.
func homologues(c *connectome.Connectome) [][2]int {
	left, right := map[string]int{}, map[string]int{}
	for i := range c.Regions {
		name, side := sideless(&c.Regions[i])
		at := left
		switch side {
		case connectome.Right:
			at = right
		case connectome.Left:
		default:
			continue
		}
		if _, twice := at[name]; twice {
			at[name] = -1 // which of them is the counterpart is not known
			continue
		}
		at[name] = i
	}
	var pairs [][2]int
	for i := range c.Regions {
		name, side := sideless(&c.Regions[i])
		if j, ok := right[name]; side == connectome.Left && left[name] == i && ok && j >= 0 {
			pairs = append(pairs, [2]int{i, j})
		}
	}
	return pairs
}

// sideMarks are the signs of a side at the beginning or end of labels.
var sideMarks = []struct {
	left, right string
	behind      bool
}{
	{"lh-", "rh-", false}, {"lh_", "rh_", false}, {"lh.", "rh.", false}, {"ctx-lh-", "ctx-rh-", false}, {"ctx_lh_", "ctx_rh_", false},
	{"left-", "right-", false}, {"left_", "right_", false}, {"left ", "right ", false}, {"left.", "right.", false},
	{"l_", "r_", false}, {"l-", "r-", false}, {"l.", "r.", false}, {"l ", "r ", false},
	{"_lh", "_rh", true}, {"-lh", "-rh", true}, {".lh", ".rh", true}, {"_left", "_right", true}, {"-left", "-right", true}, {" left", " right", true},
	{"_l", "_r", true}, {"-l", "-r", true}, {".l", ".r", true}, {" l", " r", true},
}

// sideless is a region's name without its side, and the side.
func sideless(r *connectome.Region) (string, connectome.Hemisphere) {
	name := r.Canonical
	if name == "" {
		name = r.Label
	}
	low := strings.ToLower(name)
	for _, m := range sideMarks {
		cut := strings.CutPrefix
		if m.behind {
			cut = strings.CutSuffix
		}
		if rest, ok := cut(low, m.left); ok && r.Hemisphere != connectome.Right {
			return rest, connectome.Left
		}
		if rest, ok := cut(low, m.right); ok && r.Hemisphere != connectome.Left {
			return rest, connectome.Right
		}
	}
	// A letter in front or behind, where the file has told the side.
	letter := map[connectome.Hemisphere]string{connectome.Left: "l", connectome.Right: "r"}[r.Hemisphere]
	switch {
	case letter == "" || low == "":
		return low, connectome.UnknownHemisphere
	case len(low) > 1 && strings.HasPrefix(low, letter) && startsWithSide(name):
		return low[1:], r.Hemisphere
	case len(low) > 1 && strings.HasSuffix(name, strings.ToUpper(letter)):
		return low[:len(low)-1], r.Hemisphere
	}
	return low, r.Hemisphere // both sides bear the same label
}

// startsWithSide tells "rPFC" and "RV1" from "Rolandic".
func startsWithSide(name string) bool {
	second := name[1]
	return second >= 'A' && second <= 'Z' || second >= '0' && second <= '9'
}

// homology is the rank correlation of the weights between regions of the left
// hemisphere with those between their counterparts, over all ordered pairs; a
// tract that is not there weighs 0.
func homology(c *connectome.Connectome) (rho float64, pairs int) {
	h := homologues(c)
	if len(h) < minHomologues {
		return math.NaN(), len(h)
	}
	if len(h) > 500 { // every k-th counterpart is enough
		step := (len(h) + 499) / 500
		var some [][2]int
		for i := 0; i < len(h); i += step {
			some = append(some, h[i])
		}
		h = some
	}
	var left, right []float64
	for _, a := range h {
		for _, b := range h {
			if a == b {
				continue
			}
			left = append(left, c.Tracts.At(a[0], b[0]))
			right = append(right, c.Tracts.At(a[1], b[1]))
		}
	}
	return correlation(rank.Mean(left), rank.Mean(right)), len(h)
}

// homologues reports whether the hemispheres are wired alike.
func (x *examination) homologues() {
	rho, n := homology(x.c)
	if math.IsNaN(rho) {
		return
	}
	text := fmt.Sprintf("the weights between %d regions of the left hemisphere and those between their counterparts on the right correlate with ρ = %.2f", n, rho)
	switch {
	case rho >= alike:
		x.add(Info, "homologues", "", "%s: as they do when labels are in the right order (which hemisphere is which, this cannot tell)", text)
		x.confirmLabels(rho)
	case rho < unlike:
		x.add(Warning, "homologues", "the labels are likely in another order than the rows, or of another parcellation: compare a region whose connections you know, such as a strong tract between neighbours, and give the right list with --labels",
			"%s, as with shuffled labels; in the right order they correlate with 0.7 or more", text)
	default:
		x.add(Info, "homologues", "", "%s; in structural connectomes of human brains it is 0.7 or more", text)
	}
}

// confirmLabels makes a note of the warning that nothing confirms the labels.
func (x *examination) confirmLabels(rho float64) {
	i := slices.IndexFunc(x.findings, func(f Finding) bool { return f.Code == "label-order" && f.Severity == Warning })
	if i < 0 {
		return
	}
	f := &x.findings[i]
	f.Severity, f.Advice = Info, ""
	f.Message = fmt.Sprintf("labels from %s; the likeness of the hemispheres (ρ = %.2f) confirms their order: %s", x.report.Labels, rho, x.report.LabelHow)
}

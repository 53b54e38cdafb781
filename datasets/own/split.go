package own

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/internal/disjoint"
)

// splitVersion is hashed with every draw; another version gives other splits.
const splitVersion = "wire-own-split-1"

// place gives a group's place in [0, 1), by the SHA-256 of seed and name.
func place(seed uint64, name string) float64 {
	sum := sha256.Sum256([]byte(splitVersion + "\x00" + strconv.FormatUint(seed, 10) + "\x00" + name))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

// draw decides the split of a group. Shares need not sum to one.
func (s Shares) draw(seed uint64, group string) datasets.Split {
	at := place(seed, group) * (s.Train + s.Validation + s.Test)
	switch {
	case at < s.Train:
		return datasets.Train
	case at < s.Train+s.Validation:
		return datasets.Val
	case s.Test > 0:
		return datasets.Test
	case s.Validation > 0:
		return datasets.Val
	}
	return datasets.Train
}

// splitNames are what folders and columns call the splits.
var splitNames = map[string]datasets.Split{
	"train": datasets.Train, "training": datasets.Train, "restval": datasets.Train,
	"validation": datasets.Val, "valid": datasets.Val, "val": datasets.Val, "dev": datasets.Val,
	"test": datasets.Test, "testing": datasets.Test,
}

// splitNamed reads a split's name.
func splitNamed(name string) (datasets.Split, bool) {
	s, ok := splitNames[strings.ToLower(strings.TrimSpace(name))]
	return s, ok
}

// held orders splits by how much they must be kept from training.
func held(s datasets.Split) int {
	switch s {
	case datasets.Test:
		return 2
	case datasets.Val:
		return 1
	}
	return 0
}

// group joins rows that may not be divided. stated are the groups that the
// data name, empty where they name none; contents are hashes of what rows
// share.
func (d *Dataset) group(stated []string, contents [][]string) {
	u := disjoint.New(len(d.Rows))
	owner := map[string]int{}
	for i := range d.Rows {
		keys := contents[i]
		if stated[i] != "" {
			keys = append(keys, groupKey(stated[i]))
		}
		for _, k := range keys {
			if j, ok := owner[k]; ok {
				u.Join(i, j)
			} else {
				owner[k] = i
			}
		}
	}
	// A group is called by the smallest name that the data give it, or else by
	// the smallest hash: both stay when rows are added elsewhere.
	names := map[int]string{}
	smaller := func(root int, name string) {
		if old, ok := names[root]; !ok || name < old {
			names[root] = name
		}
	}
	for i, s := range stated {
		if s != "" {
			smaller(u.Root(i), s)
		}
	}
	named := len(names) > 0
	for i := range d.Rows {
		root := u.Root(i)
		if _, ok := names[root]; ok && named {
			continue
		}
		for _, k := range contents[i] {
			smaller(root, k)
		}
	}
	for i, r := range d.Rows {
		if name, ok := names[u.Root(i)]; ok {
			r.Group = name
		} else {
			r.Group = r.ID
		}
	}
}

func groupKey(name string) string { return "group\x00" + name }

// contentKey names what a hash is of.
func contentKey(sum [sha256.Size]byte) string { return "sha256:" + hex.EncodeToString(sum[:12]) }

// split keeps the splits that were given and draws the others. bad says which
// rows do not count.
func (d *Dataset) split(bad func(*Row) bool) {
	shares := d.Options.Shares.withDefaults()
	if !d.Report.GivenSplit {
		for _, r := range d.Rows {
			r.Split = shares.draw(d.Options.Seed, r.Group)
		}
		d.fill(shares, bad)
	} else if shares.Validation > 0 && len(d.Split(datasets.Val)) == 0 {
		rest := Shares{Train: shares.Train, Validation: shares.Validation}
		drawn := 0
		for _, r := range d.Rows {
			if r.Split == datasets.Train {
				if r.Split = rest.draw(d.Options.Seed, r.Group); r.Split == datasets.Val && !bad(r) {
					drawn++
				}
			}
		}
		d.Report.note("the data give no validation split: %d rows of the training split were drawn for it, by group", drawn)
		d.fill(rest.withDefaults(), bad)
	}
	if n, err := strconv.Atoi(d.Options.Folds); err == nil && !d.Report.GivenFolds && n > 1 {
		for _, r := range d.Rows {
			r.Fold = strconv.Itoa(1 + int(place(d.Options.Seed, "folds "+r.Group)*float64(n)))
		}
	}
}

// fill sees that small data are not drawn without a split that they were to
// have: an empty one gets the group whose place is nearest to it, of a drawn
// split that has others.
func (d *Dataset) fill(shares Shares, bad func(*Row) bool) {
	order := []datasets.Split{datasets.Train, datasets.Val, datasets.Test}
	share := map[datasets.Split]float64{datasets.Train: shares.Train, datasets.Val: shares.Validation, datasets.Test: shares.Test}
	middle := 0.0
	for _, s := range order {
		at := middle + share[s]/2
		middle += share[s]
		groups, has := map[string]datasets.Split{}, map[datasets.Split]int{}
		for _, r := range d.Rows {
			if _, ok := groups[r.Group]; !ok && !bad(r) {
				groups[r.Group] = r.Split
				has[r.Split]++
			}
		}
		if share[s] == 0 || has[s] > 0 {
			continue
		}
		best, nearest := 2.0, ""
		for name, from := range groups {
			away := math.Abs(place(d.Options.Seed, name) - at)
			if share[from] > 0 && has[from] > 1 && (away < best || away == best && name < nearest) {
				best, nearest = away, name
			}
		}
		if nearest == "" {
			continue
		}
		for _, r := range d.Rows {
			if r.Group == nearest {
				r.Split = s
			}
		}
		d.Report.note("the %s split was drawn empty, so that group %q was taken for it: of so few groups a split says little", s, nearest)
	}
}

// crossings finds the groups that a given split, or given folds, divide. The
// problem is the row's that is to be trained on, or whose fold comes later.
func (d *Dataset) crossings() map[*Row]Problem {
	found := map[*Row]Problem{}
	first := map[string]*Row{} // of each group, the row that must stay
	for _, r := range d.Rows {
		old, ok := first[r.Group]
		if !ok || d.Report.GivenSplit && held(r.Split) > held(old.Split) {
			first[r.Group] = r
		}
	}
	for _, r := range d.Rows {
		kept := first[r.Group]
		var what string
		switch {
		case d.Report.GivenSplit && r.Split != kept.Split:
			what = fmt.Sprintf("is in the %s split, and %s, of the same group %q, in the %s split", r.Split, kept.Place, r.Group, kept.Split)
		case d.Report.GivenFolds && r.Fold != kept.Fold:
			what = fmt.Sprintf("is in fold %s, and %s, of the same group %q, in fold %s", r.Fold, kept.Place, r.Group, kept.Fold)
		default:
			continue
		}
		found[r] = Problem{Fault: FaultCrossing, Place: r.Place, Text: what + "; a group must not be divided: move or remove one of them"}
	}
	return found
}

package calibrate

import (
	"cmp"
	"slices"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/wiring"
)

// bins is the number of bins of a reliability table.
const bins = 10

// report sums up chances p of rows, made by rules that did not see them.
func report(effector string, items []Item, rows []judged, p []float64) (*Report, error) {
	r := &Report{Effector: effector}
	var known, right []float64 // chances of answers that are no strangers'
	var hit []bool
	own := make([]float64, len(rows))
	stranger, familiar := make([]bool, len(rows)), make([]bool, len(rows))
	for i, j := range rows {
		it := &items[j.item]
		own[i] = it.Signs[effector][wiring.SignOwn]
		stranger[i], familiar[i] = it.Stranger, !it.Stranger
		if it.Stranger {
			r.Strangers++
			continue
		}
		known, hit = append(known, p[i]), append(hit, j.right == 1)
		right = append(right, float64(j.right))
	}
	r.N, r.Right = len(known), metrics.Mean(right)
	var err error
	if r.Error, r.Bins, err = metrics.Calibration(known, hit, bins); err != nil {
		return nil, err
	}
	var mine []float64 // own confidence, without strangers
	for i := range rows {
		if !stranger[i] {
			mine = append(mine, own[i])
		}
	}
	if r.RightWrong, err = metrics.AUROC(known, hit); err != nil {
		return nil, err
	}
	if r.Before[0], err = metrics.AUROC(mine, hit); err != nil {
		return nil, err
	}
	if r.Strangers > 0 {
		if r.Known, err = metrics.AUROC(p, familiar); err != nil {
			return nil, err
		}
		if r.Before[1], err = metrics.AUROC(own, familiar); err != nil {
			return nil, err
		}
	}
	r.Sure = parting(items, rows, p)
	sets := map[string]*SetReport{}
	var order []string
	var n [3]int // right, wrong, strangers
	var unsure [3]float64
	for i, j := range rows {
		it := &items[j.item]
		s := sets[it.Set]
		if s == nil {
			s = &SetReport{Set: it.Set}
			sets[it.Set] = s
			order = append(order, it.Set)
		}
		kind := 1 - j.right
		if it.Stranger {
			kind = 2
		}
		n[kind]++
		s.N++
		s.Right += float64(j.right)
		s.Confidence += p[i]
		if p[i] < r.Sure {
			s.Unsure++
			unsure[kind]++
		}
	}
	share := func(k int) float64 { return unsure[k] / float64(max(n[k], 1)) }
	r.UnsureRight, r.UnsureWrong, r.UnsureStrangers = share(0), share(1), share(2)
	for _, name := range order {
		s := sets[name]
		for _, v := range []*float64{&s.Right, &s.Confidence, &s.Unsure} {
			*v /= float64(s.N)
		}
		r.Sets = append(r.Sets, *s)
	}
	return r, nil
}

// parting is the chance that parts right answers from others best: where the
// share of right answers above it and that of others below it add up to the most
// (Youden 1950). Wrong answers and those about strangers count half each.
func parting(items []Item, rows []judged, p []float64) float64 {
	kind := func(i int) int { // 0 wrong, 1 right, 2 a stranger's
		if items[rows[i].item].Stranger {
			return 2
		}
		return rows[i].right
	}
	order := make([]int, len(p))
	var all [3]float64
	for i := range order {
		order[i] = i
		all[kind(i)]++
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	half := 0.5
	if all[2] == 0 {
		half = 1
	}
	best, at := 0.0, 0.0
	var below [3]float64
	for k, i := range order {
		if k > 0 && p[i] > p[order[k-1]] {
			gain := half*below[0]/all[0] + (1-half)*below[2]/max(all[2], 1) - below[1]/all[1]
			if gain > best {
				best, at = gain, (p[i]+p[order[k-1]])/2
			}
		}
		below[kind(i)]++
	}
	return at
}

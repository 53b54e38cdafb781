package multiverse

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// varied are the lists of choices of which there is more than one.
func varied(all []Outcome) []string {
	var names []string
	for k, label := range all[0].Labels() {
		if slices.ContainsFunc(all, func(x Outcome) bool { return x.Labels()[k][1] != label[1] }) {
			names = append(names, label[0])
		}
	}
	return names
}

// WriteReport writes what came of a multiverse in Markdown: the joint test, and
// the combinations from the worst for the connectome to the best.
func (r *Result) WriteReport(w io.Writer, s *Spec) error {
	title := s.Question
	if title == "" {
		title = "Multiverse of " + s.Connectome
		if s.Learned != nil {
			title += s.Learned.Plan
		}
	}
	what := "task " + s.Task
	if s.Learned != nil {
		what = "plan " + s.Learned.Plan
	}
	names := varied(r.Outcomes)
	fmt.Fprintf(w, "# %s\n\n%d combinations of choices, %s, score %s; null model %q, %d networks, the same in every combination.\n\n", title, len(r.Outcomes), what, s.Metric, s.Null, s.N)
	fmt.Fprintf(w, "**Jointly**: the median over combinations of (real − null) / deviation of null networks is %+.2f; as far from 0 as a null network's with p = %.3f (both sides).\n", r.Median, r.P)
	fmt.Fprintf(w, "The connectome is better than the networks' mean in %.0f %% of the combinations, which are not independent.\n\n|", 100*r.Better)
	for _, name := range names {
		fmt.Fprintf(w, " %s |", name)
	}
	fmt.Fprint(w, " real | real − null | middle 90 % | in deviations |\n|")
	for range len(names) + 4 {
		fmt.Fprint(w, "---|")
	}
	fmt.Fprintln(w)
	for _, x := range r.Outcomes {
		fmt.Fprint(w, "|")
		for _, label := range x.Labels() {
			if slices.Contains(names, label[0]) {
				fmt.Fprintf(w, " %s |", label[1])
			}
		}
		if _, err := fmt.Fprintf(w, " %.3f | %+.3f | [%+.3f, %+.3f] | %+.2f |\n", x.Real, x.Difference, x.Low, x.High, x.Effect); err != nil {
			return err
		}
	}
	return nil
}

// Choice is a value of a list, and the combinations, by their place among the
// outcomes, that have it.
type Choice struct {
	List, Value string
	At          []int
}

// Chosen are the values of all lists of which there is more than one.
func (r *Result) Chosen() []Choice {
	var out []Choice
	names := varied(r.Outcomes)
	for k, label := range r.Outcomes[0].Labels() {
		if !slices.Contains(names, label[0]) {
			continue
		}
		for i, x := range r.Outcomes {
			v := x.Labels()[k][1]
			at := slices.IndexFunc(out, func(c Choice) bool { return c.List == label[0] && c.Value == v })
			if at < 0 {
				at = len(out)
				out = append(out, Choice{List: label[0], Value: v})
			}
			out[at].At = append(out[at].At, i)
		}
	}
	slices.SortStableFunc(out, func(a, b Choice) int {
		return cmp.Or(slices.Index(names, a.List)-slices.Index(names, b.List), cmp.Compare(a.Value, b.Value))
	})
	return out
}

package doctor

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/internal/plural"
)

// WriteText prints the diagnosis for people: errors first, then warnings,
// then what is worth knowing, then the summary if there is one.
func (d Diagnosis) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s: %d regions, %d tracts", d.Name, d.Facts.Nodes, d.Facts.EdgesOffdiag)
	if d.Synthetic {
		fmt.Fprint(b, " (synthetic)")
	}
	fmt.Fprintln(b)
	for _, group := range []struct {
		severity Severity
		mark     string
	}{{Error, "error"}, {Warning, "warning"}, {Info, "info"}} {
		for _, f := range d.Findings {
			if f.Severity != group.severity {
				continue
			}
			fmt.Fprintf(b, "%-8s %s: %s\n", group.mark, f.Code, f.Message)
			if f.Advice != "" {
				fmt.Fprintf(b, "         → %s\n", f.Advice)
			}
		}
	}
	if d.Summary != nil {
		fmt.Fprintln(b)
		if err := WriteSummary(b, *d.Summary); err != nil {
			return err
		}
	}
	fmt.Fprintf(b, "\n%s, %s\n", plural.Count(d.Counts.Errors, "error", "errors"), plural.Count(d.Counts.Warnings, "warning", "warnings"))
	return b.Flush()
}

// WriteSummary prints the summary for people, and how many findings there are.
func (d Diagnosis) WriteSummary(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s", d.Name)
	if d.Synthetic {
		fmt.Fprint(b, " (synthetic)")
	}
	if d.Report != nil {
		fmt.Fprintf(b, ": %s", d.Report.Format)
		if d.Report.Dialect != "" {
			fmt.Fprintf(b, ", %s", d.Report.Dialect)
		}
	}
	fmt.Fprintf(b, "\n%s\n\n", d.Atlas)
	if d.Summary != nil {
		if err := WriteSummary(b, *d.Summary); err != nil {
			return err
		}
	}
	fmt.Fprintf(b, "\n%s, %s", plural.Count(d.Counts.Errors, "error", "errors"), plural.Count(d.Counts.Warnings, "warning", "warnings"))
	if d.Counts.Errors+d.Counts.Warnings > 0 {
		fmt.Fprint(b, "; \"wire connectome doctor\" explains them")
	}
	fmt.Fprintln(b)
	return b.Flush()
}

// WriteSummary prints a summary as a table of two columns.
func WriteSummary(w io.Writer, s metrics.Summary) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	number := func(name string, v *float64) {
		if v != nil {
			row(name, "%.4g", *v)
		}
	}
	distribution := func(name string, d metrics.Distribution) {
		row(name, "%.4g ± %.4g, median %.4g, range %.4g … %.4g, skewness %.2f", d.Mean, d.SD, d.Median, d.Min, d.Max, d.Skewness)
	}
	f := s.Facts
	kind := "undirected"
	if f.Directed {
		kind = "directed"
	}
	row("regions", "%d", f.Nodes)
	row("tracts", "%d (%s, %s)", f.EdgesOffdiag, kind, f.Kind)
	row("density", "%.4g", f.Density)
	row("reciprocity", "%.4g", f.Reciprocity)
	row("components", "%d weak, %d strong, largest %d regions", f.WeakComponents, s.StrongComponents, f.LargestComponent)
	distribution("degree", s.Degree)
	distribution("strength", s.Strength)
	distribution("weight", s.Weight)
	if s.Length != nil {
		distribution("length, mm", *s.Length)
	}
	row("strongest region", "%s", f.TopStrengthLabel)
	row("spectral radius", "%.6g", f.SpectralRadiusOffdiag)
	number("clustering", s.Clustering)
	number("clustering, weighted", s.WeightedClustering)
	number("path length", s.PathLength)
	number("path length, weighted", s.WeightedPathLength)
	number("diameter", s.Diameter)
	number("global efficiency", s.GlobalEfficiency)
	number("local efficiency", s.LocalEfficiency)
	if s.Modularity != nil {
		row("modularity", "%.4g (%d communities)", *s.Modularity, *s.Communities)
	}
	if s.SmallWorld != nil {
		row("small-worldness", "%.4g (γ %.4g, λ %.4g, against %d rewired graphs)", s.SmallWorld.Sigma, s.SmallWorld.Gamma, s.SmallWorld.Lambda, s.SmallWorld.Nulls)
	}
	if p := s.RichClubPeak; p != nil {
		row("rich club", "φ %.4g, %.4g of rewired graphs, above degree %d (%d regions)", p.Phi, p.Normalised, p.Degree, p.Regions)
	}
	for _, note := range s.Notes {
		row("note", "%s", note)
	}
	for _, skipped := range s.Skipped {
		row("not measured", "%s", strings.TrimSpace(skipped))
	}
	return t.Flush()
}

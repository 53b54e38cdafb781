package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
	"github.com/connectomewire/wire/connectome/metrics"
)

// Severity says how bad a finding is.
type Severity string

// An Error means that the file cannot mean what it says; a Warning that
// something is likely to mislead; Info is worth knowing.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Finding is one thing that was seen.
type Finding struct {
	Severity Severity `json:"severity"`
	// Code is a short stable name, for example "duplicate-labels".
	Code string `json:"code"`
	// Message says what was seen, with numbers and names.
	Message string `json:"message"`
	// Advice says what to do; it may be empty.
	Advice string `json:"advice,omitempty"`
}

// Diagnosis is everything that was found out about a connectome.
type Diagnosis struct {
	Name      string `json:"name"`
	Source    string `json:"source"`
	Synthetic bool   `json:"synthetic"`
	// Report is what the reader decided, nil for connectomes not read from a
	// file.
	Report   *connectome.Report `json:"report,omitempty"`
	Atlas    atlas.Match        `json:"atlas"`
	Findings []Finding          `json:"findings"`
	// Counts is the number of findings of each severity.
	Counts struct {
		Errors   int `json:"errors"`
		Warnings int `json:"warnings"`
		Infos    int `json:"infos"`
	} `json:"counts"`
	Facts   metrics.Facts    `json:"facts"`
	Summary *metrics.Summary `json:"summary,omitempty"`
}

// OK says whether there is no error among the findings.
func (d Diagnosis) OK() bool { return d.Counts.Errors == 0 }

// Options configures [Examine].
type Options struct {
	// Summary says whether to take the measures of [metrics.Summarise] too.
	Summary bool
	// Metrics configures them.
	Metrics metrics.Options
	// Accept lists codes of errors that count as warnings (see [Acceptable]).
	Accept []string
	// Quick estimates what would take long on large connectomes.
	Quick bool
}

// Examine makes every check on a connectome and the report of its reader
// ([connectome.Connectome.Report], which may be nil). The connectome is not
// changed; the examination annotates a copy by [atlas.Annotate].
func Examine(c *connectome.Connectome, o Options) Diagnosis {
	c = withOwnRegions(c)
	x := &examination{c: c, report: c.Report, match: atlas.Annotate(c)}
	switch {
	case o.Summary:
		s := metrics.Summarise(c, o.Metrics)
		x.summary, x.facts = &s, s.Facts
	case o.Quick:
		x.facts = quickFacts(c)
	default:
		x.facts = metrics.FactsOf(c)
	}
	if x.report == nil {
		x.report = &connectome.Report{}
	}
	x.format()
	x.orientation()
	x.labels()
	x.atlas()
	x.symmetry()
	x.weights()
	x.structure()
	x.lengths()
	x.positions()
	x.homologues()
	x.notes()
	x.accept(o.Accept)

	d := Diagnosis{Name: c.Name, Source: c.Source, Synthetic: c.Synthetic, Report: c.Report, Atlas: x.match, Findings: x.findings, Facts: x.facts, Summary: x.summary}
	for _, f := range d.Findings {
		switch f.Severity {
		case Error:
			d.Counts.Errors++
		case Warning:
			d.Counts.Warnings++
		default:
			d.Counts.Infos++
		}
	}
	return d
}

// withOwnRegions copies everything but the tracts, which are much and stay as
// they are.
func withOwnRegions(c *connectome.Connectome) *connectome.Connectome {
	d := *c
	d.Tracts = connectome.CSR{}
	own := d.Clone()
	own.Tracts = c.Tracts
	return own
}

// examination collects findings.
type examination struct {
	c        *connectome.Connectome
	report   *connectome.Report
	match    atlas.Match
	facts    metrics.Facts
	summary  *metrics.Summary // nil unless asked for
	findings []Finding
}

func (x *examination) add(s Severity, code, advice, format string, args ...any) {
	x.findings = append(x.findings, Finding{s, code, fmt.Sprintf(format, args...), advice})
}

func (x *examination) has(code string) bool {
	return slices.ContainsFunc(x.findings, func(f Finding) bool { return f.Code == code })
}

// notes adds the reader's own remarks that no check here has made already.
func (x *examination) notes() {
	for _, n := range x.report.Notes {
		if !x.has(n.Code) {
			x.findings = append(x.findings, Finding{Severity: Severity(n.Severity), Code: n.Code, Message: n.Text})
		}
	}
}

// some lists the first few of many names.
func some(names []string) string {
	return few{len(names), names[:min(len(names), maxNames)]}.String()
}

const maxNames = 5

// few counts faults and keeps the names of the first ones.
type few struct {
	n     int
	first []string
}

func (f *few) add(name func() string) {
	if f.n++; f.n <= maxNames {
		f.first = append(f.first, name())
	}
}

func (f few) String() string {
	text := strings.Join(f.first, ", ")
	if more := f.n - len(f.first); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// tract names a tract by its regions.
func (x *examination) tract(t connectome.Tract) string {
	return x.name(t.From) + " → " + x.name(t.To)
}

func (x *examination) name(i int) string {
	if l := x.c.Regions[i].Label; l != "" {
		return l
	}
	return fmt.Sprintf("region %d", i+1)
}

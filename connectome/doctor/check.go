package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/metrics"
)

// Acceptable are the codes of errors that a caller may accept, knowing what it
// does: what follows is then wrong in a way that is understood.
var Acceptable = []string{"axes", "infinite-weights"}

// Check makes the same checks as [Examine], for programs that go on to use the
// connectome: errors should stop them, warnings be shown. An error whose code
// is accepted is a warning; a code that is not [Acceptable] is refused. What
// takes long on large connectomes is left out.
func Check(c *connectome.Connectome, accept ...string) (errors, warnings []Finding, err error) {
	for _, code := range accept {
		if !slices.Contains(Acceptable, code) {
			return nil, nil, fmt.Errorf("%q is no error that can be accepted; these are: %s", code, strings.Join(Acceptable, ", "))
		}
	}
	for _, f := range Examine(c, Options{Accept: accept, Quick: true}).Findings {
		switch f.Severity {
		case Error:
			errors = append(errors, f)
		case Warning:
			warnings = append(warnings, f)
		}
	}
	return errors, warnings, nil
}

// String is the finding in one line.
func (f Finding) String() string {
	text := f.Code + ": " + f.Message
	if f.Advice != "" {
		text += "; " + f.Advice
	}
	return text
}

// quickFacts counts what the checks need, with an estimate of the spectral radius
// when that would take long.
func quickFacts(c *connectome.Connectome) metrics.Facts {
	f, _ := metrics.FactsWithin(c, 1e6)
	return f
}

// accept turns accepted errors into warnings.
func (x *examination) accept(codes []string) {
	for i := range x.findings {
		if f := &x.findings[i]; f.Severity == Error && slices.Contains(codes, f.Code) {
			f.Severity = Warning
			f.Message += " (accepted)"
		}
	}
}

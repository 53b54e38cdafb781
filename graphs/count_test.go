package graphs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/connectome/synthetic"
)

// TestDrawingCountsAsInspectionDoes: one connectome has one number of tracts,
// whoever says it.
func TestDrawingCountsAsInspectionDoes(t *testing.T) {
	for _, directed := range []bool{false, true} {
		c := synthetic.Default().Clone()
		c.Directed = directed
		f := metrics.FactsOf(c)
		want := fmt.Sprintf("%d regions · %s %sdirected tracts", f.Nodes, thousands(f.EdgesOffdiag), map[bool]string{false: "un"}[directed])
		if got := FromConnectome(c).Subtitle; !strings.HasPrefix(got, want) {
			t.Errorf("the drawing says %q, inspection %q", got, want)
		}
	}
}

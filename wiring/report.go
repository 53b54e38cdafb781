package wiring

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
)

// BuildReport says what [Build] did and why.
type BuildReport struct {
	Recipe, Connectome string
	Atlas              string // atlas recognised, for people
	Regions            int
	Tracts, Offered    int // kept, of those the connectome has
	Placed             []Placed
	// Parts say what each part does, for people.
	Parts []string
	// Delays counts tracts by delay in ticks; index 0 is empty.
	Delays []int
	// Params is the number of learned parameters.
	Params int
	// SpectralRadius of the untrained plan.
	SpectralRadius float64
	// Notes are decisions worth knowing, Warnings what may be wrong.
	Notes, Warnings []string
}

// Placed is a part of a recipe and where it went.
type Placed struct {
	Name   string // "image", "caption", "caption.feedback"
	Module string
	Region string
	Why    string
	// Ticks a signal needs from here to the nearest effector; −1 when
	// unreachable.
	Ticks int
}

// chosen reports the plan's tracts.
func (r *BuildReport) chosen(p *Plan, neighbours, estimated int, logarithmic bool) {
	r.Tracts = len(p.Tracts)
	r.Delays = make([]int, p.MaxDelay()+1)
	negative, unknown := 0, 0
	for _, t := range p.Tracts {
		r.Delays[t.Delay]++
		if t.Weight < 0 {
			negative++
		}
		if math.IsNaN(t.LengthMM) {
			unknown++
		}
	}
	if neighbours > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("the %d strongest incoming tracts of each region are kept", neighbours))
	}
	if logarithmic {
		r.Notes = append(r.Notes, fmt.Sprintf("weights are heavy-tailed (largest more than %d times the median): scaled as log(1 + w/median)", heavyTail))
	}
	if negative > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d kept tracts have negative weights; their magnitude counts, the sign is left to learning (a negative log streamline count is not inhibition)", negative))
	}
	if estimated > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d tract lengths are straight lines between region centres: the file gives none", estimated))
	}
	if unknown > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d kept tracts have neither length nor located ends: they take one tick", unknown))
	}
}

// reach reports how far everything that is placed lies from the effectors, and
// the regions that cannot matter to them.
func (r *BuildReport) reach(p *Plan) error {
	ticks := p.TicksTo(p.read()...)
	dead := 0
	for _, t := range ticks {
		if t < 0 {
			dead++
		}
	}
	if dead > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("%d regions have no chain of kept tracts to %s: what happens there cannot matter", dead, p.readNames()))
	}
	for i := range r.Placed {
		j, err := p.Index(r.Placed[i].Region)
		if err != nil {
			return err
		}
		r.Placed[i].Ticks = ticks[j]
	}
	return nil
}

// String is the report as a table for people.
func (r *BuildReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "recipe %s on %s\n", r.Recipe, r.Connectome)
	if r.Atlas != "" {
		fmt.Fprintf(&b, "atlas: %s\n", r.Atlas)
	}
	fmt.Fprintf(&b, "%d regions, %d of %d directed tracts, %d parameters, spectral radius %.3f\n", r.Regions, r.Tracts, r.Offered, r.Params, r.SpectralRadius)
	var delays []string
	for d, n := range r.Delays {
		if n > 0 {
			delays = append(delays, fmt.Sprintf("%d×%d", n, d))
		}
	}
	fmt.Fprintf(&b, "delays (tracts×ticks): %s\n", strings.Join(delays, " "))
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "what\tmodule\tregion\tticks to effector\twhy")
	for _, p := range r.Placed {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", p.Name, p.Module, p.Region, p.Ticks, p.Why)
	}
	w.Flush()
	for _, x := range r.Parts {
		b.WriteString("part " + x + "\n")
	}
	for _, n := range r.Notes {
		b.WriteString("note: " + n + "\n")
	}
	for _, n := range r.Warnings {
		b.WriteString("warning: " + n + "\n")
	}
	return b.String()
}

package atlas

import (
	"regexp"
	"strings"
)

// lausanne are the multi-scale subdivisions of the Desikan–Killiany atlas by
// the Connectome Mapper (Cammoun et al. 2012, J Neurosci Methods 203:386):
// every parcel's name followed by a number, `lh.bankssts_1`. Its subcortical
// subdivisions (`thalamus-Pulvinar`, `hippocampus-CA1`) follow the structure.
var lausanne = (&Atlas{
	Name:     "lausanne",
	Title:    "Lausanne (Connectome Mapper)",
	Species:  "human",
	Citation: "Cammoun et al. (2012), J Neurosci Methods 203:386-397",
	parcels:  rows(lausanneParcels()),
	rule:     subdivided,
}).index(desikan, subcortex)

// lausanneParcels are the parcels that the subdivisions belong to.
func lausanneParcels() string {
	var b strings.Builder
	for _, name := range desikan.Regions() {
		b.WriteString(name + " " + name + "\n")
	}
	return b.String()
}

var (
	parcelNumber = regexp.MustCompile(`^(.*[a-z])[-_. ]?(\d{1,3})$`)
	nucleusOf    = regexp.MustCompile(`^(thalamus|hippocampus|amygdala|brain-?stem|hypothalamus)[-_. ]+([a-z0-9][-_a-z0-9]*)$`)
)

func subdivided(label string) (Entry, bool) {
	for _, r := range readings(label) {
		if r.glued {
			break
		}
		if _, whole := subcortex.keys[squash(r.name)]; whole {
			break
		}
		for _, form := range []*regexp.Regexp{parcelNumber, nucleusOf} {
			m := form.FindStringSubmatch(r.name)
			if m == nil {
				continue
			}
			for _, base := range []*Atlas{desikan, subcortex} {
				if i, ok := base.keys[squash(m[1])]; ok && len(squash(m[1])) > 3 {
					e := base.parcels[i].entry(r.side)
					e.Name += "-" + strings.ReplaceAll(m[2], "_", "-")
					e.Canonical = canonicalName(e.Hemisphere, e.Name)
					return e, true
				}
			}
		}
	}
	return Entry{}, false
}

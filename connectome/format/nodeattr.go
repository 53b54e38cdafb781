package format

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Node attributes mean the same in every graph format; the names are those of
// braingraph.org and CMP (dn_…, misspelt fn_…), igraph (v_…), Gephi, and our
// own writers.

func sortStrings(s []string) { slices.Sort(s) }

func hasAttr(attrs []attr, name string) bool {
	return slices.ContainsFunc(attrs, func(a attr) bool { return a.name == name })
}

// fillDefault gives an attribute's default to the edges without it.
func (e *edgeTable) fillDefault(name, text string) {
	x, k := parseNumber([]byte(strings.TrimSpace(text)), false)
	if k != isNumber || len(e.from) == 0 {
		return
	}
	c := e.column(name)
	full := &column{text: c.text, example: c.example}
	at := 0
	for edge := range int32(len(e.from)) {
		if at < len(c.edge) && c.edge[at] == edge {
			full.set(edge, c.value[at])
			at++
			continue
		}
		full.set(edge, x)
	}
	e.columns[name] = full
}

// Attributes that name a region, best first. A numeric or repeated id is
// only used when there is nothing better.
var labelNames = []string{"dn_name", "label", "name", "region_name", "dn_label", "dn_fsname", "fn_fsname"}

// otherLabels are attributes that name regions where those of labelNames hold
// numbers only, best first, after those with "name" or "label" in their titles.
var otherLabels = []string{"region", "roi", "area", "structure", "parcel", "acronym", "abbreviation", "neuron", "cell"}

// labelAttribute chooses the attribute that names regions: the best of
// labelNames that all nodes have. One of numbers, such as igraph's running
// "name", loses against another attribute of different texts ("cell_name"), and
// against ids that are texts.
func labelAttribute(regions []connectome.Region, attrs [][]attr) string {
	type column struct {
		present, texts int
		values         map[string]bool
	}
	columns := map[string]*column{}
	for i := range regions {
		for _, a := range attrs[i] {
			if a.value == "" {
				continue
			}
			low := strings.ToLower(bareName(a.name))
			c := columns[low]
			if c == nil {
				c = &column{values: map[string]bool{}}
				columns[low] = c
			}
			c.present++
			c.values[a.value] = true
			if isWord(a.value) {
				c.texts++
			}
		}
	}
	numbers := ""
	for _, want := range labelNames {
		switch c := columns[want]; {
		case c == nil || c.present < len(regions):
		case c.texts > 0:
			return want
		case numbers == "":
			numbers = want
		}
	}
	if numbers == "" {
		return ""
	}
	var naming, others []string // those that tell all nodes apart
	for _, name := range sortedKeys(columns) {
		if c := columns[name]; c.texts < len(regions) || len(c.values) < len(regions) {
			continue
		}
		if strings.Contains(name, "name") || strings.Contains(name, "label") {
			naming = append(naming, name)
		}
		others = append(others, name)
	}
	if len(naming) > 0 {
		return naming[0]
	}
	for _, want := range otherLabels {
		if slices.Contains(others, want) {
			return want
		}
	}
	if len(others) == 1 {
		return others[0]
	}
	for i := range regions {
		if id := regions[i].Label; !isWord(id) || id == "n"+strconv.Itoa(i) {
			return numbers
		}
	}
	return ""
}

// nodeAttributes moves known attributes to the fields of their regions and
// keeps the others as text. Regions come with their ids as labels.
func (s *source) nodeAttributes(regions []connectome.Region, attrs [][]attr) {
	labelName := labelAttribute(regions, attrs)
	s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = "node ids", true, "every node bears its own label"
	if labelName != "" {
		s.rep.Labels = "node attribute " + labelName
	}
	for i := range regions {
		r := &regions[i]
		id := r.Label
		var pos [3]float64
		known := 0
		for _, a := range attrs[i] {
			name := bareName(a.name)
			low := strings.ToLower(name)
			if low == labelName && a.value != "" {
				r.Label = a.value
				continue
			}
			switch low {
			case "dn_position_x", "x", "pos_x", "position_x":
				known |= setCoordinate(&pos[0], a.value, 1)
			case "dn_position_y", "y", "pos_y", "position_y":
				known |= setCoordinate(&pos[1], a.value, 2)
			case "dn_position_z", "z", "pos_z", "position_z":
				known |= setCoordinate(&pos[2], a.value, 4)
			case "dn_position", "dn_centroid":
				if p, ok := parsePosition(a.value); ok {
					pos, known = p, 7
				} else {
					r.SetAttribute(name, a.value)
				}
			case "dn_hemisphere", "hemisphere", "hemi":
				if h := parseHemisphere(a.value); h != connectome.UnknownHemisphere {
					r.Hemisphere = h
					continue
				}
				r.SetAttribute(name, a.value)
			case "dn_lobe", "lobe":
				r.Lobe = a.value
			case "system":
				r.System = a.value
			case "canonical":
				r.Canonical = a.value
			default:
				r.SetAttribute(name, a.value)
			}
		}
		if known == 7 {
			r.Position, r.Located = pos, true
		}
		if r.Label != id && id != "n"+strconv.Itoa(i) {
			r.SetAttribute("id", id)
		}
	}
}

// bareName strips the prefix that igraph puts before vertex attributes when
// the file's keys have no attr.name of their own.
func bareName(name string) string { return strings.TrimPrefix(name, "v_") }

// parsePosition reads three numbers in any brackets: "(1.0, 2.0, 3.0)".
func parsePosition(text string) (p [3]float64, ok bool) {
	f := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("()[]{},; \t", r) })
	if len(f) != 3 {
		return p, false
	}
	known := 0
	for i := range p {
		known |= setCoordinate(&p[i], f[i], 1<<i)
	}
	return p, known == 7
}

func setCoordinate(p *float64, text string, bit int) int {
	x, k := parseNumber([]byte(strings.TrimSpace(text)), false)
	if k != isNumber || math.IsNaN(x) {
		return 0
	}
	*p = x
	return bit
}

// parseHemisphere reads the usual spellings of a side.
func parseHemisphere(text string) connectome.Hemisphere {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "left", "l", "lh", "left hemisphere":
		return connectome.Left
	case "right", "r", "rh", "right hemisphere":
		return connectome.Right
	case "midline", "m", "both", "bilateral", "center", "centre", "medial":
		return connectome.Midline
	}
	return connectome.UnknownHemisphere
}

// inferHemispheres sets the sides of regions when every label begins, or
// every label ends, with a sign of its side: R or L, as TVB files do.
func (s *source) inferHemispheres(regions []connectome.Region) {
	for _, r := range regions {
		if r.Hemisphere != connectome.UnknownHemisphere || r.Label == "" {
			return
		}
	}
	side := func(c byte) connectome.Hemisphere { return parseHemisphere(string(rune(c))) }
	for _, rule := range []struct {
		name string
		of   func(label string) connectome.Hemisphere
	}{
		{"begins", func(l string) connectome.Hemisphere { return side(l[0]) }},
		{"ends", func(l string) connectome.Hemisphere { return side(l[len(l)-1]) }},
	} {
		left, right, other := 0, 0, 0
		for _, r := range regions {
			switch rule.of(r.Label) {
			case connectome.Left:
				left++
			case connectome.Right:
				right++
			default:
				other++
			}
		}
		if other > 0 || left == 0 || right == 0 {
			continue
		}
		for i := range regions {
			regions[i].Hemisphere = rule.of(regions[i].Label)
		}
		s.rep.Infof("hemispheres-inferred", "%s", fmt.Sprintf("hemispheres are taken from the labels: each %s with L or R", rule.name))
		return
	}
}

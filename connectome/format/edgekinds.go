package format

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/plural"
)

// Edges of several kinds in one list: chemical synapses and gap junctions,
// transmitters, relations. All kinds are read and added unless the caller
// chooses; what each is and how often it occurs is reported.

// kindNames are titles of columns that say the kind of an edge.
var kindNames = []string{"type", "kind", "edge_type", "edge type", "synapse_type", "synapse type", "syn_type", "connection_type", "connection type", "conn_type", "relation", "interaction", "nt_type", "neurotransmitter", "transmitter", "synapse", "class"}

// Kinds of edges by what they mean, in lower case without marks.
var (
	electricalKinds = []string{"ej", "electrical", "electric", "gap", "gapjunction", "gapjunctions", "gj", "elec", "electricaljunction", "electricjunction", "electricalsynapse", "undirected"}
	chemicalKinds   = []string{"chemical", "chem", "c", "synapse", "chemicalsynapse", "directed", "send", "sendjoint"}
)

// neuronConnectKinds are those of WormAtlas's NeuronConnect (Varshney et al.
// 2011, PLoS Comput Biol 7:e1001066): a synapse sent (S) or sent to several
// (Sp), the same synapse seen by the receiver (R, Rp), a gap junction, which is
// listed from both sides (EJ), and a neuromuscular junction (NMJ), whose target
// is no neuron.
var neuronConnectKinds = []string{"s", "sp", "r", "rp", "ej", "nmj"}

// plainKind is a kind in lower case, letters and digits only.
func plainKind(kind string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(kind))
}

// kindColumn finds the column that says the kind of each edge.
func (s *source) kindColumn(c *edgeColumns, cols []columnSample, rows int) {
	free := func(j int) bool { return j >= 0 && j < len(cols) && j != c.from && j != c.to }
	if k := s.cfg.kinds; s.cfg.kindColumn == "" && len(k) == 1 && c.header && free(c.find(k[0])) {
		s.cfg.kindColumn, s.cfg.kinds = k[0], nil // --kind COLUMN only says which column it is
	}
	if want := s.cfg.kindColumn; want != "" {
		if j := c.find(want); free(j) {
			c.kind = j
		}
	}
	known := func(j int, vocabulary []string) bool {
		for v := range cols[j].values {
			if !slices.Contains(vocabulary, plainKind(v)) {
				return false
			}
		}
		return len(cols[j].values) > 0 && cols[j].texts > 0
	}
	pick := func(accept func(j int) bool) {
		for j := range cols {
			if c.kind < 0 && free(j) && cols[j].isText() && !isGephiType(&cols[j]) && accept(j) {
				c.kind = j
			}
		}
	}
	pick(func(j int) bool { return known(j, neuronConnectKinds) })
	pick(func(j int) bool { return known(j, append(slices.Clone(electricalKinds), chemicalKinds...)) })
	for _, name := range kindNames {
		pick(func(j int) bool { return strings.EqualFold(c.title(j), name) && len(cols[j].values) <= mostKinds })
	}
	if !c.header { // the only other text, when it takes few values
		var texts []int
		for j := range cols {
			if free(j) && cols[j].isText() {
				texts = append(texts, j)
			}
		}
		if len(texts) == 1 && len(cols[texts[0]].values) <= max(1, min(mostKinds, rows/2)) {
			pick(func(j int) bool { return j == texts[0] })
		}
	}
	c.senders = c.kind >= 0 && known(c.kind, neuronConnectKinds) && !(len(cols[c.kind].values) == 1 && c.header && !strings.EqualFold(c.title(c.kind), "type"))
}

// edgeKinds counts the kinds of a list's edges and keeps apart those that are
// not simply directed.
type edgeKinds struct {
	want     []string // kinds asked for, nil for all
	count    map[string]*connectome.EdgeKind
	order    []*connectome.EdgeKind
	received connectome.Builder // synapses as their receivers list them, turned round
	mutual   connectome.Builder // undirected edges
}

// maxCountedKinds bounds the kinds that are counted by name.
const maxCountedKinds = 1000

// of returns the kind of that name, nil when there are too many to count.
func (k *edgeKinds) of(name []byte) *connectome.EdgeKind {
	if e := k.count[string(name)]; e != nil {
		return e
	}
	if len(k.order) >= maxCountedKinds {
		return nil
	}
	e := &connectome.EdgeKind{Name: string(name)}
	k.count[e.Name] = e
	k.order = append(k.order, e)
	return e
}

func (k *edgeKinds) wanted(name []byte) bool {
	return k.want == nil || slices.ContainsFunc(k.want, func(w string) bool { return bytes.EqualFold([]byte(w), name) })
}

const (
	usedDirected   = "directed"
	usedUndirected = "undirected"
	usedReceived   = "the same synapses seen by their receivers"
	usedNoRegion   = "left out: the target is a muscle, not a region"
	usedNotAsked   = "left out: not asked for with --kind"
)

// use says what the edges of a kind mean.
func (k *edgeKinds) use(name []byte, senders bool) string {
	if !k.wanted(name) {
		return usedNotAsked
	}
	plain := plainKind(string(name))
	switch {
	case senders && plain == "nmj" && k.want == nil:
		return usedNoRegion
	case senders && (plain == "r" || plain == "rp"):
		return usedReceived
	case slices.Contains(electricalKinds, plain):
		return usedUndirected
	}
	return usedDirected
}

// join adds what was kept apart to the other edges of n regions.
func (k *edgeKinds) join(s *source, b *connectome.Builder, n int) {
	if k.received.Len() > 0 {
		if b.Len() == 0 {
			*b, k.received = k.received, connectome.Builder{}
		} else {
			k.joinReceived(s, b, n)
		}
	}
	s.addMutual(b, &k.mutual, n)
}

// joinReceived adds the synapses that only their receiver lists.
func (k *edgeKinds) joinReceived(s *source, b *connectome.Builder, n int) {
	sent, _ := b.Build(n, connectome.SumParallel)
	received, _ := k.received.Build(n, connectome.SumParallel)
	alone, differ := 0, 0
	for i := range n {
		eachPair(sent, received, i, func(j int32, ks, kr int) {
			switch {
			case ks < 0:
				alone++
				b.Add(i, int(j), received.Weight[kr], received.LengthAt(kr))
			default:
				b.Add(i, int(j), sent.Weight[ks], sent.LengthAt(ks))
				if kr >= 0 && received.Weight[kr] != sent.Weight[ks] {
					differ++
				}
			}
		})
	}
	if alone > 0 {
		s.rep.Infof("received-only", "%s listed by the receiver only and kept", plural.Count(alone, "tract is", "tracts are"))
	}
	if differ > 0 {
		s.rep.Infof("received-differs", "%s counted differently by sender and receiver; the sender's count is taken", plural.Count(differ, "tract is", "tracts are"))
	}
}

// report says which kinds there are and how to choose.
func (k *edgeKinds) report(s *source, title string) {
	if len(k.order) == 0 {
		return
	}
	slices.SortStableFunc(k.order, func(a, b *connectome.EdgeKind) int { return cmp.Compare(b.Edges, a.Edges) })
	var parts, used []string
	for i, e := range k.order {
		if i < mostKinds {
			s.rep.Kinds = append(s.rep.Kinds, *e)
			part := fmt.Sprintf("%s %d", e.Name, e.Edges)
			if e.Used != usedDirected {
				part += " (" + e.Used + ")"
			}
			parts = append(parts, part)
			if !strings.HasPrefix(e.Used, "left out") && e.Used != usedReceived {
				used = append(used, e.Name)
			}
		}
	}
	if len(k.order) > mostKinds {
		parts = append(parts, fmt.Sprintf("%d more", len(k.order)-mostKinds))
	}
	text := fmt.Sprintf("%s says the kind of each edge: %s", title, strings.Join(parts, ", "))
	switch {
	case k.want != nil:
		s.rep.Infof("edge-kinds", "%s", text)
	case len(used) > 1:
		s.rep.Warnf("edge-kinds", "%s; kinds are added together: choose with --kind, for example --kind %s", text, strings.Join(used[:min(len(used), 6)], ","))
	default:
		s.rep.Infof("edge-kinds", "%s", text)
	}
}

// pairCount counts the unordered pairs of a list: all, those listed from both
// sides, and those of them whose two weights differ.
type pairCount struct{ all, both, unequal int }

func pairsOf(m, t connectome.CSR) (p pairCount) {
	for i := range m.Regions() {
		eachPair(m, t, i, func(j int32, k, tk int) {
			if int(j) <= i {
				return
			}
			p.all++
			if k >= 0 && tk >= 0 {
				p.both++
				if !sameWeight(m.Weight[k], t.Weight[tk]) {
					p.unequal++
				}
			}
		})
	}
	return p
}

// sameWeight says whether two weights differ by rounding at most.
func sameWeight(a, b float64) bool {
	return math.Abs(a-b) <= relTolerance*max(math.Abs(a), math.Abs(b))
}

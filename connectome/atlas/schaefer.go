package atlas

import (
	"regexp"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// schaefer are the parcellations of Schaefer et al. (2018), Cereb Cortex
// 28:3095, at any resolution, whose labels carry one of the 7 or 17 networks
// of Yeo et al. (2011): `7Networks_LH_Default_PFC_2`,
// `17Networks_RH_VisCent_Striate_1`.
//
// The visual and the somatomotor parcels of the 7-network version are not
// told apart by their names. All of them can stand in for primary visual, or
// for primary motor and auditory cortex, but as a last choice; the 17-network
// version names striate and auditory parcels.
var schaefer = (&Atlas{
	Name:     "schaefer",
	Title:    "Schaefer",
	Species:  "human",
	Citation: "Schaefer et al. (2018), Cereb Cortex 28:3095-3114",
	rule:     yeoParcel,
}).index(desikan, subcortex)

var yeoLabel = regexp.MustCompile(`(?i)^(?:(?:7|17)networks_)?(lh|rh)_([a-z]+)_(?:([a-z0-9]+)_)?(\d+)$`)

// yeoNetworks maps a network's abbreviation, without the letter of its
// 17-network part, to its system and to what its parcels are when their names
// say no more.
var yeoNetworks = []struct {
	prefix, system, desikan, lobe string
	roles                         []Role
}{
	{"vis", "visual", "", "occipital", []Role{SecondaryVisual, VentralVisual, PrimaryVisual}},
	{"sommot", "somatomotor", "", "frontal", []Role{Somatosensory, PrimaryMotor, PrimaryAuditory}},
	{"dorsattn", "dorsal attention", "superiorparietal", "", nil},
	{"salventattn", "ventral attention", "insula", "", nil},
	{"limbic", "limbic", "lateralorbitofrontal", "", nil},
	{"cont", "control", "rostralmiddlefrontal", "", nil},
	{"default", "default", "superiorfrontal", "", nil},
	{"temppar", "default", "superiortemporal", "", nil},
}

// yeoParts maps the anatomical part of a label to a parcel, longest match
// of a prefix first.
var yeoParts = rows(`
	striate     pericalcarine
	strical     pericalcarine
	exstrinf    lingual              ; secondary visual, ventral visual
	exstrsup    cuneus               ; secondary visual, dorsal visual
	exstr       lateraloccipital     ; secondary visual, ventral visual
	aud         transversetemporal   ; primary auditory, auditory association
	s2          supramarginal        ; somatosensory
	cent        postcentral          ; somatosensory, primary motor
	fef         caudalmiddlefrontal  ; frontal eye field, premotor
	prcv        precentral           ; premotor
	prcd        precentral           ; premotor
	prc         precentral           ; premotor
	paroper     supramarginal        ; somatosensory, multimodal association
	froperins   insula
	froper      parsopercularis
	ins         insula
	tempoccpar  bankssts             ; multimodal association, language
	tempocc     lateraloccipital     ; visual motion, ventral visual
	temppole    temporalpole
	temppar     superiortemporal
	anttemp     temporalpole
	temp        middletemporal
	parocc      superiorparietal     ; dorsal visual
	parmed      posteriorcingulate
	par         inferiorparietal
	ipl         inferiorparietal
	ips         superiorparietal
	spl         superiorparietal
	post        superiorparietal
	pcunpcc     posteriorcingulate
	pcun        precuneus
	pcc         posteriorcingulate
	rsp         isthmuscingulate
	phc         parahippocampal
	cinga       caudalanteriorcingulate
	cingm       posteriorcingulate
	cingp       posteriorcingulate
	cing        posteriorcingulate
	ofc         lateralorbitofrontal
	pfclv       parstriangularis     ; prefrontal
	pfcl        rostralmiddlefrontal
	pfcv        parstriangularis     ; broca, prefrontal, language
	pfcmp       superiorfrontal
	pfcm        medialorbitofrontal  ; prefrontal
	pfcd        superiorfrontal
	pfc         superiorfrontal
	frmed       superiorfrontal      ; premotor
	fpole       frontalpole
	med         caudalanteriorcingulate
`)

func init() {
	for i := range yeoParts {
		yeoParts[i].inherit([]*Atlas{desikan, subcortex})
	}
}

func yeoParcel(label string) (Entry, bool) {
	m := yeoLabel.FindStringSubmatch(strings.TrimSpace(label))
	if m == nil {
		return Entry{}, false
	}
	side := connectome.Left
	if strings.EqualFold(m[1], "rh") {
		side = connectome.Right
	}
	network, part := strings.ToLower(m[2]), strings.ToLower(m[3])
	for _, n := range yeoNetworks {
		if !strings.HasPrefix(network, n.prefix) || len(network) > len(n.prefix)+1 && n.prefix != "vis" {
			continue
		}
		p := parcel{desikan: n.desikan, lobe: n.lobe, roles: n.roles}
		best := 0
		for _, q := range yeoParts {
			if strings.HasPrefix(part, q.name) && len(q.name) > best {
				p, best = q, len(q.name)
			}
		}
		if best == 0 && p.desikan != "" {
			p.inherit([]*Atlas{desikan, subcortex})
		}
		p.system = n.system
		p.name = network
		if part != "" {
			p.name += "-" + part
		}
		p.name += "-" + m[4]
		return p.entry(side), true
	}
	return Entry{}, false
}

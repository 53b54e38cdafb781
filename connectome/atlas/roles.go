package atlas

import (
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/internal/edit"
)

// Role is what a region does, in the words a recipe uses.
type Role string

// The roles. Broca and Wernicke exist only on the left (or where the side is
// unknown); their right-hand counterparts carry LanguageHomologue.
const (
	PrimaryVisual       Role = "primary visual"
	SecondaryVisual     Role = "secondary visual"
	VentralVisual       Role = "ventral visual"
	DorsalVisual        Role = "dorsal visual"
	VisualMotion        Role = "visual motion"
	PrimaryAuditory     Role = "primary auditory"
	AuditoryAssociation Role = "auditory association"
	Wernicke            Role = "wernicke"
	Broca               Role = "broca"
	Language            Role = "language"
	LanguageHomologue   Role = "language homologue"
	Semantic            Role = "semantic"
	Multimodal          Role = "multimodal association"
	Somatosensory       Role = "somatosensory"
	PrimaryMotor        Role = "primary motor"
	Premotor            Role = "premotor"
	Prefrontal          Role = "prefrontal"
	Orbitofrontal       Role = "orbitofrontal"
	AnteriorCingulate   Role = "anterior cingulate"
	PosteriorCingulate  Role = "posterior cingulate"
	Insular             Role = "insula"
	Attention           Role = "attention"
	EyeField            Role = "frontal eye field"
	Memory              Role = "memory"
	Hippocampus         Role = "hippocampus"
	Amygdala            Role = "amygdala"
	Thalamus            Role = "thalamus"
	Striatum            Role = "striatum"
	Pallidum            Role = "pallidum"
	Accumbens           Role = "accumbens"
	Hypothalamus        Role = "hypothalamus"
	Olfactory           Role = "olfactory"
	BrainStem           Role = "brain stem"
	Cerebellum          Role = "cerebellum"
)

// roleNames lists every role with the other names people use for it,
// normalised as [squash] does.
var roleNames = []struct {
	role    Role
	aliases string
}{
	{PrimaryVisual, "v1 striatecortex primaryvisualarea calcarine ba17"},
	{SecondaryVisual, "v2 visualassociation extrastriate secondaryvisualarea"},
	{VentralVisual, "ventralstream whatpathway inferotemporal it objectrecognition"},
	{DorsalVisual, "dorsalstream wherepathway"},
	{VisualMotion, "mt v5 mst"},
	{PrimaryAuditory, "a1 heschl heschls primaryauditoryarea ba41"},
	{AuditoryAssociation, "a2 secondaryauditory auditorybelt belt"},
	{Wernicke, "wernickes"},
	{Broca, "brocas ba44 ba45"},
	{Language, "speech"},
	{LanguageHomologue, "rightlanguage"},
	{Semantic, "semantichub anteriortemporal temporalpole"},
	{Multimodal, "multimodal multisensory angular temporoparietal heteromodal"},
	{Somatosensory, "s1 primarysomatosensory touch"},
	{PrimaryMotor, "m1 motor"},
	{Premotor, "pmc supplementarymotor sma"},
	{Prefrontal, "pfc dlpfc dorsolateralprefrontal"},
	{Orbitofrontal, "ofc"},
	{AnteriorCingulate, "acc"},
	{PosteriorCingulate, "pcc"},
	{Insular, "insular"},
	{Attention, "dorsalattention"},
	{EyeField, "fef"},
	{Memory, "medialtemporal episodicmemory"},
	{Hippocampus, "hippocampal hippocampalformation hc"},
	{Amygdala, "amygdaloid"},
	{Thalamus, "thalamic"},
	{Striatum, "caudate putamen basalganglia"},
	{Pallidum, "globuspallidus gp"},
	{Accumbens, "nucleusaccumbens ventralstriatum"},
	{Hypothalamus, "hypothalamic"},
	{Olfactory, "piriform smell"},
	{BrainStem, "brainstem midbrain pons medulla"},
	{Cerebellum, "cerebellar"},
}

// Roles returns every role, senses first, in a fixed order.
func Roles() []Role {
	roles := make([]Role, len(roleNames))
	for i, r := range roleNames {
		roles[i] = r.role
	}
	return roles
}

// Lookup returns the role meant by a name as people write it: "primary visual
// cortex", "Broca's area", "V1" and "primary visual" are all understood. The
// error of an unknown name suggests the nearest role.
func Lookup(name string) (Role, error) {
	key := squash(name)
	for _, suffix := range []string{"cortex", "area", "region", "role", "nucleus"} {
		key = strings.TrimSuffix(key, suffix)
	}
	best, distance := Role(""), 1<<30
	for _, r := range roleNames {
		own := squash(string(r.role))
		if key == own || slices.Contains(strings.Fields(r.aliases), key) {
			return r.role, nil
		}
		if d := edit.Distance(key, own); d < distance {
			best, distance = r.role, d
		}
	}
	if key != "" && distance <= 1+len(key)/3 {
		return "", fmt.Errorf("no role %q; did you mean %q?", name, best)
	}
	return "", fmt.Errorf("no role %q; the roles are: %s", name, joinRoles(Roles()))
}

// RegionsWithRole returns the regions of an annotated connectome that have
// the role, most typical first: those that name it earliest among their
// roles, the left hemisphere before the right, then in the connectome's order.
// It returns nil when no region has it, and for a connectome that
// [Annotate] did not recognise.
func RegionsWithRole(c *connectome.Connectome, role Role) []int {
	type candidate struct{ region, rank, side int }
	var found []candidate
	for i, r := range c.Regions {
		if rank := slices.Index(r.Roles, string(role)); rank >= 0 {
			side := 0
			if r.Hemisphere == connectome.Right {
				side = 1
			}
			found = append(found, candidate{i, rank, side})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return a.side - b.side
	})
	var regions []int
	for _, f := range found {
		regions = append(regions, f.region)
	}
	return regions
}

func joinRoles(roles []Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

package atlas

import (
	"slices"
	"strings"
)

// atlases are tried in this order; on a tie the earlier one wins.
var atlases = []*Atlas{desikan, destrieux, aal, schaefer, glasser, lausanne, brodmann, regionalMap, macaque, mouse}

// rows parses a table of parcels, one a line:
//
//	name desikan ; role, role ; alias alias
//
// The name is the canonical one; desikan is the nearest Desikan–Killiany or
// subcortical name, or "-". Roles, if given, replace those of that parcel.
// A mistake panics when the package starts.
func rows(table string) []parcel {
	var out []parcel
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		parts := strings.Split(line, ";")
		words := strings.Fields(parts[0])
		if len(words) != 2 || len(parts) > 3 {
			panic("atlas table: " + line)
		}
		p := parcel{name: words[0], desikan: words[1]}
		if p.desikan == "-" {
			p.desikan = ""
		}
		if len(parts) > 1 && strings.TrimSpace(parts[1]) != "" {
			p.roles = roleList(parts[1])
		}
		if len(parts) > 2 {
			p.aliases = parts[2]
		}
		out = append(out, p)
	}
	return out
}

func roleList(text string) []Role {
	var roles []Role
	for name := range strings.SplitSeq(text, ",") {
		role := Role(strings.TrimSpace(name))
		if !slices.Contains(Roles(), role) {
			panic("atlas table: no role " + name)
		}
		roles = append(roles, role)
	}
	return roles
}

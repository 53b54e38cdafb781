package format

import (
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// BrainNet Viewer (Xia, Wang & He, 2013): a matrix in a .edge file, and in a
// .node file one region a line: x y z colour size label.

// isNodeTable recognises the lines of a .node file.
func isNodeTable(rows [][]string) bool {
	if len(rows) < 2 {
		return false
	}
	for _, r := range rows {
		if len(r) != 6 {
			return false
		}
		for _, f := range r[:5] {
			if _, k := parseNumber([]byte(f), false); k != isNumber {
				return false
			}
		}
		if _, k := parseNumber([]byte(r[5]), false); k == isNumber {
			return false
		}
	}
	return true
}

func (s *source) readBrainNet(delim byte) (*connectome.Connectome, error) {
	c, err := s.denseConnectome(delim, "BrainNet Viewer")
	if err != nil {
		return nil, err
	}
	if s.cfg.labels != "" || s.member != "" {
		return c, s.joinLabels(c)
	}
	path, how := s.nodeFile(len(c.Regions))
	if path == "" {
		return c, s.joinLabels(c)
	}
	regions, err := s.readLabelFile(path, len(c.Regions))
	if err != nil {
		return nil, err
	}
	for i := range regions {
		mergeRegion(&c.Regions[i], &regions[i])
	}
	s.rep.Files = append(s.rep.Files, filepath.Base(path))
	s.rep.Labels, s.rep.LabelOrderProven = path, false
	s.rep.LabelHow = how + "; line i of a .node file is row i of the .edge file"
	s.noteDuplicateLabels(c.Regions)
	return c, nil
}

// nodeFile looks for the .node file of an .edge file: the same name; the name
// with Edge for Node; the longest such name; or the only one in the folder
// with the right number of regions.
func (s *source) nodeFile(n int) (path, how string) {
	dir, base := filepath.Split(s.path)
	name := strings.TrimSuffix(base, filepath.Ext(base))
	all, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.node"))
	if err != nil || len(all) == 0 {
		return "", ""
	}
	sort.Strings(all)
	swap := strings.NewReplacer("Edge", "Node", "edge", "node").Replace(name)
	best := ""
	for _, p := range all {
		have := strings.TrimSuffix(filepath.Base(p), filepath.Ext(p))
		if (strings.HasPrefix(swap, have) || strings.HasPrefix(name, have)) && len(have) > len(best) {
			best, path = have, p
		}
	}
	if path != "" {
		return path, "found beside the matrix by its name"
	}
	for _, p := range all {
		if _, err := s.readLabelFile(p, n); err == nil {
			if path != "" {
				return "", ""
			}
			path = p
		}
	}
	return path, "the only .node file beside the matrix with as many regions"
}

// escapeGlob protects a folder's name from being taken as a pattern.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// readBrainNetNodes reads the .edge file that belongs to a .node file.
func (s *source) readBrainNetNodes() (*connectome.Connectome, error) {
	advice := "name the .edge file, or pass this one with --labels beside a matrix"
	if s.member != "" {
		return nil, s.failf(ErrFormat, 0, 0, advice, "a BrainNet .node file holds regions, not tracts")
	}
	dir, base := filepath.Split(s.path)
	name := strings.TrimSuffix(base, filepath.Ext(base))
	swap := strings.NewReplacer("Node", "Edge", "node", "edge").Replace(name)
	for _, n := range []string{name, swap} {
		p := filepath.Join(dir, n+".edge")
		if _, err := os.Stat(p); err == nil {
			cfg := *s.cfg
			cfg.labels = s.path
			e := fileSource(p, &cfg, s.rep)
			s.rep.Files = []string{filepath.Base(p)}
			return e.read()
		}
	}
	return nil, s.failf(ErrFormat, 0, 0, advice, "a BrainNet .node file holds regions, not tracts, and no %s.edge is beside it", swap)
}

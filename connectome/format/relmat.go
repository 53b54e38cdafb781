package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// BIDS relationship matrices (BEP017, draft): …_relmat.tsv with a JSON
// sidecar beside it or further up in the data set. Where the two disagree the
// data count, and the report says so.

func isRelmat(s *source) bool {
	return strings.HasSuffix(strings.ToLower(stem(s.name)), "_relmat")
}

// relmatSidecar holds the keys of the drafts seen, found without regard to
// case.
type relmatSidecar struct {
	measure, units, storage                   string
	weighted, directed, diagonal, nonNegative *bool
	nodeFiles                                 []string
}

func (s *source) readRelmat(delim byte) (*connectome.Connectome, error) {
	side, path, err := s.relmatSidecar()
	if err != nil {
		return nil, err
	}
	if side != nil && side.storage != "" && !strings.EqualFold(side.storage, "full") {
		return nil, &ParseError{Path: path, Err: fmt.Errorf("%w: StorageFormat %q", ErrUnsupported, side.storage),
			Advice: "only the full matrix (StorageFormat: Full) is known from real files; write it so"}
	}
	if side != nil && side.directed != nil && *side.directed {
		cfg := *s.cfg // one triangle may be all there is
		cfg.triangles = true
		s.cfg = &cfg
	}
	c, err := s.denseConnectome(delim, "BIDS relmat")
	if err != nil {
		return nil, err
	}
	if side != nil {
		s.rep.Files = append(s.rep.Files, filepath.Base(path))
		side.compare(s, c, filepath.Base(path))
	} else {
		s.rep.Warnf("no-sidecar", "no JSON sidecar beside the matrix or above it: the measure is not known")
	}
	return c, s.joinLabels(c)
}

// readRelmatJSON reads the matrix that belongs to a sidecar.
func (s *source) readRelmatJSON() (*connectome.Connectome, error) {
	base := strings.TrimSuffix(s.path, filepath.Ext(s.path))
	for _, ext := range []string{".tsv", ".tsv.gz"} {
		if _, err := os.Stat(base + ext); err == nil {
			t := fileSource(base+ext, s.cfg, s.rep)
			s.rep.Files = []string{filepath.Base(base + ext)}
			return t.read()
		}
	}
	return nil, s.failf(ErrFormat, 0, 0, "name the matrix itself", "the sidecar of a relationship matrix, and no %s.tsv is beside it", filepath.Base(base))
}

// relmatSidecar finds the sidecar: the same name, or by BIDS's inheritance
// the closest _relmat.json further up whose entities the matrix has too.
func (s *source) relmatSidecar() (*relmatSidecar, string, error) {
	if s.member != "" {
		return nil, "", nil
	}
	path, err := filepath.Abs(s.path)
	if err != nil {
		return nil, "", err
	}
	dir, base := filepath.Split(path)
	entities := strings.Split(stem(base), "_")
	for up := 0; up < 6; up++ {
		all, err := filepath.Glob(filepath.Join(escapeGlob(filepath.Clean(dir)), "*relmat.json"))
		if err != nil {
			return nil, "", err
		}
		slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // the most specific first
		for _, p := range all {
			fits := true
			for _, e := range strings.Split(stem(filepath.Base(p)), "_") {
				fits = fits && slices.Contains(entities, e)
			}
			if fits {
				side, err := readRelmatSidecar(p)
				return side, p, err
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "dataset_description.json")); err == nil {
			break // the root of the data set
		}
		parent := filepath.Dir(filepath.Clean(dir))
		if parent == filepath.Clean(dir) {
			break
		}
		dir = parent
	}
	return nil, "", nil
}

// maxSidecar bounds a JSON sidecar, which is a page of text.
const maxSidecar = 16 << 20

func readRelmatSidecar(path string) (*relmatSidecar, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if fi.Size() > maxSidecar {
		return nil, &ParseError{Path: path, Err: fmt.Errorf("%w: a sidecar of %d bytes", ErrTooLarge, fi.Size()), Advice: adviceFor(ErrTooLarge)}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseRelmatSidecar(path, data)
}

func parseRelmatSidecar(path string, data []byte) (*relmatSidecar, error) {
	var raw map[string]any
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, jsonError(path, data, err)
	}
	side := &relmatSidecar{}
	keys := make([]string, 0, len(raw))
	for k := range raw {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		text := fmt.Sprint(raw[k])
		switch strings.ToLower(k) {
		case "relationshipmeasure", "measure":
			side.measure = text
		case "measureunits", "units":
			side.units = text
		case "storageformat":
			side.storage = text
		case "weighted":
			side.weighted = jsonBool(raw[k])
		case "directed":
			side.directed = jsonBool(raw[k])
		case "validdiagonal":
			side.diagonal = jsonBool(raw[k])
		case "nonnegative":
			side.nonNegative = jsonBool(raw[k])
		case "nodefiles", "nodefile", "nodeindicesfile", "nodeindicesfiles":
			if list, ok := raw[k].([]any); ok {
				for _, f := range list {
					side.nodeFiles = append(side.nodeFiles, fmt.Sprint(f))
				}
			} else {
				side.nodeFiles = append(side.nodeFiles, text)
			}
		}
	}
	return side, nil
}

// jsonBool reads true, "true" and 1.
func jsonBool(v any) *bool {
	var b bool
	switch x := v.(type) {
	case bool:
		b = x
	case string:
		switch strings.ToLower(x) {
		case "true", "yes", "1":
			b = true
		case "false", "no", "0":
		default:
			return nil
		}
	case float64:
		b = x != 0
	default:
		return nil
	}
	return &b
}

// jsonError locates an error of encoding/json.
func jsonError(path string, data []byte, err error) error {
	offset := int64(len(data))
	var se *json.SyntaxError
	var te *json.UnmarshalTypeError
	switch {
	case errors.As(err, &se):
		offset = se.Offset
	case errors.As(err, &te):
		offset = te.Offset
	}
	line, column := 1, 1
	for _, b := range data[:min(max(offset-1, 0), int64(len(data)))] {
		column++
		if b == '\n' {
			line, column = line+1, 1
		}
	}
	return &ParseError{Path: path, Line: line, Column: column, Err: fmt.Errorf("%w: %v", ErrSyntax, err), Advice: adviceFor(ErrSyntax)}
}

// compare records what the sidecar adds, and where the data contradict it.
func (side *relmatSidecar) compare(s *source, c *connectome.Connectome, name string) {
	contradict := func(key, format string, args ...any) {
		s.rep.Warnf("sidecar-contradiction", "%s says %s, but %s; the data count", name, key, fmt.Sprintf(format, args...))
	}
	if side.measure != "" {
		s.rep.Weight = side.measure
		if side.units != "" {
			s.rep.Weight += " (" + side.units + ")"
		}
	}
	negative, other := 0, 0
	for _, w := range c.Tracts.Weight {
		if w < 0 {
			negative++
		}
		if w != 1 {
			other++
		}
	}
	if d := side.directed; d != nil {
		if *d && !c.Directed && c.Tracts.Len() > s.rep.SelfLoops {
			contradict("Directed: true", "every tract equals its opposite")
		}
		if !*d && c.Directed {
			contradict("Directed: false", "tracts differ from their opposites by up to %.4g", s.rep.MaxAsymmetry)
		}
	}
	if d := side.diagonal; d != nil && !*d && s.rep.SelfLoops > 0 {
		contradict("ValidDiagonal: false", "%d entries of the diagonal are not zero", s.rep.SelfLoops)
	}
	if d := side.nonNegative; d != nil && *d && negative > 0 {
		contradict("NonNegative: true", "%d weights are negative", negative)
	}
	if d := side.weighted; d != nil && !*d && other > 0 {
		contradict("Weighted: false", "%d weights differ from 1", other)
	}
	if d := side.weighted; d != nil && *d && other == 0 && c.Tracts.Len() > 0 {
		contradict("Weighted: true", "every weight is 1")
	}
	for _, f := range side.nodeFiles {
		s.rep.Infof("node-files", "the sidecar names %s as the description of the nodes", f)
	}
}

package format

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// The Virtual Brain's connectivity: a zip (or folder) of text files found by
// a token in their names, weights[to, from].

// members lists what an archive or folder holds: sources by name, without
// resource forks, hidden and private files.
type members []*source

// readZip looks at what the archive holds: TVB's text files, NumPy arrays, or
// one file of another format.
func (s *source) readZip() (*connectome.Connectome, error) {
	if s.nested >= maxNested {
		return nil, s.failf(ErrUnsupported, 0, 0, "unpack it first", "archives in archives")
	}
	zr, closer, err := s.zipReader()
	if err != nil {
		return nil, err
	}
	defer closer()
	var all members
	left := s.cfg.maxBytes // shared by all members, each opened anew
	for _, f := range zr.File {
		name := strings.ReplaceAll(f.Name, `\`, "/")
		if !filepath.IsLocal(strings.TrimSuffix(name, "/")) {
			return nil, s.failf(ErrUnsafeName, 0, 0, "the archive may be malicious; do not unpack it", "%q points outside the archive", f.Name)
		}
		if f.FileInfo().IsDir() || skipMember(name) {
			continue
		}
		m := *s
		m.member = name
		m.name = path.Base(name)
		m.nested++
		m.open = func() (io.ReadCloser, error) {
			r, err := f.Open()
			if err != nil {
				return nil, m.fail(0, 0, fmt.Errorf("%w: %v", ErrCorrupt, err), "fetch the archive again")
			}
			return &boundedReader{r: r, c: r, left: left}, nil
		}
		all = append(all, &m)
	}
	return s.readMembers(all)
}

// zipReader opens the archive, from disk without reading it whole when it is
// a plain file.
func (s *source) zipReader() (*zip.Reader, func(), error) {
	advice := "fetch the archive again"
	f, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	if file, ok := f.(*os.File); ok {
		fi, err := file.Stat()
		if err != nil {
			file.Close()
			return nil, nil, err
		}
		zr, err := zip.NewReader(file, fi.Size())
		if err != nil {
			file.Close()
			return nil, nil, s.fail(0, 0, fmt.Errorf("%w: %v", ErrCorrupt, err), advice)
		}
		return zr, func() { file.Close() }, nil
	}
	f.Close()
	data, err := s.all()
	if err != nil {
		return nil, nil, err
	}
	zr, err := zip.NewReader(strings.NewReader(string(data)), int64(len(data)))
	if err != nil {
		return nil, nil, s.fail(0, 0, fmt.Errorf("%w: %v", ErrCorrupt, err), advice)
	}
	return zr, func() {}, nil
}

func skipMember(name string) bool {
	if strings.HasPrefix(name, "__MACOSX/") || strings.Contains(name, "/__MACOSX/") {
		return true
	}
	base := path.Base(name)
	return strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")
}

// readFolder reads a folder in TVB's layout. Symbolic links are not followed
// out of it.
func (s *source) readFolder() (*connectome.Connectome, error) {
	var all members
	err := filepath.WalkDir(s.path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.path, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel != "." && skipMember(rel) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			if d.IsDir() && strings.Count(rel, "/") >= 3 {
				return fs.SkipDir
			}
			return nil
		}
		if len(all) >= 10000 {
			return s.failf(ErrTooLarge, 0, 0, "name the folder of one connectome", "more than 10000 files")
		}
		m := *s
		m.member, m.name = rel, d.Name()
		m.open = func() (io.ReadCloser, error) { return os.Open(p) }
		all = append(all, &m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.readMembers(all)
}

// readMembers chooses a reader by what is there.
func (s *source) readMembers(all members) (*connectome.Connectome, error) {
	if len(all) == 0 {
		return nil, s.fail(0, 0, fmt.Errorf("%w: no files inside", ErrEmpty), "")
	}
	if all.isNPZ() {
		return s.readNPZ(all)
	}
	if slices.ContainsFunc(all, func(m *source) bool { return m.member == "xl/workbook.xml" }) {
		return s.readExcel()
	}
	if w := all.find("weight"); len(w) > 0 {
		return s.readTVB(all)
	}
	var data members
	for _, m := range all {
		switch base := strings.ToLower(m.name); {
		case base == "[content_types].xml":
			return nil, s.failf(ErrUnsupported, 0, 0, "save the sheet as CSV or .xlsx", "another document of Office")
		case strings.HasPrefix(base, "readme"), strings.HasPrefix(base, "license"), strings.HasPrefix(base, "info"):
		default:
			data = append(data, m)
		}
	}
	if s.cfg.variable != "" {
		for _, m := range data {
			if m.member == s.cfg.variable || m.name == s.cfg.variable {
				m.labels = data.labelFile()
				return m.read()
			}
		}
	}
	data = data.withLabels()
	if len(data) == 1 {
		return data[0].read()
	}
	if len(data) == 0 {
		return nil, s.failf(ErrFormat, 0, 0, "a TVB archive has a member named weights.txt", "no member is a connectome")
	}
	err := &AmbiguousError{Path: s.path, What: "member", Option: "WithVar", Flag: "--var"}
	for _, m := range data {
		err.Candidates = append(err.Candidates, Candidate{Name: m.member})
	}
	return nil, err
}

// labelFile is the only member that is named as lists of labels are; nil when
// there is none, or several.
func (all members) labelFile() *source {
	var found *source
	for _, m := range all {
		if !isLabelFile(m.name) {
			continue
		}
		if found != nil {
			return nil
		}
		found = m
	}
	return found
}

// withLabels returns the members without the file of labels, which the others
// then take their labels from.
func (all members) withLabels() members {
	labels := all.labelFile()
	if labels == nil || len(all) < 2 {
		return all
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(m *source) bool { return m == labels })
	for _, m := range rest {
		m.labels = labels
	}
	return rest
}

// find returns the members whose base name holds the token, those that begin
// with it before others.
func (all members) find(tokens ...string) members {
	var begin, hold members
	for _, m := range all {
		low := strings.ToLower(m.name)
		switch ext := path.Ext(strings.TrimSuffix(strings.TrimSuffix(low, ".bz2"), ".gz")); ext {
		case ".txt", ".csv", ".tsv", ".dat", "":
		default:
			continue
		}
		for _, t := range tokens {
			if strings.HasPrefix(low, t) {
				begin = append(begin, m)
				break
			}
			if strings.Contains(low, t) {
				hold = append(hold, m)
				break
			}
		}
	}
	return append(begin, hold...)
}

// one returns the only member for a token: the shortest name where several
// share it, or an error that lists them.
func (s *source) one(found members, what string) (*source, error) {
	if len(found) == 0 {
		return nil, nil
	}
	if s.cfg.variable != "" {
		for _, m := range found {
			if m.member == s.cfg.variable || m.name == s.cfg.variable {
				return m, nil
			}
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	plain := map[string]bool{}
	var best *source
	for _, m := range found {
		bare := strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(m.member), ".bz2"), ".gz")
		if !plain[bare] {
			plain[bare] = true
			best = m
		}
	}
	if len(plain) == 1 { // weights.txt beside weights.txt.bz2
		return best, nil
	}
	for _, name := range standardMembers { // weights.txt beside weights_log.txt
		for _, m := range found {
			if bare, _, _ := strings.Cut(strings.ToLower(m.name), "."); bare == name {
				s.rep.Warnf("several-members", "%d members could be the %s; %s, which has TVB's own name, is used (choose another with --var)", len(found), what, m.member)
				return m, nil
			}
		}
	}
	err := &AmbiguousError{Path: s.path, What: what, Option: "WithVar", Flag: "--var"}
	for _, m := range found {
		err.Candidates = append(err.Candidates, Candidate{Name: m.member})
	}
	return nil, err
}

// standardMembers are the names that TVB itself writes.
var standardMembers = []string{"weights", "weight", "tract_lengths", "tract"}

func (s *source) readTVB(all members) (*connectome.Connectome, error) {
	s.rep.Format = "TVB zip"
	if fi, err := os.Stat(s.path); err == nil && fi.IsDir() {
		s.rep.Format = "TVB folder"
	}
	s.rep.Files = nil
	wm, err := s.one(all.find("weight"), "weights")
	if err != nil {
		return nil, err
	}
	w, err := wm.tvbMatrix(denseOptions{})
	if err != nil {
		return nil, err
	}
	n := w.n
	var lengths *matrix
	tracts := all.find("tract")
	if len(tracts) > 0 {
		lm, err := s.one(tracts, "tract lengths")
		if err != nil {
			return nil, err
		}
		if head, err := lm.textOfMember(); err != nil {
			return nil, err
		} else if strings.TrimSpace(string(head)) == "" {
			s.rep.Warnf("empty-lengths", "%s is empty: tract lengths are unknown", lm.member)
		} else {
			l, err := lm.tvbMatrix(denseOptions{keepNaN: true, n: n})
			if err != nil {
				return nil, err
			}
			lengths = l.matrix
			s.rep.Length = lm.member
		}
	}
	c := s.finishMatrix(w.matrix, lengths, connectome.RowsTarget, "TVB's convention: weights[to, from]")
	if err := s.tvbCentres(all, c); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		token   string
		columns int
		set     func(r *connectome.Region, row []float64)
	}{
		{"orientation", 3, func(r *connectome.Region, row []float64) {
			r.SetAttribute("orientation", formatFloats(row[:3]))
		}},
		{"area", 1, func(r *connectome.Region, row []float64) { r.SetAttribute("area_mm2", formatFloats(row[:1])) }},
		{"cortical", 1, func(r *connectome.Region, row []float64) { r.SetAttribute("cortical", formatFloats(row[:1])) }},
		{"hemisphere", 1, func(r *connectome.Region, row []float64) {
			if r.Hemisphere = connectome.Left; row[0] == 1 {
				r.Hemisphere = connectome.Right
			}
		}},
	} {
		if err := s.tvbVector(all, c, part.token, part.columns, part.set); err != nil {
			return nil, err
		}
	}
	s.inferHemispheres(c.Regions)
	s.noteDuplicateLabels(c.Regions)
	return c, s.tvbLabelOption(c)
}

// tvbLabelOption lets a label file that the caller named replace the
// archive's own labels.
func (s *source) tvbLabelOption(c *connectome.Connectome) error {
	if s.cfg.labels == "" || s.cfg.labels == "none" {
		return nil
	}
	return s.joinLabels(c)
}

func (m *source) textOfMember() ([]byte, error) {
	d, err := m.decompressed()
	if err != nil {
		return nil, err
	}
	return d.textHead(1 << 12)
}

func (m *source) tvbMatrix(o denseOptions) (*denseText, error) {
	d, err := m.decompressed()
	if err != nil {
		return nil, err
	}
	m.rep.Files = append(m.rep.Files, m.member)
	head, err := d.textHead(sniffSize)
	if err != nil {
		return nil, err
	}
	return d.readDenseText(sniffDelimiter(head), o)
}

// tvbVector reads one of the optional files with a row a region.
func (s *source) tvbVector(all members, c *connectome.Connectome, token string, columns int, set func(*connectome.Region, []float64)) error {
	found := all.find(token)
	if len(found) == 0 {
		return nil
	}
	m := found[0]
	d, err := m.decompressed()
	if err != nil {
		return err
	}
	rows, err := d.vectorText()
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		s.rep.Warnf("empty-member", "%s is empty", m.member)
		return nil
	}
	n := len(c.Regions)
	if len(rows) == 1 && n > 1 && len(rows[0]) == n && columns == 1 { // a row vector
		column := make([][]float64, n)
		for i, x := range rows[0] {
			column[i] = []float64{x}
		}
		rows = column
	}
	if len(rows) != n {
		return m.failf(ErrLabels, 0, 0, "every file of a TVB archive has one row a region", "%d rows for %d regions", len(rows), n)
	}
	for i, row := range rows {
		if len(row) < columns {
			return m.failf(ErrRagged, i+1, 0, "", "%d values where %d were expected", len(row), columns)
		}
		set(&c.Regions[i], row)
	}
	s.rep.Files = append(s.rep.Files, m.member)
	return nil
}

func formatFloats(x []float64) string {
	parts := make([]string, len(x))
	for i, v := range x {
		parts[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strings.Join(parts, " ")
}

// tvbCentres reads labels and positions: "label x y z [ignored]".
func (s *source) tvbCentres(all members, c *connectome.Connectome) error {
	found := all.find("centres", "centers")
	if labels := all.labelFile(); len(found) == 0 && labels != nil && s.cfg.labels == "" {
		return s.joinFoundLabels(c, labels, "the only file of labels beside the weights")
	}
	if len(found) == 0 {
		s.rep.Warnf("no-labels", "there is no centres file: regions have neither labels nor positions")
		return nil
	}
	m := found[0]
	for _, other := range found { // TVB's own reader looks for "centres" first
		if strings.HasPrefix(strings.ToLower(other.name), "centres") {
			m = other
			break
		}
	}
	regions, err := m.centres(len(c.Regions))
	if err != nil {
		return err
	}
	for _, other := range found {
		if other == m {
			continue
		}
		theirs, err := other.centres(len(c.Regions))
		differ := 0
		if err == nil {
			for i := range theirs {
				if theirs[i].Label != regions[i].Label {
					differ++
				}
			}
		}
		if err != nil || differ > 0 {
			s.rep.Warnf("two-centres-files", "%s and %s give different labels (%d of %d rows); %s is used, as TVB's own reader does; the order is not proven", m.member, other.member, differ, len(regions), m.member)
		}
	}
	for i := range regions {
		mergeRegion(&c.Regions[i], &regions[i])
	}
	s.rep.Files = append(s.rep.Files, m.member)
	s.rep.Labels = m.member
	s.rep.LabelOrderProven = false
	s.rep.LabelHow = "TVB's layout: line i of the centres file is row i of the weights; nothing in the archive proves it"
	return nil
}

// centres reads the file under the first delimiter that makes every line a
// centre: labels may hold spaces, commas or quotes, so no count of delimiters
// can tell.
func (m *source) centres(n int) ([]connectome.Region, error) {
	d, err := m.decompressed()
	if err != nil {
		return nil, err
	}
	var first error
	for _, delim := range []byte{'\t', ' ', ',', ';'} {
		regions, err := d.centresBy(delim, n)
		if err == nil {
			return regions, nil
		}
		if delim == ' ' || first == nil {
			first = err
		}
	}
	return nil, first
}

func (m *source) centresBy(delim byte, n int) ([]connectome.Region, error) {
	rows, lines, err := m.tableRows(delim)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, m.failf(ErrLabels, 0, 0, "every file of a TVB archive has one row a region", "no centres for %d regions", n)
	}
	if len(rows) == n+1 { // a header line
		if _, ok := centre(rows[0]); !ok {
			rows, lines = rows[1:], lines[1:]
		}
	}
	regions := make([]connectome.Region, 0, min(len(rows), n))
	for i, f := range rows {
		r, ok := centre(f)
		if !ok {
			return nil, m.failf(ErrSyntax, lines[i], 0, `write "label x y z" with positions in mm`, "%q is no centre", strings.Join(f, " "))
		}
		regions = append(regions, r)
	}
	if len(regions) != n {
		return nil, m.failf(ErrLabels, lines[len(lines)-1], 0, "every file of a TVB archive has one row a region", "%d centres for %d regions", len(regions), n)
	}
	return regions, nil
}

// centre reads the fields of one line. A label with spaces takes more than
// one field: the position is then the first three numbers in a row. Three
// times "nan" is a region without a position.
func centre(f []string) (connectome.Region, bool) {
	for len(f) > 0 && f[len(f)-1] == "" {
		f = f[:len(f)-1]
	}
	for at := 1; at+3 <= len(f); at++ {
		var pos [3]float64
		numbers, missing := 0, 0
		for k := range pos {
			x, kind := parseNumber([]byte(f[at+k]), false)
			switch kind {
			case isNumber:
				numbers++
			case isMissing:
				missing++
			}
			pos[k] = x
		}
		label := strings.Join(f[:at], " ")
		if numbers == 3 {
			return connectome.Region{Label: label, Position: pos, Located: true}, true
		}
		if missing == 3 {
			return connectome.Region{Label: label}, true
		}
	}
	return connectome.Region{}, false
}

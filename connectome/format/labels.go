package format

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Label files: one label a region, in the order of the matrix.

// joinLabels gives the regions of a matrix their labels from the file that
// the caller named, or else from a neighbour of the matrix file. The order of
// such a file is data, not a convention: it is reported as not proven.
func (s *source) joinLabels(c *connectome.Connectome) error {
	if s.cfg.labels == "none" {
		return nil
	}
	path, how := s.cfg.labels, "as named by --labels"
	if path == "" {
		if s.rep.Labels != "" {
			return nil
		}
		if s.labels != nil {
			return s.joinFoundLabels(c, s.labels, "the only list of labels in the same file")
		}
		if path, how = s.neighbourLabels(); path == "" {
			if path = s.commonLabels(); path != "" {
				return s.joinFoundLabels(c, fileSource(path, s.cfg, s.rep), "the only file of labels in the folder")
			}
			return nil
		}
	}
	if done, err := s.joinKeyed(c, path, true); done || err != nil {
		return err
	}
	regions, err := s.readLabelFile(path, len(c.Regions))
	if err != nil {
		return err
	}
	for i := range regions {
		mergeRegion(&c.Regions[i], &regions[i])
	}
	s.rep.Labels, s.rep.LabelOrderProven = path, false
	s.rep.LabelHow = how + "; its order is taken to be that of the matrix"
	s.rep.Files = append(s.rep.Files, filepath.Base(path))
	s.rep.Warnf("label-order", "labels come from a second file, %s, whose order nothing in the matrix confirms", filepath.Base(path))
	return nil
}

// joinFoundLabels gives the regions their labels from a file that only its name
// ties to the matrix: one that does not fit is left alone, and said so.
func (s *source) joinFoundLabels(c *connectome.Connectome, f *source, how string) error {
	regions, err := f.regionLabels(len(c.Regions))
	name := cmp.Or(f.member, filepath.Base(f.path))
	var pe *ParseError
	if errors.As(err, &pe) {
		s.rep.Warnf("labels-left", "%s is not used for labels: %v (name it with --labels to insist)", name, pe.Err)
		return nil
	}
	if err != nil {
		return err
	}
	for i := range regions {
		mergeRegion(&c.Regions[i], &regions[i])
	}
	s.rep.Labels, s.rep.LabelOrderProven = name, false
	s.rep.LabelHow = how + "; its order is taken to be that of the matrix"
	s.rep.Files = append(s.rep.Files, name)
	s.rep.Warnf("label-order", "labels come from a second file, %s, whose order nothing in the matrix confirms", name)
	return nil
}

// labelStems are the names that files of labels have whatever the matrix beside
// them is called.
var labelStems = []string{"region_labels", "regionlabels", "region_names", "regions", "labels", "label", "roi_labels", "roi_names", "rois", "node_labels", "node_names", "nodes", "names", "parcels", "parcel_labels", "parcel_names", "area_names", "areas_names"}

// isLabelFile says whether a file's name is that of a list of labels.
func isLabelFile(name string) bool {
	name = strings.ToLower(unpackedName(name))
	ext := filepath.Ext(name)
	return slices.Contains([]string{".txt", ".csv", ".tsv", ".json"}, ext) && isLabelStem(strings.TrimSuffix(name, ext))
}

// isLabelStem says the same of a name without ending.
func isLabelStem(name string) bool {
	return slices.Contains(labelStems, strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(strings.TrimSpace(name))))
}

// commonLabels finds the one file in the matrix's folder that is named as lists
// of labels are; "" when there is none, or several.
func (s *source) commonLabels() string {
	if s.member != "" {
		return ""
	}
	dir, base := filepath.Split(s.path)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil || isLabelFile(base) {
		return ""
	}
	found := ""
	for _, e := range entries {
		if !isLabelFile(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		if found != "" {
			return ""
		}
		found = filepath.Join(dir, e.Name())
	}
	return found
}

// mergeRegion overlays what a label file says about a region.
func mergeRegion(r, from *connectome.Region) {
	if from.Label != "" {
		r.Label = from.Label
	}
	if from.Located {
		r.Position, r.Located = from.Position, true
	}
	if from.Hemisphere != connectome.UnknownHemisphere {
		r.Hemisphere = from.Hemisphere
	}
	if from.Lobe != "" {
		r.Lobe = from.Lobe
	}
	if from.System != "" {
		r.System = from.System
	}
	if from.Canonical != "" {
		r.Canonical = from.Canonical
	}
	for _, k := range sortedKeys(from.Attributes) {
		r.SetAttribute(k, from.Attributes[k])
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// neighbourLabels looks for the label file that belongs to a matrix file by
// name: ENIGMA's …Matrix… → …Labels…, and x.csv → x_labels.csv, x.labels.txt.
func (s *source) neighbourLabels() (path, how string) {
	if s.member != "" {
		return "", ""
	}
	dir, base := filepath.Split(s.path)
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".bz2")
	ext := filepath.Ext(base)
	name := strings.TrimSuffix(base, ext)
	exts := []string{ext, ".csv", ".txt", ".tsv"}
	var names []string
	for _, r := range [][2]string{{"Matrix", "Labels"}, {"matrix", "labels"}, {"MATRIX", "LABELS"}} {
		if strings.Contains(name, r[0]) {
			names = append(names, strings.Replace(name, r[0], r[1], 1))
		}
	}
	for _, n := range append(names, name+"_labels", name+"-labels", name+".labels") {
		for _, e := range exts {
			p := filepath.Join(dir, n+e)
			if fi, err := os.Stat(p); err == nil && fi.Mode().IsRegular() && filepath.Base(p) != filepath.Base(s.path) && !isBinaryExt(e) {
				return p, "found beside the matrix by its name"
			}
		}
	}
	return "", ""
}

func isBinaryExt(ext string) bool {
	switch strings.ToLower(ext) {
	case ".npy", ".npz", ".mat", ".nii", ".h5", ".hdf5", ".zip":
		return true
	}
	return false
}

// Column names that hold labels, best first.
var labelColumns = []string{"label", "labels", "region", "region_name", "regionname", "roi_name", "roi name", "roi", "name", "names", "node", "node_id", "abbreviation"}

// readLabelFile reads n regions' labels, and positions and hemispheres where
// the file has them.
func (s *source) readLabelFile(path string, n int) ([]connectome.Region, error) {
	return fileSource(path, s.cfg, s.rep).regionLabels(n)
}

// regionLabels is readLabelFile of the source itself.
func (s *source) regionLabels(n int) ([]connectome.Region, error) {
	f, err := s.decompressed()
	if err != nil {
		return nil, err
	}
	raw, err := f.head(sniffSize)
	if err != nil {
		return nil, err
	}
	if one, err := f.containerLabels(raw, n); one != nil || err != nil {
		return one, err
	}
	head, err := f.textHead(sniffSize)
	if err != nil {
		return nil, err
	}
	if text := bytes.TrimSpace(head); bytes.HasPrefix(text, []byte("[")) || bytes.HasPrefix(text, []byte("{")) {
		return f.jsonLabels(n)
	}
	delim := sniffDelimiter(head)
	rows, lines, err := f.tableRows(delim)
	if err != nil {
		return nil, err
	}
	if delim == ' ' {
		rows = joinWords(rows, n)
	}
	return f.labelRows(rows, lines, n)
}

// labelRows reads n labels from the rows of a table.
func (f *source) labelRows(rows [][]string, lines []int, n int) ([]connectome.Region, error) {
	advice := "name the right file with --labels, or read without labels with --labels none"
	if len(rows) == 0 {
		return nil, f.failf(ErrLabels, 0, 0, advice, "the label file is empty")
	}
	if one := singleLabels(rows, n); one != nil {
		return labelled(one), nil
	}
	if len(rows) == 1 || len(rows[0]) == 1 {
		found := len(rows)
		if len(rows) == 1 {
			found = len(rows[0])
		}
		return nil, f.failf(ErrLabels, lines[len(lines)-1], 0, advice, "%d labels for %d regions", found, n)
	}
	var header []string
	switch len(rows) {
	case n:
	case n + 1:
		header, rows, lines = rows[0], rows[1:], lines[1:]
	default:
		return nil, f.failf(ErrLabels, lines[len(lines)-1], 0, advice, "%d rows of labels for %d regions", len(rows), n)
	}
	return f.labelTable(header, rows, lines)
}

// labelled are regions of which nothing is known but their labels.
func labelled(labels []string) []connectome.Region {
	regions := make([]connectome.Region, len(labels))
	for i, l := range labels {
		regions[i].Label = l
	}
	return regions
}

// jsonLabels reads a list of texts, or an object of texts by running number.
func (s *source) jsonLabels(n int) ([]connectome.Region, error) {
	v, err := s.orderedJSON()
	if err != nil {
		return nil, err
	}
	var values []any
	switch v := v.(type) {
	case []any:
		values = v
	case jsonObject:
		keys := make([]string, len(v))
		for i, m := range v {
			keys[i] = m.key
			values = append(values, m.value)
		}
		if !countsUp(keys) {
			return nil, s.failf(ErrLabels, 0, 0, "a label file in JSON is one list of texts, or an object of texts with the keys 0, 1, 2, …", "an object with %s", listOr(keys, "nothing"))
		}
	}
	labels := make([]string, len(values))
	for i, x := range values {
		var ok bool
		if labels[i], ok = jsonText(x); !ok {
			return nil, s.failf(ErrLabels, 0, 0, "a label file in JSON is one list of texts", "entry %d is no text", i+1)
		}
	}
	if len(labels) != n {
		return nil, s.failf(ErrLabels, 0, 0, "", "%d labels for %d regions", len(labels), n)
	}
	return labelled(labels), nil
}

// joinWords makes one field of the words of a label in a table without a
// delimiter: of a whole line when its first word repeats and there are no
// coordinates ("Left Amygdala", "Left area 4"), of neighbouring words when
// lines differ in their number ("1 Left Lateral Ventricle").
func joinWords(rows [][]string, n int) [][]string {
	body := rows
	if len(rows) == n+1 {
		body = rows[1:]
	}
	if len(body) < 2 {
		return rows
	}
	ragged, repeats, coordinates := false, false, false
	seen := map[string]bool{}
	for _, r := range body {
		ragged = ragged || len(r) != len(body[0])
		repeats = repeats || seen[r[0]] && len(r) > 1
		seen[r[0]] = true
		numbers := 0
		for _, f := range r {
			if !isWord(f) {
				numbers++
			}
		}
		coordinates = coordinates || numbers >= 3
	}
	whole := repeats && !coordinates
	if !ragged && !whole {
		return rows
	}
	joined := make([][]string, len(rows))
	for i, r := range rows {
		for k, f := range r {
			if last := len(joined[i]) - 1; k > 0 && (whole || isWord(f) && isWord(r[k-1])) {
				joined[i][last] += " " + f
				continue
			}
			joined[i] = append(joined[i], f)
		}
	}
	if len(body) < len(rows) && len(joined[0]) != len(joined[1]) && len(rows[0]) == len(joined[1]) {
		joined[0] = rows[0] // a header of single words
	}
	return joined
}

func isWord(f string) bool {
	_, k := parseNumber([]byte(f), false)
	return k == isText
}

// singleLabels recognises n labels in one line or in one column (with or
// without a title).
func singleLabels(rows [][]string, n int) []string {
	if len(rows) == 1 && n > 1 {
		r := rows[0]
		if len(r) == n+1 && r[n] == "" {
			r = r[:n]
		}
		if len(r) == n {
			return r
		}
		return nil
	}
	column := make([]string, 0, len(rows))
	for _, r := range rows {
		if len(r) == 2 && r[1] == "" {
			r = r[:1]
		}
		if len(r) != 1 {
			return nil
		}
		column = append(column, r[0])
	}
	if len(column) == n+1 && slices.Contains(labelColumns, strings.ToLower(column[0])) {
		column = column[1:]
	}
	if len(column) != n {
		return nil
	}
	return column
}

// tableRows reads a whole small table as text.
func (s *source) tableRows(delim byte) (rows [][]string, lines []int, err error) {
	t, err := s.table(delim)
	if err != nil {
		return nil, nil, err
	}
	defer t.close.Close()
	for {
		if err := t.next(); err == io.EOF {
			return rows, lines, nil
		} else if err != nil {
			return nil, nil, err
		}
		row := make([]string, len(t.fields))
		for i, f := range t.fields {
			row[i] = string(f)
		}
		rows = append(rows, row)
		lines = append(lines, t.line)
	}
}

// labelTable reads a table with a row a region: with a header, or x y z
// colour size label (BrainNet), or label x y z (TVB), or any table with one
// column of text.
func (s *source) labelTable(header []string, rows [][]string, lines []int) ([]connectome.Region, error) {
	width := len(rows[0])
	for i, r := range rows {
		if len(r) < width {
			return nil, s.failf(ErrRagged, lines[i], 0, "", "%d fields where the first row has %d", len(r), width)
		}
	}
	if header != nil && len(header) != width {
		return nil, s.failf(ErrRagged, lines[0], 0, "", "%d fields under a header of %d", width, len(header))
	}
	text := make([]bool, width) // columns with at least one text field
	for _, r := range rows {
		for j := range width {
			if _, k := parseNumber([]byte(r[j]), true); k == isText {
				text[j] = true
			}
		}
	}
	label, x := -1, -1
	for _, want := range labelColumns {
		for j, h := range header {
			if label < 0 && strings.EqualFold(strings.TrimSpace(h), want) {
				label = j
			}
		}
	}
	if label < 0 {
		label = slices.Index(text, true)
	}
	brainnet := header == nil && width == 6
	if label < 0 && brainnet {
		label = 5
	}
	if label < 0 {
		if width != 1 && header == nil {
			return nil, s.failf(ErrLabels, lines[0], 0, "a label file has a column of names", "no column of text among %d", width)
		}
		label = 0
	}
	find := func(names ...string) int {
		return slices.IndexFunc(header, func(h string) bool {
			return slices.Contains(names, strings.ToLower(strings.TrimSpace(h)))
		})
	}
	y, z, hemi, lobe, system, canonical := -1, -1, -1, -1, -1, -1
	if header != nil {
		x, y, z = find("x", "x_mm", "r", "x-mni", "x_mni"), find("y", "y_mm", "a", "y-mni", "y_mni"), find("z", "z_mm", "s", "z-mni", "z_mni")
		hemi, lobe, system, canonical = find("hemisphere", "hemi"), find("lobe"), find("system"), find("canonical")
	} else if label >= 3 && !text[0] && !text[1] && !text[2] {
		x, y, z = 0, 1, 2 // BrainNet
	} else if label == 0 && width >= 4 && !text[1] && !text[2] && !text[3] {
		x, y, z = 1, 2, 3 // TVB centres
	}
	regions := make([]connectome.Region, len(rows))
	for i, r := range rows {
		if regions[i].Label = r[label]; brainnet && r[label] == "-" {
			regions[i].Label = "" // BrainNet's sign for "no label"
		}
		if x >= 0 && y >= 0 && z >= 0 {
			known := setCoordinate(&regions[i].Position[0], r[x], 1) | setCoordinate(&regions[i].Position[1], r[y], 2) | setCoordinate(&regions[i].Position[2], r[z], 4)
			if regions[i].Located = known == 7; !regions[i].Located {
				regions[i].Position = [3]float64{}
			}
		}
		if hemi >= 0 {
			regions[i].Hemisphere = parseHemisphere(r[hemi])
		}
		for j, h := range header {
			switch j {
			case label, x, y, z, hemi:
			case lobe:
				regions[i].Lobe = r[j]
			case system:
				regions[i].System = r[j]
			case canonical:
				regions[i].Canonical = r[j]
			default:
				regions[i].SetAttribute(strings.TrimSpace(h), r[j])
			}
		}
	}
	return regions, nil
}

// noteDuplicateLabels remarks on labels that repeat or are missing.
func (s *source) noteDuplicateLabels(regions []connectome.Region) {
	count := make(map[string]int, len(regions))
	for i := range regions {
		count[regions[i].Label]++
	}
	if empty := count[""]; empty == len(regions) || len(regions) == 0 {
		return
	}
	if distinct := len(count); distinct < len(regions) {
		s.rep.Warnf("duplicate-labels", "%s", fmt.Sprintf("%d regions bear %d distinct labels", len(regions), distinct))
	}
}

// neighbourNodes looks for the table of nodes that belongs to an edge list by
// name.
func (s *source) neighbourNodes() string {
	if s.member != "" {
		return ""
	}
	dir, base := filepath.Split(s.path)
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".bz2")
	ext := filepath.Ext(base)
	name := strings.TrimSuffix(base, ext)
	for _, r := range [][2]string{{"edgelist", "nodes"}, {"edge_list", "nodes"}, {"edges", "nodes"}, {"Edges", "Nodes"}, {"_edge", "_node"}} {
		if !strings.Contains(name, r[0]) {
			continue
		}
		p := filepath.Join(dir, strings.Replace(name, r[0], r[1], 1)+ext)
		if fi, err := os.Stat(p); err == nil && fi.Mode().IsRegular() {
			return p
		}
	}
	if p := filepath.Join(dir, name+"_nodes.csv"); isRegular(p) {
		return p
	}
	return ""
}

func isRegular(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular()
}

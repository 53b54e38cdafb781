package format

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Tables of labels that parcellations come with: a number and a name for each
// region, and often for what is no region, such as the medial wall. FreeSurfer's
// .annot and colour tables, GIFTI and CIFTI label files, and images whose
// voxels hold the numbers.

// labelEntry is a line of such a table.
type labelEntry struct {
	key    int
	region connectome.Region
	// absent is true when the parcellation itself says that nothing bears the
	// number.
	absent bool
}

// labelKeys are the tables of one or several files, one after the other.
type labelKeys struct {
	entries []labelEntry
	from    []string // what each file is, for messages
}

// labelPaths cuts what --labels names into files: one, or several with commas
// between them, as the two hemispheres of a surface have.
func labelPaths(text string) []string {
	if _, err := os.Stat(text); err == nil || !strings.Contains(text, ",") {
		return []string{text}
	}
	var paths []string
	for p := range strings.SplitSeq(text, ",") {
		if p = strings.TrimSpace(p); p != "" {
			paths = append(paths, p)
		}
	}
	return paths
}

// keyedLabels reads tables of numbers and names; nil when path is a list or a
// table with one row a region.
func (s *source) keyedLabels(path string) (*labelKeys, error) {
	paths := labelPaths(path)
	all := &labelKeys{}
	var image []labelEntry
	for _, p := range paths {
		f, err := fileSource(p, s.cfg, s.rep).decompressed()
		if err != nil {
			return nil, err
		}
		entries, what, err := f.labelEntries()
		if err != nil {
			return nil, err
		}
		switch {
		case entries == nil && len(paths) == 1:
			return nil, nil
		case entries == nil:
			if entries, err = f.plainEntries(); err != nil {
				return nil, err
			}
			what = "list of labels"
		}
		all.from = append(all.from, what)
		if what == imageLabels {
			image = append(image, entries...)
			continue
		}
		side := fileHemisphere(p)
		for i := range entries {
			if r := &entries[i].region; r.Hemisphere == connectome.UnknownHemisphere {
				r.Hemisphere = side
			}
		}
		all.entries = append(all.entries, entries...)
	}
	if image != nil {
		if len(all.entries) == 0 {
			if err := s.imageNames(paths[0], image, all); err != nil {
				return nil, err
			}
		}
		all.entries = nameImage(image, all.entries)
	}
	return all, nil
}

// labelEntries reads a file of a kind that numbers its labels; nil for others.
func (s *source) labelEntries() (entries []labelEntry, what string, err error) {
	head, err := s.head(sniffSize)
	if err != nil {
		return nil, "", err
	}
	switch text := bytes.TrimSpace(head); {
	case isNIfTI(head):
		return s.niftiLabels()
	case isAnnot(head, s.name):
		entries, err = s.annotLabels()
		return entries, "FreeSurfer annotation", err
	case bytes.HasPrefix(text, []byte("<")) || bytes.HasPrefix(text, []byte("\xef\xbb\xbf<")):
		return s.xmlLabels()
	case bytes.IndexByte(head, 0) >= 0, bytes.HasPrefix(text, []byte("[")):
		return nil, "", nil
	}
	return s.tableLabels()
}

// plainEntries reads a list of one label a line, or a line of labels.
func (s *source) plainEntries() ([]labelEntry, error) {
	head, err := s.textHead(sniffSize)
	if err != nil {
		return nil, err
	}
	rows, lines, err := s.tableRows(sniffDelimiter(head))
	if err != nil {
		return nil, err
	}
	n := len(rows)
	if n == 1 {
		n = len(rows[0])
	}
	labels := singleLabels(rows, n)
	if labels == nil {
		return nil, s.failf(ErrLabels, slices.Max(append(lines, 0)), 0, "several files of labels are lists of one label a line, or label tables of a parcellation", "neither a list nor a numbered table of labels")
	}
	entries := make([]labelEntry, len(labels))
	for i, l := range labels {
		entries[i] = labelEntry{key: -1, region: connectome.Region{Label: l}}
	}
	return entries, nil
}

// tableLabels reads a table of text with a column of numbers and a column of
// names: FreeSurfer's colour tables ("1001 ctx-lh-bankssts 25 100 40 0"),
// ITK-SNAP's, and tables with a header such as BIDS's dseg.tsv.
func (s *source) tableLabels() (entries []labelEntry, what string, err error) {
	head, err := s.textHead(sniffSize)
	if err != nil {
		return nil, "", err
	}
	delim := sniffDelimiter(head)
	rows, lines, err := s.tableRows(delim)
	if err != nil || len(rows) == 0 {
		return nil, "", nil // the readers of other tables say what is wrong
	}
	number := func(f string) bool { return isNodeID(f) }
	lut := func(r []string) (key, name int) {
		if len(r) >= 5 && number(r[0]) && isWord(r[1]) && number(r[2]) && number(r[3]) && number(r[4]) {
			return 0, 1
		}
		if len(r) == 8 && number(r[0]) && number(r[1]) && number(r[2]) && number(r[3]) && isWord(r[7]) { // ITK-SNAP
			return 0, 7
		}
		return -1, -1
	}
	key, name := lut(rows[0])
	if key >= 0 {
		for _, r := range rows {
			if k, _ := lut(r); k != key {
				return nil, "", nil
			}
			n, err := strconv.Atoi(r[key])
			if err != nil {
				return nil, "", nil
			}
			entries = append(entries, labelEntry{key: n, region: connectome.Region{Label: r[name]}})
		}
		return entries, "table of numbers and names", nil
	}
	header, rows := rows[0], rows[1:]
	key = titled(header, "index", "id", "value", "key", "no", "no.", "label_id", "intensity")
	if name = titled(header, labelColumns...); key < 0 || name < 0 || key == name || len(rows) == 0 {
		return nil, "", nil
	}
	regions, err := s.labelTable(header, rows, lines[1:])
	if err != nil {
		return nil, "", nil
	}
	for i, r := range rows {
		n, err := strconv.Atoi(r[key])
		if err != nil || n < 0 {
			return nil, "", nil
		}
		entries = append(entries, labelEntry{key: n, region: regions[i]})
	}
	return entries, "table of numbers and names", nil
}

// titled is the first column with one of the titles, best first.
func titled(header []string, titles ...string) int {
	for _, t := range titles {
		if j := slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), t) }); j >= 0 {
			return j
		}
	}
	return -1
}

// isBackground says whether an entry names what is no region.
func (e *labelEntry) isBackground() bool {
	if e.key == 0 {
		return true
	}
	plain := plainLabel(e.region.Label)
	for _, end := range []string{"unknown", "medialwall", "corpuscallosum"} {
		if strings.HasSuffix(plain, end) {
			return true
		}
	}
	return slices.Contains([]string{"", "background", "none", "clearlabel", "outside", "unlabeled", "unlabelled"}, plain)
}

// fileHemisphere is the side that a file's name tells: lh.aparc.annot,
// x.R.label.gii, x_hemi-L_dseg.label.gii.
func fileHemisphere(path string) connectome.Hemisphere {
	for _, word := range strings.FieldsFunc(filepath.Base(path), func(r rune) bool { return strings.ContainsRune("._- ", r) }) {
		switch word {
		case "lh", "L", "left":
			return connectome.Left
		case "rh", "R", "right":
			return connectome.Right
		}
	}
	return connectome.UnknownHemisphere
}

// pick chooses the entries that name n regions: as many as there are, without
// the background and without what the parcellation does not hold.
func (k *labelKeys) pick(s *source, path string, n int) (regions []connectome.Region, err error) {
	var found [][]int
	var counts []string
	for _, rule := range []struct {
		what string
		keep func(e *labelEntry) bool
	}{
		{"in all", func(*labelEntry) bool { return true }},
		{"without background", func(e *labelEntry) bool { return !e.isBackground() }},
		{"that are there", func(e *labelEntry) bool { return !e.absent }},
		{"that are there without background", func(e *labelEntry) bool { return !e.absent && !e.isBackground() }},
	} {
		var kept []int
		for i := range k.entries {
			if rule.keep(&k.entries[i]) {
				kept = append(kept, i)
			}
		}
		counts = append(counts, fmt.Sprintf("%d %s", len(kept), rule.what))
		if len(kept) == n && !slices.ContainsFunc(found, func(f []int) bool { return slices.Equal(f, kept) }) {
			found = append(found, kept)
		}
	}
	switch len(found) {
	case 1:
		for _, i := range found[0] {
			regions = append(regions, k.entries[i].region)
		}
		return regions, nil
	case 0:
		advice := "name the right file with --labels, or read without labels with --labels none"
		for i := range k.entries {
			if k.entries[i].region.Hemisphere != connectome.UnknownHemisphere && len(k.from) == 1 && 2*(len(k.entries)-4) <= n {
				advice = "name the files of both hemispheres in the order of the matrix: --labels lh.FILE,rh.FILE"
			}
		}
		return nil, s.failf(ErrLabels, 0, 0, advice, "%s has labels (%s) for %d regions", path, strings.Join(slices.Compact(counts), ", "), n)
	}
	return nil, s.failf(ErrLabels, 0, 0, "write the labels of the regions into a file of one label a line", "%s has %d labels both without its background and without what is not there, and they differ", path, n)
}

// byNumber gives each region the entry of its number; nil when one has none.
func (k *labelKeys) byNumber(c *connectome.Connectome) []connectome.Region {
	at := map[int]int{}
	for i, e := range k.entries {
		if _, twice := at[e.key]; twice || e.key < 0 {
			return nil // two hemispheres that number their regions alike
		}
		at[e.key] = i
	}
	regions := make([]connectome.Region, len(c.Regions))
	for i := range c.Regions {
		id, err := strconv.Atoi(cmp.Or(c.Regions[i].Attributes["id"], c.Regions[i].Label))
		j, ok := at[id]
		if err != nil || !ok {
			return nil
		}
		regions[i] = k.entries[j].region
	}
	return regions
}

// joinKeyed gives the regions of a matrix their labels from the tables of a
// parcellation, those of a list of edges only by number: it has no order of its
// own. done is false when path is no such table.
func (s *source) joinKeyed(c *connectome.Connectome, path string, ordered bool) (done bool, err error) {
	keys, err := s.keyedLabels(path)
	if keys == nil || err != nil {
		return false, err
	}
	regions := keys.byNumber(c)
	byNumber := regions != nil
	switch {
	case !byNumber && !ordered:
		return false, nil
	case !byNumber:
		if regions, err = keys.pick(s, path, len(c.Regions)); err != nil {
			return false, err
		}
	}
	for i := range regions {
		if old := c.Regions[i].Label; byNumber && old != "" && c.Regions[i].Attributes["id"] == "" {
			c.Regions[i].SetAttribute("id", old)
		}
		mergeRegion(&c.Regions[i], &regions[i])
	}
	for _, p := range labelPaths(path) {
		s.rep.Files = append(s.rep.Files, filepath.Base(p))
	}
	what := strings.Join(slices.Compact(slices.Clone(keys.from)), " and ")
	s.rep.Labels, s.rep.LabelOrderProven = path, byNumber
	if byNumber {
		s.rep.LabelHow = what + ": each region's number is looked up"
		return true, nil
	}
	s.rep.LabelHow = what + "; its order is taken to be that of the matrix"
	s.rep.Warnf("label-order", "labels come from a second file, %s, whose order nothing in the matrix confirms", path)
	return true, nil
}

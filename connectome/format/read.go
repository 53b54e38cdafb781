package format

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format/internal/hdf5"
)

// Read reads the connectome at path: a file of any known format, also
// compressed by gzip, bzip2, xz or zstd, or a folder in TVB's layout. What the file is
// is decided by its content; the extension only helps where content cannot
// tell. The result's Report says what was found and decided.
//
// Errors are a [ParseError], which locates the fault and wraps one of this
// package's Err… values; an [AmbiguousError], which lists the candidates when
// an option has to choose; or an error of the file system.
//
// A panic of a reader or of a library beneath it is such an error too.
func Read(path string, opts ...Option) (c *connectome.Connectome, err error) {
	rep := &connectome.Report{Path: path}
	s := fileSource(path, newConfig(opts), rep)
	defer func() {
		if p := recover(); p != nil {
			c, err = nil, s.failf(ErrCorrupt, 0, 0, "fetch or export the file again; if it is sound, report this with the file", "its reader failed: %v", p)
		}
	}()
	fi, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read connectome: %w", err)
	}
	if fi.IsDir() {
		c, err = s.readFolder()
	} else {
		rep.Files = []string{filepath.Base(path)}
		c, err = s.read()
	}
	if err != nil {
		return nil, err
	}
	if err := s.unusedOptions(); err != nil {
		return nil, err
	}
	c.Name = stem(filepath.Base(path))
	c.Source = path
	c.Report = rep
	c.History = append(c.History, "read "+rep.Format+" "+filepath.Base(path))
	if err := c.Validate(); err != nil {
		return nil, s.fail(0, 0, fmt.Errorf("%w: %v", ErrCorrupt, err), "")
	}
	return c, nil
}

// unusedOptions refuses options that mean nothing for the format found: they
// would be silently ignored.
func (s *source) unusedOptions() error {
	plain := s.rep.Format == "matrix" && filepath.Ext(unpackedName(s.path)) != ".zip"
	for _, o := range []struct {
		flag string
		set  bool
		used bool
	}{
		{"--source", s.cfg.source != "", s.cfg.usedEnds},
		{"--target", s.cfg.target != "", s.cfg.usedEnds},
		{"--kind", s.cfg.kindColumn != "" || len(s.cfg.kinds) > 0, s.cfg.usedKinds},
		{"--format", s.cfg.format != "", s.cfg.usedFormat},
		{"--weight", s.cfg.weight != "", s.rep.Weight != "" || !plain},
		{"--slice", s.cfg.slice != nil, !plain},
		{"--average", s.cfg.average, !plain},
		{"--var", s.cfg.variable != "", !plain},
	} {
		if o.set && !o.used {
			return s.failf(ErrUnsupported, 0, 0, "leave "+o.flag+" out: it is for files that hold more", "%s for a file that is read as %s", o.flag, s.rep.Format)
		}
	}
	return nil
}

// stem is a base name without the extensions of formats and compression.
func stem(base string) string {
	base = unpackedName(base)
	if i := strings.LastIndexByte(base, '.'); i > 0 {
		base = base[:i]
	}
	return strings.TrimSuffix(base, ".pconn")
}

// sniffSize is how much of a file is looked at to find out what it is.
const sniffSize = 1 << 16

// read finds out the format and reads.
func (s *source) read() (*connectome.Connectome, error) {
	s, err := s.decompressed()
	if err != nil {
		return nil, err
	}
	head, err := s.head(sniffSize)
	if err != nil {
		return nil, err
	}
	if len(head) == 0 {
		return nil, s.fail(0, 0, fmt.Errorf("%w: the file is empty", ErrEmpty), "fetch or export it again")
	}
	for _, b := range binaryFormats() {
		if b.match(head) {
			return b.read(s)
		}
	}
	if head, err = s.textHead(sniffSize); err != nil {
		return nil, err
	}
	return s.readText(head)
}

// formatRule ties the look of a file's beginning to a reader.
type formatRule struct {
	match func(head []byte) bool
	read  func(s *source) (*connectome.Connectome, error)
}

// binaryFormats are told by their first bytes.
func binaryFormats() []formatRule {
	return []formatRule{
		{prefix("PK\x03\x04"), (*source).readZip},
		{prefix("PK\x05\x06"), (*source).readZip},
		{prefix("\x93NUMPY"), (*source).readNPY},
		{prefix("MATLAB 5.0 MAT-file"), (*source).readMAT5},
		{func(head []byte) bool { return hdf5.Find(head) >= 0 }, (*source).readHDF5},
		{prefix("MATLAB 7.3"), (*source).readHDF5},
		{isNIfTI, (*source).readCIFTI},
		{isSQLite, (*source).readSQLite},
		{prefix("\x5d\x00\x00"), refuse("lzma compression", "unpack it with unlzma")},
		{isTar, refuse("tar archives", "unpack it first, and read the file in it")},
		{prefix("7z\xbc\xaf\x27\x1c"), refuse("7-zip archives", "unpack it first")},
		{prefix("Rar!"), refuse("RAR archives", "unpack it first")},
		{isMAT4, (*source).readMAT4},
		{isPickle, refuse("pickled Python objects", "write the graph with networkx.write_graphml, or the matrix with numpy.save")},
		{prefix("RDX"), refuse("R data files", "write the matrix with write.csv")},
		{prefix("X\n\x00\x00"), refuse("R data files", "write the matrix with write.csv")},
		{prefix("version https://git-lfs"), refuse("a pointer of Git LFS instead of the file", "fetch the file with git lfs pull")},
		{prefix("%PDF"), refuse("PDF documents", "a connectome is a matrix or a graph file")},
		{prefix("\xd0\xcf\x11\xe0"), refuse("old Excel workbooks", "save the sheet as CSV")},
	}
}

// isTar recognises the header of an archive's first file.
func isTar(head []byte) bool {
	return len(head) >= 512 && bytes.HasPrefix(head[257:], []byte("ustar"))
}

func prefix(p string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(p)) }
}

// isPickle recognises the protocols 2 to 5, as .gpickle and .pkl files use.
func isPickle(head []byte) bool {
	return len(head) > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5
}

func refuse(what, advice string) func(*source) (*connectome.Connectome, error) {
	return func(s *source) (*connectome.Connectome, error) {
		return nil, s.failf(ErrUnsupported, 0, 0, advice, "%s", what)
	}
}

// isUCINET recognises UCINET's language of data: "dl n = 50 format = fullmatrix".
func isUCINET(text []byte) bool {
	words := bytes.FieldsFunc(bytes.ToLower(text[:min(len(text), 40)]), func(r rune) bool { return r == ' ' || r == '\n' || r == '=' || r == ',' || r == '\t' || r == '\r' })
	return len(words) > 2 && string(words[0]) == "dl" && (string(words[1]) == "n" || string(words[1]) == "nr")
}

// isDIMACS recognises the line of the problem after those of comments:
// "p max 8 14".
func isDIMACS(text []byte) bool {
	for line := range bytes.Lines(text) {
		if f := bytes.Fields(line); len(f) > 0 && string(f[0]) != "c" {
			return len(f) == 4 && string(f[0]) == "p" && !isWord(string(f[2])) && !isWord(string(f[3]))
		}
	}
	return false
}

// isMultilineAdjacency recognises a node with the number of its neighbours, and
// the first of them with its attributes on a line of its own.
func isMultilineAdjacency(text []byte) bool {
	var first [][]byte
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		f := bytes.Fields(line)
		switch {
		case len(f) == 0 || line[0] == '#':
		case first == nil && (len(f) != 2 || isWord(string(f[1]))):
			return false
		case first == nil:
			if first = f; string(f[1]) == "0" {
				first = nil // a node without neighbours tells nothing
			}
		default:
			return len(f) > 1 && bytes.HasPrefix(f[1], []byte("{")) && bytes.HasSuffix(line, []byte("}"))
		}
	}
	return false
}

// isNetcc recognises the first line of AFNI's 3dNetCorr and 3dTrackID.
func isNetcc(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return bytes.HasPrefix(line, []byte("#")) && bytes.Contains(line, []byte("Number of network ROIs"))
}

// textHead returns up to n first bytes as UTF-8.
func (s *source) textHead(n int) ([]byte, error) {
	r, c, err := s.text()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var head []byte
	buf := make([]byte, 1<<12)
	for len(head) < n {
		k, err := r.Read(buf)
		head = append(head, buf[:k]...)
		if err != nil {
			if errors.Is(err, ErrTooLarge) {
				return nil, s.wrap(err, ErrCorrupt, "")
			}
			break
		}
	}
	return head[:min(len(head), n)], nil
}

// readText tells the text formats apart by how they begin.
func (s *source) readText(head []byte) (*connectome.Connectome, error) {
	if i := bytes.IndexByte(head, 0); i >= 0 {
		return nil, s.failf(ErrFormat, 0, 0, "the formats are listed in docs/formats.md", "binary content that no reader knows")
	}
	text := bytes.TrimSpace(head)
	if len(text) == 0 {
		return nil, s.fail(0, 0, fmt.Errorf("%w: only white space", ErrEmpty), "fetch or export it again")
	}
	for _, f := range textFormats() {
		if f.match(text) {
			return f.read(s)
		}
	}
	return s.readTable(head)
}

// textFormats are told by their first words; what none matches is a table.
func textFormats() []formatRule {
	return []formatRule{
		{prefix("<"), (*source).readXML},
		{isJSONLines, (*source).readJSONLines},
		{prefix("{"), (*source).readJSON},
		{prefix("[,"), refuse("R's printout of a matrix", "write it with write.csv(m, \"m.csv\")")},
		{prefix("["), (*source).readJSONArray},
		{func(text []byte) bool {
			return bytes.HasPrefix(bytes.ToLower(text[:min(len(text), 14)]), []byte("%%matrixmarket"))
		}, (*source).readMatrixMarket},
		{isPajek, (*source).readPajek},
		{isDOT, (*source).readDOT},
		{isGML, (*source).readGML},
		{isDictEdgeList, (*source).readDictEdgeList},
		{isLEDA, (*source).readLEDA},
		{isConnectogram, (*source).readConnectogram},
		{prefix(">>graph6<<"), refuse("graph6", "write it with networkx.write_graphml")},
		{prefix(">>sparse6<<"), refuse("sparse6", "write it with networkx.write_graphml")},
		{prefix("nodedef>"), refuse("GDF", "open it in Gephi and export it as GEXF or GraphML")},
		{isUCINET, refuse("UCINET's DL", "write the matrix as CSV, with the labels along the top")},
		{isDIMACS, refuse("DIMACS", "write it with igraph's write_graphml")},
		{isMultilineAdjacency, refuse("NetworkX's adjacency list of several lines a node", "write it with networkx.write_adjlist, or with write_weighted_edgelist, which keeps weights")},
		{isNetcc, refuse("AFNI's .netcc", "keep one of its matrices as text: the rows under a line such as \"# CC\", with the line of labels above them")},
	}
}

// readXML looks at the document's root.
func (s *source) readXML() (*connectome.Connectome, error) {
	text, closer, err := s.text()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	d := newXMLDecoder(text)
	for {
		tok, err := d.Token()
		if err != nil {
			return nil, s.xmlError(d, err)
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch strings.ToLower(e.Name.Local) {
		case "graphml":
			return s.readGraphML()
		case "gexf":
			return s.readGEXF()
		case "html":
			return nil, s.failf(ErrFormat, 1, 0, "the download may have saved an error page; fetch the file again", "a web page, not a connectome")
		}
		line, col := d.InputPos()
		return nil, s.failf(ErrFormat, line, col, "XML connectomes are GraphML or GEXF", "XML document <%s>", e.Name.Local)
	}
}

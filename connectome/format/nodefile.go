package format

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// Tables of nodes beside a list of edges.

// joinNodeFile gives the nodes of an edge list what a table beside it says of
// them (x_edgelist.csv → x_nodes.csv), joined by name.
func (s *source) joinNodeFile(c *connectome.Connectome) error {
	path, asked := s.cfg.labels, true
	if path == "none" {
		return nil
	}
	f := s.labels
	if path == "" {
		if path, asked = s.neighbourNodes(), false; path == "" && f == nil {
			return nil
		}
	}
	if asked {
		if done, err := s.joinKeyed(c, path, false); done || err != nil {
			return err
		}
	}
	if path != "" {
		f = fileSource(path, s.cfg, s.rep)
	} else {
		path = f.member
	}
	f, err := f.decompressed()
	if err != nil {
		return err
	}
	head, err := f.textHead(sniffSize)
	if err != nil {
		return err
	}
	rows, lines, err := f.tableRows(sniffDelimiter(head))
	if err == nil && asked && listedByNumber(c, rows) {
		s.rep.Files = append(s.rep.Files, filepath.Base(path))
		s.rep.Labels, s.rep.LabelOrderProven, s.rep.LabelHow = path, false, "each node's number is taken to be that of its line in the list"
		s.rep.Warnf("label-order", "labels come from a second file, %s, whose order nothing in the list of edges confirms", path)
		return nil
	}
	if err == nil && len(rows) > 1 {
		var regions []connectome.Region
		if regions, err = f.labelTable(rows[0], rows[1:], lines[1:]); err == nil {
			if s.joinNodes(c, rows, regions, path) {
				return nil
			}
			err = f.failf(ErrLabels, 0, 0, "a table of nodes has a column with the names that the edges have", "none of the %d nodes is in it; its columns are %s", len(c.Regions), listOr(rows[0], "not named"))
		}
	}
	if asked {
		if err == nil {
			err = f.failf(ErrLabels, 0, 0, "a table of nodes has a header with a column of names", "no table of nodes")
		}
		return err
	}
	var pe *ParseError
	if errors.As(err, &pe) {
		s.rep.Warnf("node-file", "the table of nodes beside the list was not used: %v", err)
	}
	return nil
}

// listedByNumber gives nodes that are numbered the labels of a list, one a line:
// the first line is node 1 where the last is the largest number, and node 0
// where there is one.
func listedByNumber(c *connectome.Connectome, rows [][]string) bool {
	if len(rows) > 0 && len(rows[0]) == 1 && slices.Contains(labelColumns, strings.ToLower(rows[0][0])) {
		rows = rows[1:]
	}
	if len(rows) == 0 || slices.ContainsFunc(rows, func(r []string) bool { return len(r) != 1 || !isWord(r[0]) }) {
		return false
	}
	least, most := len(rows), 0
	number := make([]int, len(c.Regions))
	for i := range c.Regions {
		x, err := strconv.Atoi(c.Regions[i].Label)
		if err != nil {
			return false
		}
		number[i], least, most = x, min(least, x), max(most, x)
	}
	switch {
	case least == 0 && most < len(rows):
	case least >= 1 && most == len(rows):
		least = 1
	default:
		return false
	}
	for i := range c.Regions {
		c.Regions[i].SetAttribute("id", c.Regions[i].Label)
		c.Regions[i].Label = rows[number[i]-least][0]
	}
	return true
}

// joinNodes gives the nodes what the table says of them, by the column that
// holds most of their names; false when there is none. A column of numbers or
// ids (bodyId, root_id) leaves them their names unless another is called the
// label and tells them apart.
func (s *source) joinNodes(c *connectome.Connectome, rows [][]string, regions []connectome.Region, path string) bool {
	label := make([]string, len(regions))
	for i := range regions {
		label[i] = regions[i].Label
	}
	header, rows := rows[0], rows[1:]
	matched, at := matchNodes(c, label)
	how := "name"
	if matched == 0 {
		for j := range header {
			if m, place := matchNodes(c, columnOf(rows, j)); m > matched {
				matched, at, how = m, place, header[j]
			}
		}
		if matched == 0 {
			return false
		}
		seen := map[string]bool{}
		names := titled(header, labelColumns...) >= 0
		for _, i := range at {
			names = names && label[i] != "" && !seen[label[i]]
			seen[label[i]] = true
		}
		for i := range regions {
			if names {
				continue
			}
			for j, h := range header {
				if _, ok := regions[i].Attributes[strings.TrimSpace(h)]; !ok && rows[i][j] == label[i] {
					regions[i].SetAttribute(strings.TrimSpace(h), label[i])
				}
			}
			regions[i].Label = ""
		}
	}
	for i := range c.Regions {
		if k, ok := at[c.Regions[i].Label]; ok {
			mergeRegion(&c.Regions[i], &regions[k])
		}
	}
	s.rep.Files = append(s.rep.Files, path[strings.LastIndexAny(path, `/\`)+1:])
	s.rep.Infof("nodes-joined", "%d of %d nodes are described in %s (joined by %s)", matched, len(c.Regions), path, how)
	return true
}

// matchNodes says how many nodes have their names among some, and where.
func matchNodes(c *connectome.Connectome, names []string) (matched int, at map[string]int) {
	at = make(map[string]int, len(names))
	for i, n := range names {
		at[n] = i
	}
	found := make(map[string]int, len(c.Regions))
	for i := range c.Regions {
		if k, ok := at[c.Regions[i].Label]; ok && c.Regions[i].Label != "" {
			found[c.Regions[i].Label] = k
		}
	}
	return len(found), found
}

package datasets

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed" // the split is part of the program
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
)

// The split of every sample of the packages as they were when the modules of
// this project were trained, as made by Export with Resplit: gzipped lines of
// component, tab, ID, sorted by ID. It is kept because components depend on
// all sources together: with it, somebody who pulls only one source gets the
// same test samples, and no near-duplicate has to be searched for again.
//
//go:embed splits.tsv.gz
var splitData []byte

// splitTable gives the component of every known sample by ID.
var splitTable = sync.OnceValues(func() (map[string]string, error) {
	table, err := readSplitTable(splitData)
	if err != nil {
		return nil, fmt.Errorf("embedded split: %w", err)
	}
	return table, nil
})

func readSplitTable(data []byte) (map[string]string, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	table := map[string]string{}
	scanner := bufio.NewScanner(io.LimitReader(z, 64<<20))
	for line := 1; scanner.Scan(); line++ {
		component, id, ok := strings.Cut(scanner.Text(), "\t")
		if !ok || component == "" || id == "" {
			return nil, fmt.Errorf("line %d is not COMPONENT<tab>ID", line)
		}
		table[id] = component
	}
	return table, scanner.Err()
}

// writeSplitTable writes the table that readSplitTable reads.
func writeSplitTable(w io.Writer, samples []*Sample) error {
	rows := make([]string, len(samples))
	for i, s := range samples {
		rows[i] = s.ID + "\x00" + s.Component + "\t" + s.ID + "\n"
	}
	sort.Strings(rows)
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	for _, row := range rows {
		_, line, _ := strings.Cut(row, "\x00")
		if _, err := io.WriteString(z, line); err != nil {
			return err
		}
	}
	return z.Close()
}

// assignKnown sets the splits from the table. A sample that the table does
// not know joins the component of a known sample with the same concept or
// caption, or else makes one of its own.
func assignKnown(samples []*Sample, table map[string]string) {
	owner := map[string]string{}
	for _, s := range samples {
		component, ok := table[s.ID]
		if !ok {
			continue
		}
		s.assign(component)
		if s.Extra { // must not change where others go
			continue
		}
		for _, k := range s.keys() {
			if _, ok := owner[k]; !ok {
				owner[k] = component
			}
		}
	}
	for _, s := range samples {
		if s.Component != "" {
			continue
		}
		keys := s.keys()
		sort.Strings(keys)
		component := componentName(keys[0])
		for _, k := range keys {
			if known, ok := owner[k]; ok {
				component = known
				break
			}
		}
		s.assign(component)
		for _, k := range keys {
			if _, ok := owner[k]; !ok {
				owner[k] = component
			}
		}
	}
}

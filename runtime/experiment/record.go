package experiment

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/wiring/control"
)

// Record is what was settled before anything was run.
type Record struct {
	Time time.Time `json:"time"`
	// Spec is the checksum of the spec's text, which is kept too.
	Spec string `json:"spec_sha256"`
	Text string `json:"spec"`
	// Checks are checksums of what is compared and learned from ("plan",
	// "training examples", …), and what else decides the results ("code",
	// "kernels").
	Checks map[string]string `json:"checks"`
	// Runs that will be made.
	Runs int `json:"runs"`
}

// Row is the result of a run: of a network, by its condition and number, taught
// with a seed.
type Row struct {
	Condition string `json:"condition"`
	Network   int    `json:"network"` // from 1 on; 0 of the plan and of controls
	Seed      int    `json:"seed"`    // from 1 on
	// At is the place of a curve's point, What was cut there, where that is one
	// thing.
	At   float64 `json:"at,omitempty"`
	What string  `json:"what,omitempty"`
	// Score is the metric that was asked for, Metrics all of them, Items the
	// score of each example, by its name, where it has one.
	Score   float64            `json:"score"`
	Metrics map[string]float64 `json:"metrics"`
	Items   map[string]float64 `json:"items,omitempty"`
	// Wiring is what the network was before it learned.
	Wiring control.Facts `json:"wiring"`
	Moved  float64       `json:"moved"` // share of tracts that the plan does not have

	Seconds float64   `json:"seconds"`
	Time    time.Time `json:"time"`
	// Before is the checksum of the row before, or of the record; Hash is that
	// of this row.
	Before string `json:"before"`
	Hash   string `json:"hash"`
}

// hash is the row's checksum.
func (r Row) hash() (string, error) {
	r.Hash = ""
	data, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	return checksum(data), nil
}

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Log is an experiment's record and the results so far.
type Log struct {
	Record Record
	Rows   []Row

	// ID is the record's checksum.
	ID string

	path string // of the results
	last string // checksum of the last row
}

// Open reads a spec's record and results, which lie beside its file as
// NAME.record.json and NAME.results.jsonl, or begins them. checks are those of
// this machine and these files: an experiment that was begun with others is an
// error, and so is a result that was changed. A row that was cut off while it was
// written is dropped.
func Open(s *Spec, checks map[string]string, runs int) (*Log, error) {
	l, err := load(s)
	if errors.Is(err, fs.ErrNotExist) {
		return settle(s, checks, runs)
	}
	if err != nil {
		return nil, err
	}
	changed := differences(l.Record.Checks, checks)
	if l.Record.Text != s.Text {
		changed = append(changed, s.name)
	}
	if len(changed) > 0 {
		return nil, fmt.Errorf("%s: since the experiment was begun on %s something changed: %s; another experiment takes another file, and both are shown",
			s.Beside(".record.json"), l.Record.Time.Format("2006-01-02 15:04"), strings.Join(changed, ", "))
	}
	return l, l.read()
}

// reopen is [Open] of an experiment to which nothing is added: of what it was made with
// all but the spec may have changed, which is listed.
func reopen(s *Spec, checks map[string]string) (l *Log, changed []string, err error) {
	switch l, err = load(s); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("nothing was run: %w", err)
	case err != nil:
		return nil, nil, err
	case l.Record.Text != s.Text:
		return nil, nil, fmt.Errorf("%s: the results are those of another %s; the record holds its text", s.Beside(".record.json"), s.name)
	}
	return l, differences(l.Record.Checks, checks), l.read()
}

// load reads a spec's record, whose text has to be that of its checksum, and no row
// yet.
func load(s *Spec) (*Log, error) {
	name := s.Beside(".record.json")
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	l := begin(s, data)
	if err := json.Unmarshal(data, &l.Record); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if checksum([]byte(l.Record.Text)) != l.Record.Spec {
		return nil, fmt.Errorf("%s: its text of the spec is not that of its checksum: the record was changed", name)
	}
	return l, nil
}

// settle writes a spec's record, before anything is run.
func settle(s *Spec, checks map[string]string, runs int) (*Log, error) {
	name, results := s.Beside(".record.json"), s.Beside(".results.jsonl")
	if _, err := os.Stat(results); err == nil {
		return nil, fmt.Errorf("%s is there without its record %s: results that nothing was settled for; move it away", results, name)
	}
	r := Record{Time: time.Now().UTC().Truncate(time.Second), Spec: checksum([]byte(s.Text)), Text: s.Text, Checks: checks, Runs: runs}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	data = append(data, '\n')
	if err := atomicfile.WriteBytes(name, data); err != nil {
		return nil, err
	}
	l := begin(s, data)
	l.Record = r
	return l, nil
}

// begin is the log of a record, of which data are the text.
func begin(s *Spec, data []byte) *Log {
	id := checksum(data)
	return &Log{path: s.Beside(".results.jsonl"), ID: id, last: id}
}

// differences are the checks that are not as they were, sorted.
func differences(was, now map[string]string) []string {
	var out []string
	for name := range now {
		if was[name] != now[name] {
			out = append(out, fmt.Sprintf("%s (was %s, is %s)", name, short(was[name]), short(now[name])))
		}
	}
	slices.Sort(out)
	return out
}

func short(s string) string {
	if len(s) == 2*sha256.Size {
		return s[:12]
	}
	if s == "" {
		return "not there"
	}
	return s
}

// read reads the rows, and cuts off one that was not written to its end.
func (l *Log) read() error {
	data, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	whole := data
	if end := bytes.LastIndexByte(data, '\n') + 1; end < len(data) {
		whole = data[:end]
		if err := os.Truncate(l.path, int64(end)); err != nil {
			return err
		}
	}
	lines := bufio.NewScanner(bytes.NewReader(whole))
	lines.Buffer(nil, 1<<28)
	for n := 1; lines.Scan(); n++ {
		var r Row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("%s:%d: %w", l.path, n, err)
		}
		sum, err := r.hash()
		if err != nil {
			return fmt.Errorf("%s:%d: %w", l.path, n, err)
		}
		if sum != r.Hash || r.Before != l.last {
			return fmt.Errorf("%s:%d: the row does not follow from what stands before it: it, one before it, or the record was changed", l.path, n)
		}
		l.last = r.Hash
		l.Rows = append(l.Rows, r)
	}
	return lines.Err()
}

// add appends a row, and returns when it is on the disk.
func (l *Log) add(r Row) error {
	r.Before = l.last
	var err error
	if r.Hash, err = r.hash(); err != nil {
		return err
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := appendLine(l.path, append(line, '\n')); err != nil {
		return err
	}
	l.last = r.Hash
	l.Rows = append(l.Rows, r)
	return nil
}

// appendLine writes a line to the end of a file, and returns when it is on the
// disk. Of a line that the disk has no room for nothing is left behind.
func appendLine(path string, line []byte) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	_, err = f.Write(line)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		err = errors.Join(err, f.Truncate(info.Size()))
	}
	return errors.Join(err, f.Close())
}

// has says whether a run was made.
func (l *Log) has(r run) bool {
	return slices.ContainsFunc(l.Rows, func(row Row) bool {
		return row.Condition == r.condition && row.Network == r.network && row.Seed == r.seed && row.At == r.at
	})
}

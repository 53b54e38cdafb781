package learn

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/connectomewire/wire/internal/atomicfile"
)

// A checkpoint is a line of JSON, then the parameters, AdamW's two means and
// the best parameters so far, as little-endian float32, then the SHA-256 of
// all that.
type checkpointHead struct {
	Wire   string `json:"wire"` // "checkpoint 2"
	Run    string `json:"run"`  // fingerprint of plan, data and options
	State  state  `json:"state"`
	Moment int    `json:"moment"` // AdamW's step
	Floats int    `json:"floats"` // of each array
}

const checkpointKind = "checkpoint 2"

// save writes the checkpoint, if one is wanted.
func (f *fitter) save() error {
	if f.o.Checkpoint == "" {
		return nil
	}
	head, err := json.Marshal(checkpointHead{
		Wire: checkpointKind, Run: f.key, State: f.state, Moment: f.adam.step, Floats: len(f.best),
	})
	if err != nil {
		return fmt.Errorf("learn: checkpoint: %w", err)
	}
	return atomicfile.Write(f.o.Checkpoint, func(w io.Writer) error {
		sum := sha256.New()
		out := io.MultiWriter(w, sum)
		if _, err := out.Write(append(head, '\n')); err != nil {
			return err
		}
		for _, v := range [][]float32{f.plan.Params.Data, f.adam.first, f.adam.second, f.best} {
			buf := make([]byte, 0, 4*len(v))
			for _, x := range v {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
			}
			if _, err := out.Write(buf); err != nil {
				return err
			}
		}
		_, err := w.Write(sum.Sum(nil))
		return err
	})
}

// restore continues from a checkpoint; a file that is not there is a fresh
// start, one of another run or a damaged one an error.
func (f *fitter) restore(path string) error {
	f.key = fingerprint(f.plan, f.data, f.o)
	n := len(f.best)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("learn: %w", err)
	}
	defer file.Close()
	limit := int64(16*n + 1<<16)
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return fmt.Errorf("learn: %w", err)
	}
	damaged := func(why string) error {
		return fmt.Errorf("learn: checkpoint %s is damaged (%s); delete it to start afresh", path, why)
	}
	if int64(len(data)) > limit || len(data) < sha256.Size {
		return damaged("its size")
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	line, rest, ok := bytes.Cut(body, []byte("\n"))
	if !ok {
		return damaged("no header")
	}
	var head checkpointHead
	if err := json.Unmarshal(line, &head); err != nil || head.Wire != checkpointKind {
		return damaged("its header is none of a checkpoint")
	}
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return damaged("its checksum")
	}
	if head.Run != f.key {
		return fmt.Errorf("learn: checkpoint %s belongs to another run (other plan, data or options); delete it or name another file", path)
	}
	if head.Floats != n || len(rest) != 16*n {
		return damaged("its length")
	}
	f.state, f.adam.step = head.State, head.Moment
	for i, v := range [][]float32{f.plan.Params.Data, f.adam.first, f.adam.second, f.best} {
		for k := range v {
			v[k] = math.Float32frombits(binary.LittleEndian.Uint32(rest[4*(i*n+k):]))
		}
	}
	f.net.refresh()
	return nil
}

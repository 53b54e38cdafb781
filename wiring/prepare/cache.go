package prepare

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// cacheVersion changes whenever augment or what is cached does.
const cacheVersion = 2

// chunkKey identifies what the modules, on their engines, make of some
// examples.
func (r *preparer) chunkKey(examples []task.Example, views int) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s views %d seed %d\n", cacheVersion, r.modules.Key(), views, r.o.Seed)
	for i := range r.plan.Senses {
		s := &r.plan.Senses[i]
		if s.Kind == wiring.KindMemory {
			continue // is not cached: it depends on all episodes
		}
		fmt.Fprintf(h, "%s %q %s %d %t\n", s.Name, s.All(), s.Read, s.Numbers(), s.PerTick)
		if s.Views > 1 {
			fmt.Fprintf(h, "%d views\n", s.Views)
		}
	}
	for i := range examples {
		e := &examples[i]
		fmt.Fprintf(h, "%q %q %t\n", e.ID, e.Key, e.Mirror)
		if n := viewsOf(e, views); n != views {
			fmt.Fprintf(h, "views %d\n", n)
		}
		for _, name := range sortedKeys(e.Inputs) {
			fmt.Fprintf(h, "%q %s\n", name, e.Inputs[name].Kind)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// chunkFile is what a cache file holds.
type chunkFile struct {
	Key   string
	Rows  [][][]float32
	Steps []int
	Bad   [][]string
}

// loadChunk reads a chunk from the cache. A missing or damaged file is no
// error: it is made again.
func loadChunk(dir, key string, examples int, numbers []int) (rows []given, ok bool) {
	if dir == "" {
		return nil, false
	}
	data, err := os.ReadFile(filepath.Join(dir, key+".gob"))
	if err != nil || len(data) < sha256.Size {
		return nil, false
	}
	body := data[sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], data[:sha256.Size]) {
		return nil, false
	}
	var c chunkFile
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(&c); err != nil || c.Key != key || len(c.Rows) != examples || len(c.Bad) != examples || len(c.Steps) != examples {
		return nil, false
	}
	rows = make([]given, examples)
	for i := range rows {
		rows[i] = given{vectors: c.Rows[i], steps: c.Steps[i], bad: c.Bad[i]}
		if rows[i].vectors == nil { // gob drops slices of nothing
			rows[i].vectors = make([][]float32, len(numbers))
		}
		if len(rows[i].vectors) != len(numbers) {
			return nil, false
		}
		for k, x := range rows[i].vectors {
			if len(x)%numbers[k] != 0 {
				return nil, false
			}
			if len(x) == 0 {
				rows[i].vectors[k] = nil
			}
		}
	}
	return rows, true
}

func saveChunk(dir, key string, rows []given) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("prepare: cache: %w", err)
	}
	c := chunkFile{Key: key}
	for i := range rows {
		c.Rows, c.Steps, c.Bad = append(c.Rows, rows[i].vectors), append(c.Steps, rows[i].steps), append(c.Bad, rows[i].bad)
	}
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(c); err != nil {
		return fmt.Errorf("prepare: cache: %w", err)
	}
	sum := sha256.Sum256(body.Bytes())
	return atomicfile.WriteBytes(filepath.Join(dir, key+".gob"), append(sum[:], body.Bytes()...))
}

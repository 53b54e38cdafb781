package learn

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
)

// viewsVersion changes whenever augment or what is cached does.
const viewsVersion = 1

// chunkKey identifies what the modules make of some examples.
func (r *preparer) chunkKey(examples []Example, views int) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s views %d seed %d\n", viewsVersion, r.o.Key, views, r.o.Seed)
	for _, s := range r.plan.Senses {
		if s.Kind == wiring.KindMemory {
			continue // is not cached: it depends on all episodes
		}
		fmt.Fprintf(h, "%s %s %s %d\n", s.Kind, s.Module, s.Port, s.Width)
	}
	for _, e := range examples {
		fmt.Fprintf(h, "%q %q %t %t %t\n", e.ID, e.Key, e.Mirror, e.Image != nil, e.Sound != nil)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// chunkFile is what a cache file holds.
type chunkFile struct {
	Key  string
	Rows [][][]float32
	Bad  []string
}

// loadChunk reads a chunk from the cache. A missing or damaged file is no
// error: it is made again.
func loadChunk(dir, key string, examples int, widths []int) (rows [][][]float32, bad []string, ok bool) {
	if dir == "" {
		return nil, nil, false
	}
	data, err := os.ReadFile(filepath.Join(dir, key+".gob"))
	if err != nil || len(data) < sha256.Size {
		return nil, nil, false
	}
	body := data[sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], data[:sha256.Size]) {
		return nil, nil, false
	}
	var c chunkFile
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(&c); err != nil || c.Key != key || len(c.Rows) != examples || len(c.Bad) != examples {
		return nil, nil, false
	}
	for i := range c.Rows {
		if c.Rows[i] == nil { // gob drops slices of nothing
			c.Rows[i] = make([][]float32, len(widths))
		}
		if len(c.Rows[i]) != len(widths) {
			return nil, nil, false
		}
		for k, x := range c.Rows[i] {
			if len(x)%widths[k] != 0 {
				return nil, nil, false
			}
			if len(x) == 0 {
				c.Rows[i][k] = nil
			}
		}
	}
	return c.Rows, c.Bad, true
}

func saveChunk(dir, key string, rows [][][]float32, bad []string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("learn: cache: %w", err)
	}
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(chunkFile{Key: key, Rows: rows, Bad: bad}); err != nil {
		return fmt.Errorf("learn: cache: %w", err)
	}
	sum := sha256.Sum256(body.Bytes())
	return atomicfile.WriteBytes(filepath.Join(dir, key+".gob"), append(sum[:], body.Bytes()...))
}

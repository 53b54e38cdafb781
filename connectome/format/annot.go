package format

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/connectomewire/wire/connectome"
)

// FreeSurfer's annotations (.annot): for every vertex of a surface the colour
// of its region, and a colour table that names the regions.

const (
	maxAnnotName    = 1 << 12
	maxAnnotEntries = 1 << 16
)

// isAnnot recognises the file's name, and a count of vertices that are
// numbered from 0, as FreeSurfer numbers them.
func isAnnot(head []byte, name string) bool {
	return len(head) >= 16 && strings.HasSuffix(strings.ToLower(name), ".annot")
}

// annotReader reads numbers and texts one after the other.
type annotReader struct {
	data []byte
	at   int
}

func (r *annotReader) int(what string) (int, error) {
	if r.at+4 > len(r.data) {
		return 0, fmt.Errorf("the file ends at byte %d, before %s", len(r.data), what)
	}
	x := int(int32(binary.BigEndian.Uint32(r.data[r.at:])))
	r.at += 4
	return x, nil
}

func (r *annotReader) text(what string) (string, error) {
	n, err := r.int("the length of " + what)
	if err != nil {
		return "", err
	}
	if n < 0 || n > maxAnnotName || n > len(r.data)-r.at {
		return "", fmt.Errorf("%s of %d bytes at byte %d", what, n, r.at)
	}
	t := string(r.data[r.at : r.at+n])
	r.at += n
	return strings.TrimRight(t, "\x00"), nil
}

func (s *source) annotLabels() ([]labelEntry, error) {
	data, err := s.all()
	if err != nil {
		return nil, err
	}
	r := &annotReader{data: data}
	entries, err := r.entries()
	if err != nil {
		return nil, s.failf(ErrCorrupt, 0, 0, "fetch the file again; is it a FreeSurfer annotation?", "%v", err)
	}
	return entries, nil
}

func (r *annotReader) entries() ([]labelEntry, error) {
	vertices, err := r.int("the number of vertices")
	if err != nil {
		return nil, err
	}
	if vertices < 0 || vertices > (len(r.data)-r.at)/8 {
		return nil, fmt.Errorf("%d vertices in %d bytes", vertices, len(r.data))
	}
	used := map[int]bool{}
	for range vertices {
		used[int(binary.BigEndian.Uint32(r.data[r.at+4:]))] = true
		r.at += 8
	}
	if tag, err := r.int("the colour table"); err != nil {
		return nil, err
	} else if tag != 1 {
		return nil, fmt.Errorf("no colour table: tag %d", tag)
	}
	count, err := r.int("the number of colours")
	if err != nil {
		return nil, err
	}
	numbered := count < 0
	if numbered {
		if count != -2 {
			return nil, fmt.Errorf("colour table of version %d", -count)
		}
		if _, err := r.int("the number of colours"); err != nil {
			return nil, err
		}
	}
	if _, err := r.text("the name of the colour table"); err != nil {
		return nil, err
	}
	if numbered {
		if count, err = r.int("the number of colours"); err != nil {
			return nil, err
		}
	}
	if count < 0 || count > maxAnnotEntries {
		return nil, fmt.Errorf("%d colours", count)
	}
	var entries []labelEntry
	for i := range count {
		key := i
		if numbered {
			if key, err = r.int("a colour"); err != nil {
				return nil, err
			}
		}
		name, err := r.text("a name")
		if err != nil {
			return nil, err
		}
		var rgbt [4]int
		for k := range rgbt {
			if rgbt[k], err = r.int("a colour"); err != nil {
				return nil, err
			}
		}
		colour := rgbt[0] | rgbt[1]<<8 | rgbt[2]<<16 | rgbt[3]<<24
		// The first entry is the background by custom only: a name says so.
		entries = append(entries, labelEntry{key: key + 1, region: connectome.Region{Label: name}, absent: vertices > 0 && !used[colour&0xffffff] && !used[colour]})
	}
	return entries, nil
}

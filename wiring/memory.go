package wiring

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/connectomewire/wire/internal/kernel"
)

// How a memory recalls: the episodes most alike in number, and the inverse
// temperature β of their weights. Of the values tried on validation data
// (β 10 to 80) 30 to 50 do about equally well.
const (
	RecallEpisodes  = 30
	RecallSharpness = 40
)

// Memory is a plan's episodic memory, the fast learner beside the slow one of
// its tracts (complementary learning systems, McClelland, McNaughton &
// O'Reilly 1995). It keeps what one sense gave in each training episode, as
// key, and what went with it, as value: an opaque payload, whose
// vector is what comes back. What is before the plan
// now brings back
//
//	Σ softmax(β cos(x, key)) value
//
// which is one step of a modern Hopfield network (Ramsauer et al. 2020), over
// the episodes most alike. It enters the regions of the sense of kind
// [KindMemory], usually the hippocampus, like anything seen or heard.
//
// Keys and values are unit vectors in 8-bit steps. A Memory does not change
// and is safe for concurrent use.
type Memory struct {
	// KeyWidth is the width of the cue's vectors, ValueWidth that of payloads'.
	KeyWidth, ValueWidth int
	// Episodes names each episode, for people; what went with it is
	// Payloads[Payload[i]].
	Episodes []string
	Payload  []int32
	// Payloads are the distinct values as whoever made the memory wrote them,
	// for example sentences; only their vectors mean something here.
	Payloads []string

	keys, values []int8    // [episodes, key width], [payloads, value width]
	packed       []float32 // the keys at length 1, see [kernel.PackB]
	meaning      []float32 // the values at length 1
}

// NewMemory makes a memory of episodes: their names, their keys [episodes,
// keyWidth], the index of each one's payload, and the payloads with their
// values [payloads, valueWidth].
func NewMemory(episodes []string, keys []float32, keyWidth int, payload []int32, payloads []string, values []float32, valueWidth int) (*Memory, error) {
	m := &Memory{KeyWidth: keyWidth, ValueWidth: valueWidth, Episodes: episodes, Payload: payload, Payloads: payloads}
	if len(keys) != len(episodes)*keyWidth || len(values) != len(payloads)*valueWidth {
		return nil, fmt.Errorf("memory: %d numbers of keys for %d episodes of width %d, %d of values for %d payloads of width %d",
			len(keys), len(episodes), keyWidth, len(values), len(payloads), valueWidth)
	}
	m.keys, m.values = steps(keys, keyWidth), steps(values, valueWidth)
	if err := m.ready(); err != nil {
		return nil, err
	}
	return m, nil
}

// steps writes rows in 127 steps up to each row's largest magnitude; lengths
// are forgotten.
func steps(rows []float32, width int) []int8 {
	out := make([]int8, len(rows))
	for lo := 0; lo+width <= len(rows); lo += width {
		row := rows[lo:][:width]
		var top float64
		for _, v := range row {
			top = max(top, math.Abs(float64(v)))
		}
		if !(top > 0) || math.IsInf(top, 0) {
			continue
		}
		for i, v := range row {
			out[lo+i] = int8(math.Round(127 * float64(v) / top))
		}
	}
	return out
}

// ready checks the memory and prepares it for recall.
func (m *Memory) ready() error {
	n := len(m.Episodes)
	switch {
	case n == 0:
		return fmt.Errorf("memory: it holds no episode")
	case m.KeyWidth < 1 || m.ValueWidth < 1:
		return fmt.Errorf("memory: keys are %d wide and values %d", m.KeyWidth, m.ValueWidth)
	case len(m.Payload) != n || len(m.keys) != n*m.KeyWidth || len(m.values) != len(m.Payloads)*m.ValueWidth:
		return fmt.Errorf("memory: %d episodes with %d payloads and %d numbers of keys, %d payloads with %d numbers of values",
			n, len(m.Payload), len(m.keys), len(m.Payloads), len(m.values))
	}
	for i, c := range m.Payload {
		if c < 0 || int(c) >= len(m.Payloads) {
			return fmt.Errorf("memory: episode %q has payload %d of %d", m.Episodes[i], c, len(m.Payloads))
		}
	}
	unit := func(rows []int8, width int) []float32 {
		out := make([]float32, len(rows))
		for i, v := range rows {
			out[i] = float32(v)
		}
		for lo := 0; lo < len(out); lo += width {
			UnitLength(out[lo:][:width])
		}
		return out
	}
	m.meaning = unit(m.values, m.ValueWidth)
	m.packed = make([]float32, kernel.PackedLen(m.KeyWidth, n))
	kernel.PackB(m.packed, unit(m.keys, m.KeyWidth), m.KeyWidth, true, m.KeyWidth, n)
	return nil
}

// Recollection is an episode that came to mind.
type Recollection struct {
	Episode int
	// Cosine of the cue and the episode's key.
	Cosine float32
}

// Recall returns the episodes most alike to a cue, [KeyWidth], the nearest
// first and the earlier of equals first. skip, when not nil, says which
// episodes may not come to mind.
func (m *Memory) Recall(cue []float32, n int, skip func(episode int) bool) []Recollection {
	x := append([]float32(nil), cue...)
	UnitLength(x)
	cos := make([]float32, len(m.Episodes))
	kernel.GemmPacked(1, len(cos), m.KeyWidth, x, m.KeyWidth, m.packed, cos, len(cos), false)
	var top []Recollection
	for i, c := range cos {
		if n < 1 || len(top) == n && c <= top[n-1].Cosine || skip != nil && skip(i) {
			continue
		}
		if len(top) < n {
			top = append(top, Recollection{})
		}
		k := len(top) - 1
		for ; k > 0 && c > top[k-1].Cosine; k-- {
			top[k] = top[k-1]
		}
		top[k] = Recollection{i, c}
	}
	return top
}

// Remember adds Σ softmax(β cos) value of the recollections to dst,
// [ValueWidth].
func (m *Memory) Remember(dst []float32, found []Recollection) {
	var sum float64
	for _, r := range found {
		sum += m.weight(r, found)
	}
	for _, r := range found {
		w := float32(m.weight(r, found) / sum)
		for i, v := range m.meaning[int(m.Payload[r.Episode])*m.ValueWidth:][:m.ValueWidth] {
			dst[i] += w * v
		}
	}
}

// weight is e^(β(cos − the nearest's)).
func (m *Memory) weight(r Recollection, found []Recollection) float64 {
	return math.Exp(RecallSharpness * float64(r.Cosine-found[0].Cosine))
}

// memoryColumns is the header of memory.tsv; format 1 called the second column
// otherwise.
const (
	memoryColumns  = "episode\tvalue"
	memoryColumns1 = "episode\tcaption"
)

// tsv writes one row an episode.
func (m *Memory) tsv() []byte {
	var b bytes.Buffer
	b.WriteString(memoryColumns + "\n")
	for i, e := range m.Episodes {
		fmt.Fprintf(&b, "%s\t%s\n", e, m.Payloads[m.Payload[i]])
	}
	return b.Bytes()
}

// Names of the tensors of memory.safetensors.
const (
	memoryKeys   = "keys"   // I8 [episodes, key width], rows as in memory.tsv
	memoryValues = "values" // I8 [payloads, value width], in order of first mention
)

// tensors writes keys and values.
func (m *Memory) tensors() []byte {
	bytesOf := func(v []int8) []byte {
		out := make([]byte, len(v))
		for i, x := range v {
			out[i] = byte(x)
		}
		return out
	}
	return encodeTensors("wire memory", []rawTensor{
		{memoryKeys, "I8", []int{len(m.Episodes), m.KeyWidth}, bytesOf(m.keys)},
		{memoryValues, "I8", []int{len(m.Payloads), m.ValueWidth}, bytesOf(m.values)},
	})
}

// readMemory reads a memory from its two files.
func readMemory(table, tensors []byte) (*Memory, error) {
	m := &Memory{}
	at := map[string]int32{}
	for i, line := range strings.Split(strings.TrimSuffix(string(table), "\n"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if i == 0 {
			if line != memoryColumns && line != memoryColumns1 {
				return nil, &Error{File: memoryFileName, Line: 1, Column: 1, Msg: fmt.Sprintf("the header is %q, want the columns episode and value separated by a tab", line)}
			}
			continue
		}
		episode, payload, ok := strings.Cut(line, "\t")
		if !ok || payload == "" || strings.Contains(payload, "\t") {
			return nil, &Error{File: memoryFileName, Line: i + 1, Column: 1, Msg: "want an episode and its value separated by a tab"}
		}
		c, known := at[payload]
		if !known {
			c = int32(len(m.Payloads))
			at[payload] = c
			m.Payloads = append(m.Payloads, payload)
		}
		m.Episodes, m.Payload = append(m.Episodes, episode), append(m.Payload, c)
	}
	fail := func(err error) error {
		return &Error{File: memoryTensorsName, Msg: err.Error(), Err: err}
	}
	raw, err := decodeTensors(tensors)
	if err != nil {
		return nil, fail(err)
	}
	read := func(name string, rows int) ([]int8, int, error) {
		t, err := raw.get(name, "I8")
		if err != nil {
			return nil, 0, fail(err)
		}
		if len(t.shape) != 2 || t.shape[0] != rows || t.shape[1] < 1 {
			return nil, 0, fail(fmt.Errorf("tensor %q has shape %v, want %d rows as in %s: the files belong to different plans", name, t.shape, rows, memoryFileName))
		}
		out := make([]int8, len(t.data))
		for i, b := range t.data {
			out[i] = int8(b)
		}
		return out, t.shape[1], nil
	}
	if m.keys, m.KeyWidth, err = read(memoryKeys, len(m.Episodes)); err != nil {
		return nil, err
	}
	if m.values, m.ValueWidth, err = read(memoryValues, len(m.Payloads)); err != nil {
		return nil, err
	}
	if err := m.ready(); err != nil {
		return nil, fail(err)
	}
	return m, nil
}

package frozen_test

import (
	"math"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/task"
)

// TestOneRunGivesVectorAndText: what a module gives a sense and what it gives
// in the space of texts come of one run and are each what they would be alone.
func TestOneRunGivesVectorAndText(t *testing.T) {
	dir := filepath.Join("..", "reference", "testdata", "plan")
	p, err := wiring.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, err := frozen.Open(p, library.Finder{Base: dir}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	bell := task.Sound{Rate: 16000, Samples: make([]float32, 40000)}
	for i := range bell.Samples {
		bell.Samples[i] = float32(0.4 * math.Sin(float64(i)*0.3) * math.Exp(-float64(i)/8000))
	}
	sense := p.Sense("sound")
	const semantic = 256 // of the module's output "text_embedding"
	vector, text, err := m.EncodeWithText(t.Context(), sense, modules.KindSound, bell, semantic)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := m.Encode(t.Context(), sense, modules.KindSound, []any{bell})
	if err != nil {
		t.Fatal(err)
	}
	other := *sense
	other.Port, other.Width = "text_embedding", semantic
	meaning, err := m.Encode(t.Context(), &other, modules.KindSound, []any{bell})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(vector, alone) || !reflect.DeepEqual(text, meaning) || len(vector) == len(text) {
		t.Errorf("%d numbers for the sense and %d in the space of texts; alone they are %d and %d, or others", len(vector), len(text), len(alone), len(meaning))
	}
	// Where the sense itself is in that space, it is the text; of another width there is none.
	if v, x, err := m.EncodeWithText(t.Context(), &other, modules.KindSound, bell, semantic); err != nil || !reflect.DeepEqual(v, x) {
		t.Errorf("the sense's own port: %v, %d and %d numbers", err, len(v), len(x))
	}
	for _, width := range []int{0, 100} {
		if v, x, err := m.EncodeWithText(t.Context(), sense, modules.KindSound, bell, width); err != nil || x != nil || !reflect.DeepEqual(v, alone) {
			t.Errorf("width %d: %v, text of %d numbers", width, err, len(x))
		}
	}
}

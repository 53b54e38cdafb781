package answer_test

import (
	"testing"

	"github.com/connectomewire/wire/datasets/strangers"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/task"
)

// TestNotSureOfStrangers: the built-in plan doubts noise, blank pictures and
// silence, drawn with a seed that its calibration did not have, and believes
// more of what it says about photographs. Without its calibration it has no
// such doubts.
func TestNotSureOfStrangers(t *testing.T) {
	ctx := t.Context()
	plan, err := wiring.DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	if plan.Calibration == nil {
		t.Fatal("the built-in plan is not calibrated")
	}
	modules, err := frozen.Open(plan, library.Finder{}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	defer modules.Close()
	session, err := answer.New(ctx, plan, modules, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(sense string, value any) task.Answer {
		t.Helper()
		in, err := session.Encode(ctx, answer.Inputs{sense: value})
		if err != nil {
			t.Fatal(err)
		}
		answers, err := session.Answer(ctx, []*answer.Encoded{in}, answer.Greedy())
		if err != nil {
			t.Fatal(err)
		}
		signs := answers[0].Signs["caption"]
		for _, name := range wiring.Signs {
			if _, there := signs[name]; !there {
				t.Errorf("the sign %q is missing", name)
			}
		}
		return answers[0].By["caption"]
	}
	unsure, n := 0, 0
	var strange float64
	doubt := func(a task.Answer) {
		n++
		strange += a.Confidence
		if a.Unsure {
			unsure++
		}
	}
	for _, p := range strangers.Pictures(12, 77) {
		doubt(ask("image", p))
	}
	for _, s := range strangers.Sounds(7, 77) {
		doubt(ask("sound", task.Sound{Samples: s, Rate: strangers.Rate}))
	}
	var known float64
	photographs := 0
	for _, it := range demo.Items() {
		if it.IsPhotograph() {
			photographs++
			known += ask("image", it.Image()).Confidence
		}
	}
	if photographs < 4 || unsure < n-2 {
		t.Errorf("%d photographs; not sure of %d of %d strangers", photographs, unsure, n)
	}
	if known, strange := known/float64(photographs), strange/float64(n); known < strange+0.2 {
		t.Errorf("confidence %.2f in captions of photographs, %.2f in those of strangers", known, strange)
	}
}

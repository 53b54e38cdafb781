package lesion_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/runtime/lesion"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
)

// Every tract of the built-in plan is cut in turn while it says what it saw.
func Example() {
	ctx := context.Background()
	contributions, err := func() ([]float64, error) {
		plan, err := wiring.DefaultPlan()
		if err != nil {
			return nil, err
		}
		models, err := frozen.Open(plan, library.Finder{}, goengine.New())
		if err != nil {
			return nil, err
		}
		defer models.Close()
		session, err := answer.New(ctx, plan, models, runtime.Default())
		if err != nil {
			return nil, err
		}
		seen, err := session.Encode(ctx, answer.Inputs{"image": demo.Items()[0].Image()})
		if err != nil {
			return nil, err
		}
		said, err := session.Answer(ctx, []*answer.Encoded{seen}, answer.Greedy())
		if err != nil {
			return nil, err
		}
		study, err := lesion.New(plan, models, session, runtime.Default())
		if err != nil {
			return nil, err
		}
		return study.Tracts(ctx, seen, 0, said[0].By["caption"])
	}()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d tracts; the strongest carried more than 0.1 nats: %t\n", len(contributions), slices.Max(contributions) > 0.1)
	// Output: 657 tracts; the strongest carried more than 0.1 nats: true
}

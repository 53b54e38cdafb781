package lesion_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/caption"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/runtime/lesion"
	"github.com/connectomewire/wire/wiring"
)

// Every tract of the built-in plan is cut in turn while it says what it saw.
func Example() {
	ctx := context.Background()
	contributions, err := func() ([]float64, error) {
		plan, err := wiring.DefaultPlan()
		if err != nil {
			return nil, err
		}
		models, err := caption.Open(plan, caption.Library{}, goengine.New())
		if err != nil {
			return nil, err
		}
		defer models.Close()
		captioner, err := caption.New(ctx, plan, models, runtime.Default())
		if err != nil {
			return nil, err
		}
		seen, err := captioner.Encode(ctx, caption.Input{Image: demo.Items()[0].Image()})
		if err != nil {
			return nil, err
		}
		said, err := captioner.Captions(ctx, []*caption.Encoded{seen}, caption.Greedy())
		if err != nil {
			return nil, err
		}
		study, err := lesion.New(ctx, plan, models, runtime.Default())
		if err != nil {
			return nil, err
		}
		return study.Tracts(ctx, seen, said[0].Tokens)
	}()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d tracts; the strongest carried more than 0.1 nats: %t\n", len(contributions), slices.Max(contributions) > 0.1)
	// Output: 657 tracts; the strongest carried more than 0.1 nats: true
}

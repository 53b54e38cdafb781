package caption_test

import (
	"context"
	"fmt"

	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/caption"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/wiring"
)

// The built-in plan looks at a picture that the demonstration draws.
func Example() {
	ctx := context.Background()
	plan, err := wiring.DefaultPlan()
	if err != nil {
		fmt.Println(err)
		return
	}
	models, err := caption.Open(plan, caption.Library{}, goengine.New())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer models.Close()
	captioner, err := caption.New(ctx, plan, models, runtime.Default())
	if err != nil {
		fmt.Println(err)
		return
	}
	seen, err := captioner.Encode(ctx, caption.Input{Image: demo.Items()[0].Image()})
	if err != nil {
		fmt.Println(err)
		return
	}
	said, err := captioner.Captions(ctx, []*caption.Encoded{seen}, caption.Greedy())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(said[0].Text)
	// Output: apple
}

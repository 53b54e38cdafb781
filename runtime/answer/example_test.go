package answer_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
)

// The built-in plan looks at a photograph of the demonstration.
func Example() {
	ctx := context.Background()
	plan, err := wiring.DefaultPlan()
	if err != nil {
		fmt.Println(err)
		return
	}
	modules, err := frozen.Open(plan, library.Finder{}, goengine.New())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer modules.Close()
	session, err := answer.New(ctx, plan, modules, runtime.Default())
	if err != nil {
		fmt.Println(err)
		return
	}
	seen, err := session.Encode(ctx, answer.Inputs{"image": demo.Items()[4].Image()})
	if err != nil {
		fmt.Println(err)
		return
	}
	answers, err := session.Answer(ctx, []*answer.Encoded{seen}, answer.Greedy())
	if err != nil {
		fmt.Println(err)
		return
	}
	caption := strings.Fields(answers[0].By["caption"].Text) // a pizza sitting on a table …
	fmt.Println(caption[0], caption[1])
	// Output: a pizza
}

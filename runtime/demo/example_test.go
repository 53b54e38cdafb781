package demo_test

import (
	"fmt"

	"github.com/connectomewire/wire/runtime/demo"
)

func ExampleItems() {
	for _, item := range demo.Items() {
		if item.Name == "apple" || item.Name == "bell" {
			fmt.Println(item.File(), "shows", item.Shows)
		}
	}
	// Output:
	// apple.png shows a red apple
	// bell.wav shows a bell
}

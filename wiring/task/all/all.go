// Package all registers every kind of task that ships with wire.
package all

import (
	_ "github.com/connectomewire/wire/wiring/task/answering"   // registers itself
	_ "github.com/connectomewire/wire/wiring/task/captioning"  // registers itself
	_ "github.com/connectomewire/wire/wiring/task/forecasting" // registers itself
	_ "github.com/connectomewire/wire/wiring/task/labelling"   // registers itself
	_ "github.com/connectomewire/wire/wiring/task/regression"  // registers itself
	_ "github.com/connectomewire/wire/wiring/task/retrieval"   // registers itself
)

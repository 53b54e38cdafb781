package sound_test

import (
	"fmt"

	"github.com/connectomewire/wire/modules/sound"
)

// A second of sound becomes log-mel frames.
func ExampleSpec_Prepare() {
	spec := sound.Spec{Rate: 16000, Window: 400, Hop: 160, FFT: 512, Mels: 64, FMin: 50, FMax: 8000}
	_, shape, err := spec.Prepare(sound.Clip{Samples: make([]float32, 44100), Rate: 44100})
	fmt.Println(shape, err)
	// Output: [64 98] <nil>
}

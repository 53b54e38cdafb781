package library_test

import (
	"fmt"

	"github.com/connectomewire/wire/modules/library"
)

func ExampleParseSource() {
	s, err := library.ParseSource("npm:@ricky0123/vad-web@0.0.31#dist/silero_vad_v5.onnx")
	fmt.Println(s.Scheme, s.Name, s.Version, s.Path, err)
	// Output: npm @ricky0123/vad-web 0.0.31 dist/silero_vad_v5.onnx <nil>
}

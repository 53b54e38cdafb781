package media_test

import (
	"errors"
	"fmt"

	"github.com/connectomewire/wire/runtime/serve/media"
	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// A picture that says it is huge is refused before anything is decoded.
func ExampleDecoder() {
	d := &media.Decoder{Limits: media.Limits{Pixels: 1 << 20}}
	defer d.Close()
	_, err := d.Picture([]byte("GIF89a\xff\xff\xff\xff\x00\x00\x00"))
	var refused *protocol.Error
	fmt.Println(errors.As(err, &refused), refused.Status)
	// Output: true 413
}

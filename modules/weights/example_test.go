package weights_test

import (
	"encoding/binary"
	"fmt"

	"github.com/connectomewire/wire/modules/weights"
)

func ExampleRead() {
	header := `{"bias": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}}`
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(append(file, header...), 0x00, 0x3c, 0x00, 0xc0)
	f, err := weights.Read(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Format, f.Names(), f.Tensors["bias"].Float32s())
	// Output: safetensors [bias] [1 -2]
}

package convert_test

import (
	"encoding/binary"
	"fmt"

	"github.com/connectomewire/wire/modules/convert"
	"github.com/connectomewire/wire/modules/weights"
)

func ExampleConvert() {
	header := `{"decoder.weight": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}`
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	w, err := weights.Read(append(file, 7))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = convert.Convert(w, nil)
	fmt.Println(err)
	// Output: weights of an architecture that is not known here (EfficientNet-Lite, BERT, aiSFX); export the model to ONNX with its own library
}

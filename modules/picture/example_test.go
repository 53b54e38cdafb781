package picture_test

import (
	"fmt"
	"image"
	"image/color"

	"github.com/connectomewire/wire/modules/picture"
)

// A picture becomes three planes of numbers.
func ExampleSpec_Prepare() {
	img := image.NewNRGBA(image.Rect(0, 0, 8, 4))
	for y := range 4 {
		for x := range 8 {
			img.SetNRGBA(x, y, color.NRGBA{R: 255, A: 255})
		}
	}
	spec := picture.Spec{Size: []int{2, 2}, Mean: []float64{0.5}, Std: []float64{0.5}}
	data, shape, err := spec.Prepare(picture.Image{Image: img})
	fmt.Println(shape, data, err)
	// Output: [3 2 2] [1 1 1 1 -1 -1 -1 -1 -1 -1 -1 -1] <nil>
}

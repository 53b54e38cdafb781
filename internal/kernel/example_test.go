package kernel_test

import (
	"fmt"

	"github.com/connectomewire/wire/internal/kernel"
)

func ExampleGemm() {
	a := []float32{1, 2, 3, 4, 5, 6} // [2, 3]
	b := []float32{1, 0, 1, 0, 1, 1} // [2, 3], used transposed
	c := make([]float32, 4)
	kernel.Gemm(false, true, 2, 2, 3, a, b, c, false)
	fmt.Println(c)
	// Output: [4 5 10 11]
}

func ExampleSoftmax() {
	x := []float32{1, 1, 1, 1}
	kernel.Softmax(x, x)
	fmt.Println(x)
	// Output: [0.25 0.25 0.25 0.25]
}

package metrics_test

import (
	"fmt"

	"github.com/connectomewire/wire/datasets/metrics"
)

func ExampleCIDEr() {
	cider := metrics.NewCIDEr([][]string{{"a red hat"}, {"a dog"}, {"a cat"}, {"a blue car"}})
	for _, caption := range []string{"a red hat", "a blue hat", "a dog"} {
		fmt.Printf("%-10s %.2f\n", caption, cider.Score(caption, []string{"a red hat"}))
	}
	// Output:
	// a red hat  7.50
	// a blue hat 1.25
	// a dog      0.00
}

func ExampleHeadNounMatch() {
	fmt.Println(metrics.HeadNounMatch("a hat with a feather", []string{"red hats"}))
	// Output: true
}

func ExamplePairedBootstrap() {
	ours, theirs := []float64{1, 2, 3, 4}, []float64{0, 1, 1, 3}
	interval, err := metrics.PairedBootstrap(ours, theirs, []string{"cat", "cat", "dog", "owl"}, 1000, 1)
	fmt.Printf("%.2f %v %v\n", interval.Mean, interval.Low > 0, err)
	// Output: 1.25 true <nil>
}

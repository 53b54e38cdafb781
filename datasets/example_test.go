package datasets_test

import (
	"fmt"

	"github.com/connectomewire/wire/datasets"
)

func ExampleTokenize() {
	fmt.Printf("%q\n", datasets.Tokenize("The father's red T-shirt, ironed!"))
	// Output: ["the" "father's" "red" "t-shirt" "," "ironed"]
}

func ExampleCleanCaption() {
	fmt.Println(datasets.CleanCaption("An albino peahen (a female peafowl, or peacock). It is white."))
	// Output: an albino peahen
}

func ExampleNormalCaption() {
	fmt.Println(datasets.NormalCaption("The red hats") == datasets.NormalCaption("a red hat"))
	// Output: true
}

func ExampleHeadNoun() {
	fmt.Println(datasets.HeadNoun("a red hat with a feather"))
	// Output: hat
}

func ExampleOpen() {
	set, err := datasets.Open("stamps", datasets.OpenOptions{})
	if err != nil {
		fmt.Println(err) // says which "wire data pull" is missing
		return
	}
	for _, s := range set.Split(datasets.Val)[:3] {
		picture, err := s.Image.Fit(96)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(s.ID, s.Caption(), picture.Bounds())
	}
}

func ExampleSet_Fold() {
	set := &datasets.Set{Samples: []*datasets.Sample{{ID: "cat", Fold: 0}, {ID: "dog", Fold: 3}, {ID: "owl", Fold: 0}}}
	train, test, err := set.Fold(0)
	fmt.Println(len(train), len(test), err)
	// Output: 1 2 <nil>
}

package text_test

import (
	"fmt"

	"github.com/connectomewire/wire/modules/text"
)

func ExampleNew() {
	t, err := text.New(&text.Spec{Vocabulary: "words.txt", Lower: true, Unknown: "<unk>"}, []byte("<unk>\na\nred\nhat\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ids, _ := t.Encode("A red balloon hat")
	fmt.Println(ids, t.Decode(ids))
	// Output: [1 2 0 3] a red hat
}

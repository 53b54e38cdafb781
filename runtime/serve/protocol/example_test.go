package protocol_test

import (
	"fmt"
	"log"

	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// A request is read, and answered with binary data behind the JSON.
func Example() {
	head := `{"id":"1","inputs":[{"name":"x","datatype":"UINT8","shape":[2],"parameters":{"binary_data_size":2}}],"parameters":{"binary_data_output":true}}`
	q, err := protocol.ParseRequest([]byte(head+"\x03\x04"), len(head))
	if err != nil {
		log.Fatal(err)
	}
	v, err := q.Inputs[0].Float32s()
	if err != nil {
		log.Fatal(err)
	}
	r := &protocol.Response{Model: "sum", ID: q.ID, Outputs: []protocol.Tensor{protocol.Bools("large", v[0]+v[1] > 5)}}
	body, header, err := r.Append(nil, q)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(body[:header]))
	fmt.Println(body[header:])
	// Output:
	// {"model_name":"sum","id":"1","outputs":[{"name":"large","shape":[1],"datatype":"BOOL","parameters":{"binary_data_size":1}}]}
	// [1]
}

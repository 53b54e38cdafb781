package protocol

// Datatypes of the protocol.
const (
	Bool   = "BOOL"
	Uint8  = "UINT8"
	Uint16 = "UINT16"
	Uint32 = "UINT32"
	Uint64 = "UINT64"
	Int8   = "INT8"
	Int16  = "INT16"
	Int32  = "INT32"
	Int64  = "INT64"
	FP16   = "FP16"
	BF16   = "BF16"
	FP32   = "FP32"
	FP64   = "FP64"
	Bytes  = "BYTES"
)

var sizes = map[string]int{
	Bool: 1, Uint8: 1, Int8: 1, Uint16: 2, Int16: 2, FP16: 2, BF16: 2, Uint32: 4, Int32: 4, FP32: 4, Uint64: 8, Int64: 8, FP64: 8, Bytes: 0,
}

// SizeOf is the number of bytes of an element of a datatype, 0 of BYTES; not
// ok for one that the protocol does not have.
func SizeOf(datatype string) (size int, ok bool) {
	size, ok = sizes[datatype]
	return size, ok
}

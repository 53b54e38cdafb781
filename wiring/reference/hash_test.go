package reference_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
)

// parts are the hashes of what a case came to, by name.
type parts map[string]string

// digest hashes numbers by their bits, and how many there are.
type digest struct{ hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) size(n int) { d.Write(binary.LittleEndian.AppendUint64(nil, uint64(n))) }

func (d digest) floats(lists ...[]float32) digest {
	for _, v := range lists {
		d.size(len(v))
		buf := make([]byte, 0, 4*len(v))
		for _, x := range v {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
		}
		d.Write(buf)
	}
	return d
}

func (d digest) doubles(v ...float64) digest {
	d.size(len(v))
	for _, x := range v {
		d.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)))
	}
	return d
}

func (d digest) ints(v ...int32) digest {
	d.size(len(v))
	for _, x := range v {
		d.Write(binary.LittleEndian.AppendUint32(nil, uint32(x)))
	}
	return d
}

func (d digest) texts(v ...string) digest {
	d.size(len(v))
	for _, s := range v {
		d.size(len(s))
		d.Write([]byte(s))
	}
	return d
}

func (d digest) hex() string { return hex.EncodeToString(d.Sum(nil)) }

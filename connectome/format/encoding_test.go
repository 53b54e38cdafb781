package format

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// Characters that are cut between two reads must come out whole, whatever the
// size of the reads.
func TestUTF8ReaderKeepsCharactersWhole(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{"é脳𝔘 e", "é脳𝔘 e"},
		{"caf\xe9", "café"},
		{"\xe9\xe8é\xff脳\xe8\x84", "éèéÿ脳è\u0084"},
		{strings.Repeat("aé脳𝔘\xfc", 5000), strings.Repeat("aé脳𝔘ü", 5000)},
	} {
		for _, size := range []int{1, 2, 3, 4, 7, 4096} {
			for _, source := range []io.Reader{strings.NewReader(test.in), iotest.OneByteReader(strings.NewReader(test.in))} {
				u := &utf8Reader{r: bufio.NewReaderSize(source, 16)}
				var got strings.Builder
				buf := make([]byte, size)
				for {
					n, err := u.Read(buf)
					got.Write(buf[:n])
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				if got.String() != test.want {
					t.Errorf("%.20q in reads of %d: %.40q", test.in, size, got.String())
				}
			}
		}
	}
}

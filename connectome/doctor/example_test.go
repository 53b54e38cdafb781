package doctor_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/connectomewire/wire/connectome/doctor"
	"github.com/connectomewire/wire/connectome/format"
)

// A matrix from somebody else: what is wrong with it?
func Example() {
	dir, err := os.MkdirTemp("", "wire")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "weights.csv")
	if err := os.WriteFile(path, []byte(",lh-insula,rh-insula,lh-insula\nlh-insula,0,3,n/a\nrh-insula,3,0,1\nlh-insula,2,1,0\n"), 0o644); err != nil {
		panic(err)
	}
	c, err := format.Read(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range doctor.Examine(c, doctor.Options{}).Findings {
		if f.Severity != doctor.Info {
			fmt.Printf("%s: %s\n", f.Severity, f.Message)
		}
	}
	// Output:
	// warning: rows are read as the source of tracts: the convention of plain matrices; the file does not say; the matrix is directed, so the other reading reverses every tract
	// warning: 3 regions bear 2 distinct labels: lh-insula (2 times)
	// warning: 1 entry is marked as missing (n/a, NaN or empty, the first in row 1, column 3) and taken as no tract
}

package format_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
)

func ExampleRead() {
	dir, err := os.MkdirTemp("", "wire")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "synapses.csv")
	if err := os.WriteFile(path, []byte("pre,post,synapses\nAVA,AVB,3\nAVB,AVA,1\nAVA,PVC,7\n"), 0o644); err != nil {
		panic(err)
	}
	c, err := format.Read(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Report.Format, "weighted by", c.Report.Weight)
	for t := range c.Tracts.All() {
		fmt.Println(c.Regions[t.From].Label, "→", c.Regions[t.To].Label, t.Weight)
	}
	// Output:
	// edge list weighted by synapses
	// AVA → AVB 3
	// AVA → PVC 7
	// AVB → AVA 1
}

func ExampleAmbiguousError() {
	_, err := format.Read(filepath.Join("testdata", "v5_two.mat"))
	var several *format.AmbiguousError
	if errors.As(err, &several) {
		for _, c := range several.Candidates {
			fmt.Println(c.Name, "-", c.Detail)
		}
	}
	c, err := format.Read(filepath.Join("testdata", "v5_two.mat"), format.WithVar("CIJall"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(c.Regions), "regions")
	// Output:
	// CIJctx - 4 × 4, -0.25 to 7
	// CIJall - 5 × 5, -0.25 to 7
	// 5 regions
}

func ExampleWrite() {
	dir, err := os.MkdirTemp("", "wire")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	m, err := connectome.FromDense([][]float64{{0, 2}, {2, 0}}, [][]float64{{0, 35}, {35, 0}})
	if err != nil {
		panic(err)
	}
	c := &connectome.Connectome{Regions: []connectome.Region{{Label: "V1"}, {Label: "V2"}}, Tracts: m}
	path := filepath.Join(dir, "pair.edgelist")
	if err := format.Write(path, c, ""); err != nil {
		fmt.Println(err)
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	fmt.Print(string(text))
	// Output:
	// source	target	weight	length_mm	type
	// V1	V2	2	35	Undirected
}

package own_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/connectomewire/wire/datasets/own"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "iris")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "iris.csv")
	table := "sepal,petal,species\n5.1,1.4,setosa\n4.9,1.5,setosa\n7.0,4.7,versicolor\n6.4,4.5,versicolor\n6.3,6.0,virginica\n5.8,5.1,virginica\n"
	if err := os.WriteFile(path, []byte(table), 0o644); err != nil {
		log.Fatal(err)
	}
	d, err := own.Open(context.Background(), path, own.Options{
		Inputs:  map[string]string{"vector": "sepal+petal"},
		Targets: map[string]string{"label": "species"},
	})
	if err != nil {
		log.Fatal(err)
	}
	input, target := d.Inputs[0].Column, d.Targets[0].Column
	fmt.Println(d.Columns[target].Classes)
	for _, row := range d.Rows[:2] {
		fmt.Println(row.ID, row.Values[input].Data, row.Values[target].Text())
	}
	// Output:
	// [setosa versicolor virginica]
	// iris.csv:2 [5.1 1.4] setosa
	// iris.csv:3 [4.9 1.5] setosa
}

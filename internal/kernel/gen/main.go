// Command gen writes the assembly of package kernel:
//
//	go generate ./internal/kernel
package main

import (
	"log"
	"os"
)

func main() {
	for name, text := range files() {
		if err := os.WriteFile(name, text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// files are the files' texts by their names.
func files() map[string][]byte {
	out := map[string][]byte{}
	for name, fill := range map[string]func(*asm){
		"gemm_amd64.s":  products,
		"vec_amd64.s":   vectors,
		"plane_amd64.s": planes,
		"int_amd64.s":   integers,
		"gemm_arm64.s":  neon,
	} {
		a := &asm{}
		header(a)
		fill(a)
		out[name] = a.Bytes()
	}
	return out
}

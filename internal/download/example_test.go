package download_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/connectomewire/wire/internal/download"
)

func ExampleFile() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "0 1\n1 0\n")
	}))
	defer server.Close()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	result, err := download.File(context.Background(), server.URL+"/m.txt", filepath.Join(dir, "m.txt"), download.Options{
		SHA256:   "19d8e8cf6b93224d3388548d5f8bdee4cd4e033d416d8631b8c44db208da788d",
		MaxBytes: 1 << 20,
	})
	fmt.Println(result.Size, err)
	// Output:
	// 8 <nil>
}

package archive

import (
	"archive/zip"
	"fmt"
	"io"
	"strings"
)

func (w *writer) zip(source io.ReaderAt, size int64) error {
	z, err := zip.NewReader(source, size)
	if err != nil {
		return damaged(err)
	}
	for _, f := range z.File {
		name, err := w.next(f.Name)
		if err != nil {
			return err
		}
		if strings.HasSuffix(f.Name, "/") || !w.wanted(name) {
			continue
		}
		if !f.Mode().IsRegular() {
			w.report.Links++
			continue
		}
		if f.UncompressedSize64 > uint64(w.limits.FileBytes) {
			return fmt.Errorf("%w: the file is longer than %d bytes", ErrLimit, w.limits.FileBytes)
		}
		r, err := f.Open()
		if err != nil {
			return damaged(err)
		}
		err = w.file(name, r)
		r.Close()
		if err != nil {
			return damaged(err)
		}
	}
	return nil
}

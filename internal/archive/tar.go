package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// windowLimit bounds the memory that an xz or zstd stream may ask for.
const windowLimit = 128 << 20

// compressedTar unpacks a tar stream, compressed or not.
func (w *writer) compressedTar(r io.Reader) error {
	z, err := Decompress(r)
	if err != nil {
		return err
	}
	return w.tar(z)
}

// Decompress reads what a stream of gzip, bzip2, xz or zstd holds, and any
// other stream as it is. The decoders get at most 128 MiB for their windows;
// how much comes out is for the caller to bound.
func Decompress(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	magic, err := buffered.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var z io.Reader = buffered
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err = gzip.NewReader(buffered)
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		if err := checkXZWindow(buffered); err != nil {
			return nil, err
		}
		// DictCap is the least that is allocated; the header may ask for more.
		z, err = xz.ReaderConfig{DictCap: lzma.MinDictCap}.NewReader(buffered)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		// With a concurrency of one there is nothing to close.
		z, err = zstd.NewReader(buffered, zstd.WithDecoderMaxWindow(windowLimit), zstd.WithDecoderConcurrency(1))
	case bytes.HasPrefix(magic, []byte("BZh")):
		return bzip2.NewReader(buffered), nil
	default:
		return buffered, nil
	}
	if err != nil {
		return nil, damaged(err)
	}
	return z, nil
}

// Layout of an xz file up to the first filter (The .xz File Format 1.2.0,
// sections 2.1.1 and 3.1).
const (
	xzStreamHeader = 12
	xzLZMA2        = 0x21
)

// checkXZWindow refuses a stream whose first block asks for a larger window
// than [windowLimit]: the decoder would allocate whatever is asked for, up
// to 4 GiB. What later blocks ask for is not seen here; xz writes one block
// unless told otherwise, and all blocks alike.
func checkXZWindow(r *bufio.Reader) error {
	head, err := r.Peek(xzStreamHeader + 64)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if len(head) < xzStreamHeader+8 {
		return fmt.Errorf("%w: truncated xz header", ErrFormat)
	}
	flags := head[xzStreamHeader+1]
	at := xzStreamHeader + 2
	for _, optional := range []byte{0x40, 0x80} { // compressed and uncompressed size
		for flags&optional != 0 && at < len(head) {
			at++
			if head[at-1]&0x80 == 0 {
				break
			}
		}
	}
	if at+3 > len(head) || flags&3 != 0 || head[at] != xzLZMA2 || head[at+1] != 1 {
		return nil // another filter, which the decoder refuses, or an empty stream
	}
	window, err := lzma.DecodeDictCap(head[at+2])
	if err != nil {
		return damaged(err)
	}
	if window > windowLimit {
		return fmt.Errorf("%w: the xz stream asks for a window of %d bytes, at most %d are given", ErrLimit, window, int64(windowLimit))
	}
	return nil
}

func (w *writer) tar(r io.Reader) error {
	// Headers of files that are skipped cost time too: the whole stream is
	// bounded, not only what is written.
	stream := &io.LimitedReader{R: r, N: 4 * w.limits.TotalBytes}
	t := tar.NewReader(stream)
	for {
		header, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case stream.N <= 0:
			return fmt.Errorf("%w: the stream is longer than %d bytes", ErrLimit, 4*w.limits.TotalBytes)
		case err != nil:
			return damaged(err)
		}
		name, err := w.next(header.Name)
		if err != nil {
			return err
		}
		switch header.Typeflag {
		case tar.TypeReg:
			if !w.wanted(name) {
				continue
			}
			if err := w.file(name, t); err != nil {
				return damaged(err)
			}
		case tar.TypeDir, tar.TypeXGlobalHeader:
		case tar.TypeLink:
			if err := w.hardLink(name, header.Linkname); err != nil {
				return err
			}
		default:
			w.report.Links++
		}
	}
}

// hardLink copies the file that an earlier entry wrote.
func (w *writer) hardLink(name, target string) error {
	target, err := clean(target)
	if err != nil {
		return err
	}
	if !w.wanted(name) || target == "" {
		return nil
	}
	file, err := w.root.Open(filepath.FromSlash(target))
	if err != nil {
		w.report.Links++ // its target was not kept
		return nil
	}
	defer file.Close()
	return w.file(name, file)
}

// damaged marks errors of the decoders as errors of the format, leaving
// cancellation and limits as they are.
func damaged(err error) error {
	if errors.Is(err, ErrLimit) || errors.Is(err, ErrUnsafe) || errors.Is(err, ErrFormat) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}

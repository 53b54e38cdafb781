package foreign

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestAPanicBecomesAnError(t *testing.T) {
	err := Call("go-brittle", func() error {
		var list []int
		_ = list[len(list)+2]
		return nil
	})
	var p *Panic
	if !errors.As(err, &p) || p.Library != "go-brittle" {
		t.Fatalf("error %v, want a panic of go-brittle", err)
	}
	if !strings.Contains(err.Error(), "go-brittle gave up on it: runtime error: index out of range") {
		t.Errorf("message %q", err)
	}
	if !strings.Contains(string(p.Stack), "TestAPanicBecomesAnError") {
		t.Error("the stack does not say where")
	}
}

func TestAnErrorStaysWhatItIs(t *testing.T) {
	if err := Call("x", func() error { return io.EOF }); err != io.EOF {
		t.Errorf("error %v, want io.EOF", err)
	}
	if n, err := Read("x", func() (int, error) { return 7, nil }); n != 7 || err != nil {
		t.Errorf("%d, %v; want 7 and no error", n, err)
	}
	n, err := Read("x", func() (int, error) { panic(io.ErrUnexpectedEOF) })
	if n != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d, %v; want 0 and the error of the panic", n, err)
	}
}

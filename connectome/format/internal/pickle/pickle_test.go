package pickle_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/format/internal/pickle"
)

// objectArray is numpy.array(["a", "bc"], object), pickled with protocol 2 and
// 4 by NumPy.
var objectArrays = []string{
	"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02c_codecs\nencode\nq\x03X\x01\x00\x00\x00bq\x04X\x06\x00\x00\x00latin1q\x05\x86q\x06Rq\x07\x87q\x08Rq\t(K\x01K\x02\x85q\ncnumpy\ndtype\nq\x0bX\x02\x00\x00\x00O8q\x0c\x89\x88\x87q\rRq\x0e(K\x03X\x01\x00\x00\x00|q\x0fNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tq\x10b\x89]q\x11(X\x01\x00\x00\x00aq\x12X\x02\x00\x00\x00bcq\x13etq\x14b.",
	"\x80\x04\x95\x20\x00\x00\x00\x00\x00\x00\x00\x8c\x16numpy._core.multiarray\x94\x8c\x0c_reconstruct\x94\x93\x94\x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94K\x00\x85\x94C\x01b\x94\x87\x94R\x94(K\x01K\x02\x85\x94h\x03\x8c\x05dtype\x94\x93\x94\x8c\x02O8\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?t\x94b\x89]\x94(\x8c\x01a\x94\x8c\x02bc\x94et\x94b.",
	"(lp0\nVa\np1\naVbc\np2\na.",
	"(S'a'\nVbc\nt.",
}

func TestTexts(t *testing.T) {
	for _, data := range objectArrays {
		v, err := pickle.Load([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		if texts, ok := pickle.Texts(v); !ok || !slices.Equal(texts, []string{"a", "bc"}) {
			t.Errorf("%q, %v", texts, ok)
		}
	}
}

// A pickle that would run a command is read as what it names, and is no list.
func TestNothingIsRun(t *testing.T) {
	v, err := pickle.Load([]byte("cos\nsystem\n(S'touch /tmp/pickled'\ntR."))
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := v.(*pickle.Object); !ok || o.Callable != (pickle.Global{Module: "os", Name: "system"}) {
		t.Errorf("%#v", v)
	}
	if _, ok := pickle.Texts(v); ok {
		t.Error("a call was taken for a list")
	}
}

func TestDamaged(t *testing.T) {
	for _, data := range []string{"", "(", "K", "\x8c\xff", "h\x07.", "X\xff\xff\xff\x7f", strings.Repeat("(", 1<<21)} {
		if _, err := pickle.Load([]byte(data)); !errors.Is(err, pickle.ErrMalformed) {
			t.Errorf("%.10q: %v", data, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, s := range objectArrays {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if v, err := pickle.Load(data); err == nil {
			pickle.Texts(v)
		} else if !errors.Is(err, pickle.ErrMalformed) {
			t.Error(err)
		}
	})
}

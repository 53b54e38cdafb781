package check

import (
	"errors"
	"testing"
)

func TestOneOf(t *testing.T) {
	for _, x := range []struct{ value, want string }{
		{"", ""}, {"mean", ""},
		{"maen", `pool: "maen" is none of mean, max; did you mean "mean"?`},
		{"quadratic", `pool: "quadratic" is none of mean, max`},
	} {
		err := OneOf("pool", x.value, "mean", "max")
		if got := ""; err != nil && err.Error() != x.want || err == nil && x.want != got {
			t.Errorf("%q: %v, want %s", x.value, err, x.want)
		}
		var p *Problem
		if x.want != "" && (!errors.As(err, &p) || p.Key != "pool") {
			t.Errorf("%q: the key is not named: %v", x.value, err)
		}
	}
}

func TestFirst(t *testing.T) {
	a, b := Errorf("a", "wrong by %d", 3), Errorf("b", "wrong")
	if got := First(nil, a, nil, b); got != a || got.Error() != "a: wrong by 3" {
		t.Errorf("%v, want the first", got)
	}
	if got := First(nil, nil); got != nil {
		t.Errorf("%v, want none", got)
	}
	if got := First(); got != nil {
		t.Errorf("%v, want none", got)
	}
}

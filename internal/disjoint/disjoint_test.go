package disjoint

import "testing"

func TestJoinKeepsTheSmallestAsRoot(t *testing.T) {
	s := New(6)
	for _, pair := range [][2]int{{5, 3}, {3, 1}, {4, 2}} {
		if !s.Join(pair[0], pair[1]) {
			t.Errorf("%v were joined already", pair)
		}
	}
	if s.Join(1, 5) {
		t.Error("1 and 5 were apart")
	}
	for i, want := range []int{0, 1, 2, 1, 2, 1} {
		if got := s.Root(i); got != want {
			t.Errorf("root of %d is %d, want %d", i, got, want)
		}
	}
}

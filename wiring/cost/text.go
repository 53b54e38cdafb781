package cost

import (
	"fmt"
	"strings"
	"time"
)

// String says it for people, in two lines.
func (e *Estimate) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s parameters, at most %d steps of %d examples in %d epochs, %s multiply-adds\n",
		short(float64(e.Parameters)), e.Steps, e.Batch, e.Epochs, short(e.MultiplyAdds))
	if e.Timed == 0 {
		fmt.Fprintf(&b, "too few steps to time one first; %s of memory so far", bytes(e.Memory))
		return b.String()
	}
	fmt.Fprintf(&b, "about %s and %s of memory, as %s showed", span(e.Seconds), bytes(e.Memory), steps(e.Timed))
	return b.String()
}

func steps(n int) string {
	if n == 1 {
		return "a step"
	}
	return fmt.Sprintf("%d steps", n)
}

// short writes a count with three digits and a thousands' name.
func short(v float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e15, " P"}, {1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if v >= u.size {
			return fmt.Sprintf("%.3g%s", v/u.size, u.name)
		}
	}
	return fmt.Sprintf("%.0f", v)
}

func bytes(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}

// span writes seconds as people say them.
func span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", seconds)
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", seconds)
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	}
	return fmt.Sprintf("%.1f hours", d.Hours())
}

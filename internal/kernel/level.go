package kernel

import "os"

// Level is a set of instructions the kernels are written for.
type Level uint8

// The levels, slowest first within an architecture.
const (
	Generic Level = iota // plain Go
	AVX2                 // amd64: AVX2 and FMA
	AVX512               // amd64: AVX-512 F, BW, DQ and VL
	NEON                 // arm64
)

// String returns the name WIRE_KERNEL takes.
func (l Level) String() string {
	switch l {
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	case NEON:
		return "neon"
	}
	return "go"
}

// level is what the kernels use; it only changes through SetLevel.
var level = startLevel()

func startLevel() Level {
	want := os.Getenv("WIRE_KERNEL")
	for _, l := range Levels() {
		if l.String() == want {
			return l
		}
	}
	all := Levels()
	return all[len(all)-1]
}

// Current returns the level in use.
func Current() Level { return level }

// SetLevel selects a level out of [Levels] and returns the one in use before.
// It is meant for tests and measurements, not safe beside running kernels.
func SetLevel(l Level) (before Level) {
	before = level
	for _, have := range Levels() {
		if have == l {
			level = l
		}
	}
	return before
}

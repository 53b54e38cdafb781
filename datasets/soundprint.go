package datasets

import "math"

// soundSlices is how many parts of a sound a [soundPrint] looks at.
const soundSlices = 32

// soundPrint is a sound as near-duplicates are told by: the logarithms of how
// loud it and its high tones are, slice by slice, about their mean and at
// length 1. How loud the whole is does not matter.
type soundPrint struct {
	samples    int
	loud, high [soundSlices]float32
}

// newSoundPrint takes mono samples.
func newSoundPrint(sound []float32) *soundPrint {
	p := &soundPrint{samples: len(sound)}
	for i := range soundSlices {
		from, to := i*len(sound)/soundSlices, (i+1)*len(sound)/soundSlices
		var loud, high float64 // squares of the samples and of their differences
		for k := from; k < to; k++ {
			loud += float64(sound[k]) * float64(sound[k])
			if k > 0 {
				d := float64(sound[k] - sound[k-1])
				high += d * d
			}
		}
		n := float64(max(to-from, 1))
		p.loud[i], p.high[i] = float32(math.Log(loud/n+1e-8)), float32(math.Log(high/n+1e-8))
	}
	centre(p.loud[:])
	centre(p.high[:])
	return p
}

// soundThreshold is the cosine beyond which two sounds of the same length, to
// two per cent, are one recording.
const soundThreshold = 0.985

// sameRecording tells copies, also in another format or at another level,
// from other sounds.
func sameRecording(a, b *soundPrint) bool {
	if d := a.samples - b.samples; 50*max(d, -d) > max(a.samples, b.samples) {
		return false
	}
	return dot(a.loud[:], b.loud[:]) > soundThreshold && dot(a.high[:], b.high[:]) > soundThreshold
}

package reservoir

// The ideal observers of the decision tasks: they know how the input is made,
// see it until the step that is asked about, and answer what is more likely.
// They need no parameters, so that their score on a file is the most that any
// reservoir can be expected to reach on it.

// observeMatch compares the signs of the sample's and the test's sums: with
// noise of one spread the likelier sign of each is that of its sum. Where each
// lies follows from the first cue to answer, as long as sample and test.
func observeMatch(s *Sequence, width, t int, _ TaskOptions) float64 {
	cue := t
	for cue > 0 && s.Inputs[(cue-1)*width+1] != 0 {
		cue--
	}
	part := s.Steps - cue
	sample, test := 0.0, 0.0
	for i := range min(part, cue) {
		sample += s.Inputs[i*width]
		test += s.Inputs[(cue-1-i)*width]
	}
	return sample * test
}

// observeEvidence is the sum of the stream that the context names.
func observeEvidence(s *Sequence, width, t int, _ TaskOptions) float64 {
	stream := 0
	if s.Inputs[t*width+3] > s.Inputs[t*width+2] {
		stream = 1
	}
	sum := 0.0
	for i := range t + 1 {
		sum += s.Inputs[i*width+stream]
	}
	return sum
}

// observeBack compares the signs of two steps.
func observeBack(s *Sequence, width, t int, o TaskOptions) float64 {
	if t < o.Back {
		return 1
	}
	return s.Inputs[t*width] * s.Inputs[(t-o.Back)*width]
}

// observeStored is what came with the last cue to store.
func observeStored(s *Sequence, width, t int, _ TaskOptions) float64 {
	for ; t >= 0; t-- {
		if s.Inputs[t*width+1] != 0 {
			return s.Inputs[t*width]
		}
	}
	return 1
}

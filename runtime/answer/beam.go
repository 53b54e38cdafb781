package answer

import (
	"context"
	"math"
	"slices"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/runtime"
)

// beams is an actor that follows the likeliest beginnings of every input's
// caption. Row i·width+k of the batch is beam k of input i.
type beams struct {
	body
	width    int
	inputs   int
	alive    []hypothesis   // by row; a dead row has score −Inf
	finished [][]hypothesis // by input
}

// hypothesis is a beginning of a caption, or a whole one.
type hypothesis struct {
	words []int32
	score float64 // log probability
}

// normalised is the score by which whole captions are ranked: the mean log
// probability of words and end, so that short ones are not favoured.
func (h hypothesis) normalised() float64 { return h.score / float64(len(h.words)+1) }

// Reorders implements [runtime.Reorders].
func (s *beams) Reorders() bool { return true }

// candidate is a beam's continuation.
type candidate struct {
	row   int
	word  int32
	score float64
}

// Act implements [runtime.Actor].
func (s *beams) Act(ctx context.Context, tick int, norm []float32) (runtime.Reply, error) {
	if tick < s.settle {
		if tick == 0 {
			s.begin()
		}
		reply, _, err := s.settling(ctx, tick, norm)
		return reply, err
	}
	w := tick - s.settle
	x := s.lexicon()
	logits, err := s.score(norm)
	if err != nil {
		return runtime.Reply{}, err
	}
	parents := make([]int32, s.batch)
	next := make([]hypothesis, s.batch)
	busy := false
	for i := range s.inputs {
		k := 0
		for _, c := range s.continuations(i, logits) {
			if k == s.width {
				break
			}
			words := s.alive[c.row].words
			if int(c.word) == x.End {
				s.finished[i] = append(s.finished[i], hypothesis{words, c.score})
				continue
			}
			row := i*s.width + k
			k++
			parents[row] = int32(c.row)
			next[row] = hypothesis{append(slices.Clip(slices.Clone(words)), c.word), c.score}
			s.next[row] = x.Tokens[c.word]
		}
		for ; k < s.width; k++ {
			row := i*s.width + k
			parents[row] = int32(row)
			next[row] = hypothesis{score: math.Inf(-1)}
			s.next[row] = x.Tokens[x.End]
		}
		busy = busy || s.hopeful(i, next)
	}
	s.alive = next
	if w+1 >= s.most || !busy {
		s.finish()
		return runtime.Reply{Done: true}, nil
	}
	s.thread = s.thread.Follow(parents) // what the language module has heard follows the beams
	reply, err := s.speak(ctx)
	if reply.Done {
		s.finish()
		return reply, err
	}
	reply.Parents = parents
	return reply, err
}

// continuations returns the words that may come next after the live beams of
// input i, the likeliest first.
func (s *beams) continuations(i int, logits []float32) []candidate {
	v := s.readout.Width()
	var pool []candidate
	for k := range s.width {
		row := i*s.width + k
		h := &s.alive[row]
		if math.IsInf(h.score, -1) {
			continue
		}
		x := logits[row*v:][:v]
		total := float64(kernel.LogSumExp(x, s.scratch))
		for _, word := range top(x, s.width+2+len(h.words)) {
			if !s.readout.Sayable(h.words, int(word)) {
				continue
			}
			pool = append(pool, candidate{row, word, h.score + float64(x[word]) - total})
		}
	}
	slices.SortStableFunc(pool, func(a, b candidate) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	return pool
}

// begin starts every input with one live beam; the others would be copies.
func (s *beams) begin() {
	s.alive = make([]hypothesis, s.batch)
	for row := range s.alive {
		if row%s.width != 0 {
			s.alive[row].score = math.Inf(-1)
		}
	}
	s.finished = make([][]hypothesis, s.inputs)
}

// hopeful says whether an input may still get a better caption than those it
// has: fewer than width are finished, or a live beam outranks the worst.
func (s *beams) hopeful(i int, next []hypothesis) bool {
	done := s.finished[i]
	live := math.Inf(-1)
	for k := range s.width {
		h := next[i*s.width+k]
		if !math.IsInf(h.score, -1) {
			// The most it can get: all further words for free.
			live = math.Max(live, h.score/float64(s.most+1))
		}
	}
	if math.IsInf(live, -1) {
		return false
	}
	if len(done) < s.width {
		return true
	}
	slices.SortStableFunc(done, byRank)
	return live > done[s.width-1].normalised()
}

// finish takes the live beams as they are where too few captions ended, and
// keeps the best.
func (s *beams) finish() {
	for i := range s.finished {
		if len(s.finished[i]) < s.width {
			for k := range s.width {
				if h := s.alive[i*s.width+k]; !math.IsInf(h.score, -1) {
					s.finished[i] = append(s.finished[i], h)
				}
			}
		}
		slices.SortStableFunc(s.finished[i], byRank)
		if len(s.finished[i]) > s.width {
			s.finished[i] = s.finished[i][:s.width]
		}
	}
}

func byRank(a, b hypothesis) int {
	switch x, y := a.normalised(), b.normalised(); {
	case x > y:
		return -1
	case x < y:
		return 1
	}
	return 0
}

// top returns the indices of the n largest values, the largest first.
func top(x []float32, n int) []int32 {
	out := make([]int32, 0, n+1)
	for i, v := range x {
		if len(out) == n && v <= x[out[n-1]] {
			continue
		}
		k := len(out)
		out = append(out, int32(i))
		for k > 0 && v > x[out[k-1]] {
			out[k] = out[k-1]
			k--
		}
		out[k] = int32(i)
		if len(out) > n {
			out = out[:n]
		}
	}
	return out
}

package runtime

import "github.com/connectomewire/wire/wiring"

// What is a few numbers of an episode lies in rows of episodes, [batch, n], or in
// columns, [n, columns]; see wiring.Tick.

// given is number i of the n that a region gives of an episode.
func (e *episode) given(x []float32, b, i, n int) float32 {
	if e.columns == 0 {
		return x[b*n+i]
	}
	return x[i*e.columns+b]
}

// within is the same of gates and gated messages.
func (e *episode) within(x []float32, b, i, n int) float32 {
	if e.columns == 0 {
		return x[b*n+i]
	}
	return x[i*wiring.Pitch(e.batch)+b]
}

// copyEpisode copies the n numbers of an episode's message.
func (e *episode) copyEpisode(to []float32, b int, from []float32, row, n int) {
	if e.columns == 0 {
		copy(to[b*n:][:n], from[row*n:])
		return
	}
	for i := range n {
		to[i*e.columns+b] = from[i*e.columns+row]
	}
}

// clearEpisode clears the n numbers of an episode's message.
func (e *episode) clearEpisode(to []float32, b, n int) {
	if e.columns == 0 {
		clear(to[b*n:][:n])
		return
	}
	for i := range n {
		to[i*e.columns+b] = 0
	}
}

package runtime

// What is a few numbers of an episode lies in rows of episodes, [batch, n], or in
// columns, [n, columns]; see wiring.Tick.

// at is number i of the n of an episode; in columns rows are pitch apart.
func (e *episode) at(x []float32, b, i, n, pitch int) float32 {
	if e.columns == 0 {
		return x[b*n+i]
	}
	return x[i*pitch+b]
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

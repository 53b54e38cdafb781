package kernel

import "fmt"

// lanes is what the number of columns is a multiple of, line how many numbers are
// in a line of the caches.
const (
	lanes = 8
	line  = 16
)

// Columns is how many columns hold a batch, whose episodes lie side by side then,
// number by number: a message is [n, columns].
func Columns(batch int) int { return (batch + lanes - 1) / lanes * lanes }

// Pitch is how far apart rows of columns best are where many are read down a column: an
// odd number of lines, so that these do not all fall into the same few sets of a cache.
func Pitch(batch int) int { return ((batch+line-1)/line | 1) * line }

// GatherColumns adds to a number of each message's and episode's the message's
// bias + Σ by[i]·z[i], to the bits of [Gather]. Messages are [n, columns], Data[i·columns
// + episode], and sums [messages, columns].
func GatherColumns(n, columns int, messages []Message, by, bias, sums []float32) {
	if checkColumns(n, columns, columns, messages) {
		need("sums", sums, len(messages), columns, columns)
		gatherColumns(n, columns, messages, by[:len(messages)*n], bias[:len(messages)], sums)
	}
}

func gatherColumnsGo(n, columns int, messages []Message, by, bias, sums []float32) {
	var four [4]float32
	for k := range messages {
		z, a, to := messages[k].Data, by[k*n:][:n], sums[k*columns:][:columns]
		for b := range to {
			clear(four[:])
			i := 0
			for ; i+4 <= n; i += 4 {
				for lane := range four {
					four[lane] += a[i+lane] * z[(i+lane)*columns+b]
				}
			}
			for ; i < n; i++ {
				four[0] += a[i] * z[i*columns+b]
			}
			to[b] += bias[k] + ((four[0] + four[1]) + (four[2] + four[3]))
		}
	}
}

// ScaleColumns writes messages one after the other to dst, [messages·n, pitch], each
// number times x of its message and y, [messages, columns], of its message and
// episode: what [ScaleRows] does to rows.
func ScaleColumns(n, columns, pitch int, dst []float32, messages []Message, x, y []float32) {
	if checkColumns(n, columns, pitch, messages) {
		need("dst", dst, len(messages)*n, columns, pitch)
		need("y", y, len(messages), columns, columns)
		scaleColumns(n, columns, pitch, dst, messages, x[:len(messages)], y)
	}
}

func scaleColumnsGo(n, columns, pitch int, dst []float32, messages []Message, x, y []float32) {
	for k, s := range x {
		scales := y[k*columns:][:columns]
		for i := range n {
			z, to := messages[k].Data[i*columns:][:columns], dst[(k*n+i)*pitch:][:columns]
			for b, v := range z {
				to[b] = s * scales[b] * v
			}
		}
	}
}

// checkColumns is whether there is anything to do; it panics where messages are too
// short, or columns do not fill vectors.
func checkColumns(n, columns, pitch int, messages []Message) bool {
	if columns%lanes != 0 || columns < 0 || pitch < columns {
		panic(fmt.Sprintf("kernel: %d columns, rows %d apart; want a multiple of %d that fits", columns, pitch, lanes))
	}
	if n <= 0 || columns == 0 || len(messages) == 0 {
		return false
	}
	for i := range messages {
		_ = messages[i].Data[n*columns-1]
	}
	return true
}

// GemmPackedLeft is c = bᵀ·x for packed matrices b, [k, n], and x, [k, m] (see
// [PackB]); c is [n, m], its rows ldc apart. Column i of c has the bits that row i of
// [GemmPacked] has of xᵀ.
func GemmPackedLeft(n, m, k int, b, x, c []float32, ldc int) {
	_, width := tileSize()
	if len(b) < PackedLen(k, n) {
		panic(fmt.Sprintf("kernel: packed b has %d elements, want %d", len(b), PackedLen(k, n)))
	}
	for j := 0; j < n; j += width {
		gemmLeft(min(width, n-j), m, k, b[j*k:], width, x, c[j*ldc:], ldc)
	}
}

// GemmLeft is [GemmPackedLeft] of a matrix b as it is, whose rows are ldb apart.
func GemmLeft(n, m, k int, b []float32, ldb int, x, c []float32, ldc int) {
	if n > 0 && k > 0 {
		need("b", b, k, n, ldb)
	}
	gemmLeft(n, m, k, b, ldb, x, c, ldc)
}

func gemmLeft(n, m, k int, b []float32, ldb int, x, c []float32, ldc int) {
	if n <= 0 || m <= 0 {
		return
	}
	need("c", c, n, m, ldc)
	if k <= 0 {
		for i := range n {
			clear(c[i*ldc:][:m])
		}
		return
	}
	if len(x) < PackedLen(k, m) {
		panic(fmt.Sprintf("kernel: packed x has %d elements, want %d", len(x), PackedLen(k, m)))
	}
	_, width := tileSize()
	for j := 0; j < m; j += width {
		tileColumn(n, min(width, m-j), k, b, 1, ldb, x[j*k:], width, c[j:], ldc, false)
	}
}

package metrics

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/connectomewire/wire/connectome"
)

// denseLimit is the largest block whose eigenvalues are computed densely:
// O(n³) time, a few seconds at this size.
const denseLimit = 1000

// SpectralRadius returns the largest absolute eigenvalue of the weight matrix
// without its diagonal.
//
// Power iteration on the whole matrix is wrong for directed connectomes (it
// oscillates on cycles and stalls on defective matrices), so the matrix is
// first cut into its strongly connected components: in their topological
// order it is block triangular, and its spectrum is the union of its blocks'.
// A region outside every cycle contributes 0.
//
//   - A block without negative weights has its Perron root as radius. It is
//     found by power iteration on A + sI, which is primitive, and bracketed at
//     every step by Collatz–Wielandt, min (Ax)_i/x_i ≤ ρ ≤ max (Ax)_i/x_i,
//     until the bracket is narrower than 1e-12 of ρ, or 1e-9 where that takes
//     more than 300 steps (Collatz 1942, Math Z 48:221; Horn & Johnson, Matrix
//     Analysis, §8.3).
//   - A block that has negative weights, or whose bracket closes too slowly,
//     is solved densely up to 1,000 regions, and beyond by Arnoldi iteration
//     (Arnoldi 1951, Q Appl Math 9:17) restarted from its best vector.
//
// The error says that a large block did not converge; the value is then the
// best estimate.
func SpectralRadius(c *connectome.Connectome) (float64, error) {
	return spectralRadius(c, math.Inf(1))
}

// spectralRadius is [SpectralRadius] with at most about maxWork steps in each
// block of more than denseLimit regions.
func spectralRadius(c *connectome.Connectome, maxWork float64) (float64, error) {
	radius := 0.0
	var failed error
	position := make([]int32, len(c.Regions)) // in the component, from 1
	for _, component := range StrongComponents(c) {
		if len(component) == 1 {
			continue
		}
		r, err := blockRadius(newBlock(c, component, position), maxWork)
		if err != nil {
			failed = err
		}
		radius = max(radius, r)
	}
	return radius, failed
}

// block is the square part of the weight matrix within one component,
// without the diagonal.
type block struct {
	n      int
	start  []int
	target []int32
	weight []float64
	signed bool
}

// newBlock uses position, zeros of the length of all regions, and clears it.
func newBlock(c *connectome.Connectome, regions []int, position []int32) block {
	tracts := 0
	for k, i := range regions {
		position[i] = int32(k + 1)
		lo, hi := c.Tracts.Row(i)
		tracts += hi - lo
	}
	b := block{n: len(regions), start: make([]int, 1, len(regions)+1), target: make([]int32, 0, tracts), weight: make([]float64, 0, tracts)}
	for _, i := range regions {
		lo, hi := c.Tracts.Row(i)
		for k := lo; k < hi; k++ {
			j := position[c.Tracts.Target[k]]
			if w := c.Tracts.Weight[k]; j > 0 && int(c.Tracts.Target[k]) != i && w != 0 && !math.IsNaN(w) && !math.IsInf(w, 0) {
				b.target = append(b.target, j-1)
				b.weight = append(b.weight, w)
				b.signed = b.signed || w < 0
			}
		}
		b.start = append(b.start, len(b.target))
	}
	for _, i := range regions {
		position[i] = 0
	}
	return b
}

// steps is what multiplying by the block costs.
func (b block) steps() float64 { return float64(len(b.target)) * cacheFactor(b.n) }

// multiply sets y = A x.
func (b block) multiply(x, y []float64) {
	for i := 0; i < b.n; i++ {
		sum := 0.0
		for k := b.start[i]; k < b.start[i+1]; k++ {
			sum += b.weight[k] * x[b.target[k]]
		}
		y[i] = sum
	}
}

func blockRadius(b block, maxWork float64) (float64, error) {
	if !b.signed {
		most := 5000
		if b.n > denseLimit {
			most = int(min(5000, max(20, maxWork/b.steps())))
		}
		r := perronRoot(b, most)
		switch {
		case r.settled:
			return (r.low + r.high) / 2, nil
		case most < 5000 && r.low > 0:
			return (r.low + r.high) / 2, fmt.Errorf("spectral radius: between %.6g and %.6g after the %d steps that the limit allows; their mean is given", r.low, r.high, most)
		}
	}
	if b.n <= denseLimit {
		return denseRadius(b)
	}
	return arnoldiRadius(b, maxWork)
}

// perronBracket holds the spectral radius of a non-negative irreducible block
// between two numbers; settled says that they are the same for all purposes.
type perronBracket struct {
	low, high float64
	settled   bool
}

// perronRoot brackets the spectral radius of a non-negative irreducible block
// within a number of steps. The bracket is 0 where numbers went out of range.
func perronRoot(b block, most int) perronBracket {
	x, y := make([]float64, b.n), make([]float64, b.n)
	for i := range x {
		x[i] = 1
	}
	best := perronBracket{high: math.Inf(1)}
	for step := range most {
		b.multiply(x, y)
		low, high := math.Inf(1), 0.0
		for i := range x {
			low, high = min(low, y[i]/x[i]), max(high, y[i]/x[i])
		}
		best.low, best.high = max(best.low, low), min(best.high, high)
		if gap := high - low; gap <= 1e-12*high || step > 300 && gap <= 1e-9*high {
			return perronBracket{low, high, true}
		}
		shift := high / 4
		largest := 0.0
		for i := range y {
			y[i] += shift * x[i]
			largest = max(largest, y[i])
		}
		if largest == 0 || math.IsInf(largest, 0) {
			return perronBracket{}
		}
		for i := range y {
			x[i] = y[i] / largest
			if x[i] < 1e-290 {
				return perronBracket{} // out of range: leave it to the other solvers
			}
		}
	}
	return best
}

func denseRadius(b block) (float64, error) {
	dense := mat.NewDense(b.n, b.n, nil)
	for i := 0; i < b.n; i++ {
		for k := b.start[i]; k < b.start[i+1]; k++ {
			dense.Set(i, int(b.target[k]), b.weight[k])
		}
	}
	if mat.Equal(dense, dense.T()) { // several times faster, and accurate
		var eigen mat.EigenSym
		if eigen.Factorize(mat.NewSymDense(b.n, dense.RawMatrix().Data), false) {
			values := eigen.Values(nil)
			return max(math.Abs(values[0]), math.Abs(values[b.n-1])), nil
		}
	}
	return largestEigenvalue(dense)
}

func largestEigenvalue(dense *mat.Dense) (float64, error) {
	var eigen mat.Eigen
	if !eigen.Factorize(dense, mat.EigenNone) {
		return math.NaN(), fmt.Errorf("spectral radius: the eigenvalues of a block of %d regions did not converge", dense.RawMatrix().Rows)
	}
	radius := 0.0
	for _, value := range eigen.Values(nil) {
		radius = max(radius, cmplx.Abs(value))
	}
	return radius, nil
}

// arnoldiRadius projects the block on a Krylov space of 80 dimensions (20 at
// least where the steps are limited) and takes the largest Ritz value; it
// restarts from the last basis' dominant vector until the value settles to
// 1e-9.
func arnoldiRadius(b block, maxWork float64) (float64, error) {
	const restarts = 60
	dimensions := int(min(80, max(20, maxWork/b.steps())))
	random := rand.New(rand.NewPCG(1, 2))
	start := make([]float64, b.n)
	for i := range start {
		start[i] = random.NormFloat64()
	}
	previous := 0.0
	basis := make([][]float64, dimensions+1)
	for i := range basis {
		basis[i] = make([]float64, b.n)
	}
	work := 0.0
	for range restarts {
		if work > maxWork/2 {
			break
		}
		work += float64(dimensions) * b.steps()
		scale(start, 1/norm(start))
		copy(basis[0], start)
		h := mat.NewDense(dimensions, dimensions, nil)
		size := dimensions
		for k := 0; k < dimensions; k++ {
			w := basis[k+1]
			b.multiply(basis[k], w)
			for pass := 0; pass < 2; pass++ { // twice is enough: Giraud et al. (2005)
				for i := 0; i <= k; i++ {
					d := dot(w, basis[i])
					h.Set(i, k, h.At(i, k)+d)
					axpy(-d, basis[i], w)
				}
			}
			length := norm(w)
			if length < 1e-14 {
				size = k + 1
				break
			}
			if k+1 < dimensions {
				h.Set(k+1, k, length)
			}
			scale(w, 1/length)
		}
		ritz := mat.DenseCopyOf(h.Slice(0, size, 0, size))
		var eigen mat.Eigen
		if !eigen.Factorize(ritz, mat.EigenRight) {
			break
		}
		best, radius := 0, 0.0
		for i, value := range eigen.Values(nil) {
			if cmplx.Abs(value) > radius {
				best, radius = i, cmplx.Abs(value)
			}
		}
		if math.Abs(radius-previous) <= 1e-9*radius {
			return radius, nil
		}
		previous = radius
		var vectors mat.CDense
		eigen.VectorsTo(&vectors)
		clear(start)
		for k := 0; k < size; k++ {
			v := vectors.At(k, best)
			axpy(real(v)+imag(v), basis[k], start)
		}
		if norm(start) == 0 {
			break
		}
	}
	return previous, fmt.Errorf("spectral radius: Arnoldi iteration on a block of %d regions did not settle within the limit of steps; %.6g is an estimate", b.n, previous)
}

func dot(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum
}

func axpy(a float64, x, y []float64) {
	for i := range x {
		y[i] += a * x[i]
	}
}

func scale(x []float64, a float64) {
	for i := range x {
		x[i] *= a
	}
}

func norm(x []float64) float64 { return math.Sqrt(dot(x, x)) }

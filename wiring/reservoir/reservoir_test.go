package reservoir_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// brain is a connectome of the given tracts.
func brain(t testing.TB, n int, tracts []connectome.Tract) *connectome.Connectome {
	t.Helper()
	csr, err := connectome.FromTracts(n, tracts)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Name: "test", Synthetic: true, Directed: true, Tracts: csr}
	for i := range n {
		c.Regions = append(c.Regions, connectome.Region{Label: fmt.Sprintf("r%02d", i)})
	}
	return c
}

func drawn(t testing.TB, n int, density float64, seed uint64) *connectome.Connectome {
	r := rand.New(rand.NewPCG(seed, 1))
	var tracts []connectome.Tract
	for i := range n {
		for j := range n {
			if r.Float64() < density {
				tracts = append(tracts, connectome.Tract{From: i, To: j, Weight: 0.1 + r.Float64(), Length: math.NaN()})
			}
		}
	}
	return brain(t, n, tracts)
}

func cycle(t testing.TB, n int) *connectome.Connectome {
	var tracts []connectome.Tract
	for i := range n {
		tracts = append(tracts, connectome.Tract{From: i, To: (i + 1) % n, Weight: 1, Length: math.NaN()})
	}
	return brain(t, n, tracts)
}

func built(t testing.TB, c *connectome.Connectome, o reservoir.Options) *wiring.Plan {
	t.Helper()
	p, _, err := reservoir.Build(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// measured is the memory capacity of a plan under inputs by a seed.
func measured(t testing.TB, p *wiring.Plan, o reservoir.TaskOptions, ridge float64) *reservoir.Result {
	t.Helper()
	task, err := reservoir.Find("memory-capacity")
	if err != nil {
		t.Fatal(err)
	}
	d, err := task.Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := reservoir.Fit(p, task, d, reservoir.FitOptions{Ridge: ridge, Washout: 200, Task: o})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A linear cycle whose input weights have no period has a capacity of
// N − 1 + ρ^(2N) over lags from 1.
func TestLinearCycle(t *testing.T) {
	for _, c := range []struct {
		n    int
		rho  float64
		lags int // by which ρ has forgotten all but a thousandth; 0: too many to measure
	}{{6, 0.9, 36}, {10, 0.8, 30}, {10, 0.98, 0}, {40, 0.99, 0}} {
		p := built(t, cycle(t, c.n), reservoir.Options{Rho: c.rho, Activation: "linear", Seed: 4})
		if rank := reservoir.Controllable(p); rank != c.n {
			t.Fatalf("%d regions, of which %d are controllable: the mask has a period", c.n, rank)
		}
		want := float64(c.n) - 1 + math.Pow(c.rho, 2*float64(c.n))
		if got := exact(t, p); math.Abs(got-want) > 1e-4 {
			t.Errorf("a cycle of %d with ρ %v has a capacity of %.6f, want %.6f", c.n, c.rho, got, want)
		}
		if c.lags == 0 {
			continue
		}
		// All regions repeat one series, and with it the error of a correlation of
		// 60,000 steps.
		r := measured(t, p, reservoir.TaskOptions{Lags: c.lags, Steps: 200000, Seed: 2}, 1e-12)
		if math.Abs(*r.Capacity-want) > 0.1 {
			t.Errorf("a cycle of %d with ρ %v measures %.4f, want %.4f", c.n, c.rho, *r.Capacity, want)
		}
	}
}

// exact is the capacity of a linear plan over lags from 1, under independent
// inputs, by its covariances: Σ_k v_kᵀ C⁻¹ v_k with v_k = W^k w_in and C = Σ v_k v_kᵀ.
func exact(t *testing.T, p *wiring.Plan) float64 {
	n := len(p.Regions)
	var v [][]float64
	x := slices.Clone(p.Rates.Input[0])
	c := mat.NewSymDense(n, nil)
	for range 4000 {
		v = append(v, x)
		c.SymRankOne(c, 1, mat.NewVecDense(n, x))
		y := make([]float64, n)
		for _, tract := range p.Tracts {
			y[tract.To] += tract.Scale * x[tract.From]
		}
		x = y
	}
	var factor mat.Cholesky
	if !factor.Factorize(c) {
		t.Fatal("the covariance has no factors")
	}
	sum := 0.0
	for _, x := range v[1:] {
		y := mat.NewVecDense(n, nil)
		if err := factor.SolveVecTo(y, mat.NewVecDense(n, x)); err != nil && !errors.As(err, new(mat.Condition)) {
			t.Fatal(err)
		}
		sum += mat.Dot(y, mat.NewVecDense(n, x))
	}
	return sum
}

// The capacity of a linear reservoir over all lags from 0 is the rank of its
// controllability matrix (arXiv:2305.01457), here of ones with symmetries that
// hide dimensions from the input.
func TestLinearCapacityIsControllability(t *testing.T) {
	twice := func(c *connectome.Connectome) *connectome.Connectome {
		n := len(c.Regions)
		var tracts []connectome.Tract
		for x := range c.Tracts.All() {
			tracts = append(tracts, x, connectome.Tract{From: x.From + n, To: x.To + n, Weight: x.Weight, Length: math.NaN()})
		}
		return brain(t, 2*n, tracts)
	}
	ones := func(n int) *reservoir.Matrix {
		m := &reservoir.Matrix{Name: "ones", Rows: n, Cols: 1, Data: make([]float64, n)}
		for i := range m.Data {
			m.Data[i] = 1
		}
		return m
	}
	mask := func(n, period int) *reservoir.Matrix {
		m := ones(n)
		for i := range m.Data {
			m.Data[i] = []float64{1, -0.3, 0.5, 0.8}[i%period]
		}
		return m
	}
	for _, c := range []struct {
		name string
		c    *connectome.Connectome
		o    reservoir.Options
		rank int
	}{
		{"a cycle that all regions enter alike", cycle(t, 8), reservoir.Options{InputMatrix: ones(8)}, 1},
		{"a cycle with a mask of period four", cycle(t, 8), reservoir.Options{InputMatrix: mask(8, 4)}, 4},
		{"the same network twice", twice(drawn(t, 6, 0.6, 9)), reservoir.Options{Signs: "own", InputMatrix: ones(12)}, 6},
		{"a cycle that leaks", cycle(t, 5), reservoir.Options{Leak: 0.6, Seed: 3}, 5},
	} {
		c.o.Rho, c.o.Activation = 0.8, "linear"
		p := built(t, c.c, c.o)
		if got := reservoir.Controllable(p); got != c.rank {
			t.Errorf("%s: %d dimensions are controllable, want %d", c.name, got, c.rank)
		}
		r := measured(t, p, reservoir.TaskOptions{Lags: 70, Zero: true, Steps: 40000, Seed: 5}, 1e-12)
		if math.Abs(*r.Capacity-float64(c.rank)) > 0.1 {
			t.Errorf("%s: capacity %.4f, want %d", c.name, *r.Capacity, c.rank)
		}
	}
}

// No reservoir remembers more than one number a region.
func TestCapacityIsBounded(t *testing.T) {
	for seed := range uint64(6) {
		n := 5 + int(seed)*3
		o := reservoir.Options{Rho: 0.5 + 0.1*float64(seed), Signs: reservoir.SignsAsymmetric, Leak: 1 - 0.1*float64(seed), InputGain: 0.01, Seed: seed}
		r := measured(t, built(t, drawn(t, n, 0.4, seed), o), reservoir.TaskOptions{Steps: 20000, Seed: seed}, 1e-9)
		// 60 lags of 6,000 tested steps each: 0.01 by chance.
		if *r.Capacity > float64(n)+0.02 || *r.Capacity < 0.9 {
			t.Errorf("%d regions have a capacity of %.3f", n, *r.Capacity)
		}
		if r.References[0].Score != float64(min(n, 60)) {
			t.Errorf("the bound is %v", r.References)
		}
	}
}

// The channel runtime and the loop over all regions give the same bits: dense
// and sparse, with delays, loops, several ticks a step, leaks and two inputs.
func TestChannelsAndLoopAgree(t *testing.T) {
	for seed, density := range []float64{0.06, 0.1, 0.5, 1} {
		p := built(t, drawn(t, 37, density, uint64(seed)), reservoir.Options{
			Rho: 0.9, Leak: 0.7, Bias: 0.1, Signs: reservoir.SignsDale, Inputs: 2, Enter: []string{"r03", "r05", "r30"}, Seed: 7,
		})
		for k := range p.Tracts {
			p.Tracts[k].Delay = 1 + k%(seed+1)
		}
		p.Ticks.Settle = 1 + seed%2
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		const steps = 60
		u := make([]float64, 2*steps)
		for i := range u {
			u[i] = r.NormFloat64()
		}
		stepper, err := p.RateStepper()
		if err != nil {
			t.Fatal(err)
		}
		want, err := stepper.Run([][]float64{u}, steps)
		if err != nil {
			t.Fatal(err)
		}
		net, err := runtime.NewRate(p, runtime.Default())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := net.Run(context.Background(), [][]float64{u}, steps)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
					t.Fatalf("density %v: state of region %d at step %d is %v by channels and %v by the loop", density, i%37, i/37, got[i], want[i])
				}
			}
		}
		if slices.Max(want) == 0 {
			t.Error("nothing moves")
		}
	}
}

func TestLesionsSilence(t *testing.T) {
	p := built(t, cycle(t, 4), reservoir.Options{Enter: []string{"r00"}})
	c := runtime.Default()
	if err := c.Lesion(p, []string{"r01:r02", "r03"}); err != nil {
		t.Fatal(err)
	}
	net, err := runtime.NewRate(p, c)
	if err != nil {
		t.Fatal(err)
	}
	x, err := net.Run(context.Background(), [][]float64{{1, 0.5, -1, 0.25, 1, 1}}, 6)
	if err != nil {
		t.Fatal(err)
	}
	for step := range 6 {
		now := x[step*4:][:4]
		if now[2] != 0 || now[3] != 0 || now[0] == 0 || step > 0 && now[1] == 0 {
			t.Errorf("step %d: %v", step, now)
		}
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := net.Run(stopped, [][]float64{make([]float64, 6)}, 6); err == nil {
		t.Error("a run that was stopped gives states")
	}
}

// What is written is what is read, to the bit, and runs and draws on.
func TestSaveAndLoad(t *testing.T) {
	p := built(t, drawn(t, 12, 0.4, 2), reservoir.Options{Rho: 0.95, Leak: 1.0 / 3, Bias: 0.01, Signs: reservoir.SignsSymmetric, Inputs: 2, Enter: []string{"r01", "r02"}, Read: []string{"r05", "r04"}, Seed: 3})
	task, err := reservoir.Find("delayed-match")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "r")
	check := func(trained bool) {
		t.Helper()
		if err := p.Save(dir); err != nil {
			t.Fatal(err)
		}
		q, err := wiring.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if q.Cell != p.Cell || q.Trained != trained || (q.Readout != nil) != trained || !slices.EqualFunc(q.Tracts, p.Tracts, func(a, b wiring.Tract) bool { return a.Scale == b.Scale && a.From == b.From && a.To == b.To }) ||
			!slices.Equal(q.Rates.Leak, p.Rates.Leak) || !slices.Equal(q.Rates.Bias, p.Rates.Bias) || !slices.Equal(q.Rates.Input[0], p.Rates.Input[0]) {
			t.Error("another plan was read than written")
		}
		if trained && (!slices.Equal(q.Readout.Weights, p.Readout.Weights) || !slices.Equal(q.Readout.Outputs, p.Readout.Outputs)) {
			t.Error("another readout was read than written")
		}
		before := read(t, dir)
		if err := q.Save(dir); err != nil {
			t.Fatal(err)
		}
		if before != read(t, dir) {
			t.Error("the same plan gives other files")
		}
	}
	check(false)
	data, err := task.Generate(reservoir.TaskOptions{Rows: 50, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reservoir.Fit(p, task, data, reservoir.FitOptions{Ridge: 1e-6}); err != nil {
		t.Fatal(err)
	}
	check(true)
	q, err := control.Rewired(p, 5)
	if err != nil || q.Readout != nil || p.Readout == nil || len(q.Tracts) != len(p.Tracts) {
		t.Errorf("rewiring a reservoir: %v", err)
	}
	for file, edits := range map[string][][2]string{
		"rates.tsv":   {{"r05\t0.333", "r05\tx0.333"}, {"\t0.01", "\tNaN"}, {"r03", "r33"}, {"leak", "leek"}, {"r05\t0.3", "r05\t-0.3"}, {"r05\t0.3333333333333333\t0.01\t0", "r05\t0.3333333333333333\t0.01\t1"}},
		"readout.tsv": {{"r05", "r06"}, {"(intercept)\t", "(intercept)\t1\t"}},
		"plan.yaml":   {{"cell: rate", "cell: rage"}, {"activation: tanh", "activation: relu"}, {"head: readout", "head: linear"}, {"width: 1 ", "width: 2 "}, {"kind: series", "kind: vector"}},
	} {
		for _, e := range edits {
			path := filepath.Join(dir, file)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			bad := strings.Replace(string(text), e[0], e[1], 1)
			if bad == string(text) {
				t.Fatalf("%s has no %q", file, e[0])
			}
			if err := os.WriteFile(path, []byte(bad), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := wiring.Load(dir); err == nil || !strings.Contains(err.Error(), file) {
				t.Errorf("%s with %q for %q: %v", file, e[1], e[0], err)
			}
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func read(t *testing.T, dir string) string {
	t.Helper()
	all := ""
	for _, name := range []string{"plan.yaml", "tracts.tsv", "rates.tsv"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all += string(b)
	}
	return all
}

// Every task is learned from generated data better than without a reservoir, and
// never better than its ideal observer can answer.
func TestTasks(t *testing.T) {
	for _, task := range reservoir.Tasks() {
		o := reservoir.TaskOptions{Seed: 3}
		data, err := task.Generate(o)
		if err != nil {
			t.Fatal(err)
		}
		like := reservoir.Options{Rho: 1.1, Signs: reservoir.SignsAsymmetric, InputGain: 0.1, Bias: 0.3, Inputs: data.Inputs, Seed: 6}
		if task.Name == "store-ignore-recall" { // what is stored must change what follows
			like.Rho, like.InputGain = 0.9, 0.5
		}
		p := built(t, drawn(t, 100, 0.1, 5), like)
		r, err := reservoir.Fit(p, task, data, reservoir.FitOptions{Choose: true, Washout: -1, Task: o})
		if err != nil {
			t.Fatal(err)
		}
		again, err := reservoir.Fit(p, task, data, reservoir.FitOptions{Choose: true, Washout: -1, Task: o})
		if err != nil || fmt.Sprint(r.R2, r.RMSE) != fmt.Sprint(again.R2, again.RMSE) {
			t.Errorf("%s: the same fit gives another score: %v", task.Name, err)
		}
		switch {
		case task.Decision:
			ideal, chance := r.References[0].Score, r.References[1].Score
			t.Logf("%s: accuracy %.3f, ideal %.3f, chance %.3f, ridge %.0e", task.Name, *r.Accuracy, ideal, chance, r.Ridge)
			if *r.Accuracy < chance+0.05 || *r.Accuracy > ideal+0.04 || ideal < 0.75 {
				t.Errorf("%s: accuracy %.3f beside %.3f of the ideal observer and %.3f by chance", task.Name, *r.Accuracy, ideal, chance)
			}
		case r.Capacity != nil:
			if *r.Capacity < 8 {
				t.Errorf("capacity %.3f", *r.Capacity)
			}
		default:
			t.Logf("%s: NRMSE %.4f, %+v, ridge %.0e", task.Name, r.NRMSE[0], r.References, r.Ridge)
			if r.NRMSE[0] > r.References[1].Score {
				t.Errorf("%s: NRMSE %.4f, worse than %v", task.Name, r.NRMSE[0], r.References[1])
			}
		}
	}
}

// The case of shared/cases/reservoir: states to 1e-6, capacities to 0.01.
func TestKnownAnswers(t *testing.T) {
	const dir = "../../../shared/"
	cases := dir + "cases/reservoir/"
	if _, err := os.Stat(cases); err != nil {
		t.Skip("shared/cases/reservoir is not there")
	}
	c, err := format.Read(dir + "connectomes/enigma/strucMatrix_ctx.csv")
	if err != nil {
		t.Fatal(err)
	}
	matrix := func(name string) *reservoir.Matrix {
		m, err := reservoir.ReadMatrix(cases + name)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	task, err := reservoir.Find("memory-capacity")
	if err != nil {
		t.Fatal(err)
	}
	data, err := task.Read(cases+"input.csv", reservoir.TaskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		signs         string
		rho, capacity float64
		r2            [4]float64
		last          [3]float64
	}{
		{"", 0.50, 4.8349, [4]float64{1.0000, 0.4473, 0.0088, 0.0009}, [3]float64{-0.001509, -0.001832, -0.002637}},
		{"", 0.95, 6.2626, [4]float64{1.0000, 0.5686, 0.0888, 0.0313}, [3]float64{-0.001468, -0.001826, -0.002747}},
		{"signs_symmetric.csv", 0.50, 6.7134, [4]float64{1.0000, 0.9459, 0.0231, 0.0019}, [3]float64{-0.001508, -0.001909, -0.002510}},
		{"signs_symmetric.csv", 0.95, 13.0393, [4]float64{1.0000, 0.9648, 0.4096, 0.1803}, [3]float64{-0.001639, -0.002092, -0.002903}},
		{"signs_asymmetric.csv", 0.50, 12.3338, [4]float64{1.0000, 1.0000, 0.9800, 0.0005}, [3]float64{-0.001840, -0.001847, -0.002306}},
		{"signs_asymmetric.csv", 0.95, 29.1058, [4]float64{1.0000, 1.0000, 0.9995, 0.9531}, [3]float64{-0.003180, 0.002582, -0.006427}},
	} {
		o := reservoir.Options{Rho: k.rho, Signs: reservoir.SignsPositive, InputMatrix: matrix("input_weights.csv")}
		if k.signs != "" {
			o.SignMatrix = matrix(k.signs)
		}
		p := built(t, c, o)
		r, err := reservoir.Fit(p, task, data, reservoir.FitOptions{Ridge: 1e-6, Washout: -1})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(*r.Capacity-k.capacity) > 0.001 || r.Train != 2765 || r.Test != 1185 {
			t.Errorf("%s ρ %v: capacity %.4f of %d and %d steps, want %.4f", k.signs, k.rho, *r.Capacity, r.Train, r.Test, k.capacity)
		}
		for i, lag := range []int{1, 5, 10, 20} {
			if math.Abs(r.R2[lag-1]-k.r2[i]) > 1e-3 {
				t.Errorf("%s ρ %v: r² %.4f at lag %d, want %.4f", k.signs, k.rho, r.R2[lag-1], lag, k.r2[i])
			}
		}
		stepper, err := p.RateStepper()
		if err != nil {
			t.Fatal(err)
		}
		s := data.Sequences[0]
		x, err := stepper.Run([][]float64{s.Inputs}, s.Steps)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range k.last {
			if got := x[(s.Steps-1)*len(p.Regions)+i]; math.Abs(got-want) > 1e-6 {
				t.Errorf("%s ρ %v: state %d ends at %.6f, want %.6f", k.signs, k.rho, i, got, want)
			}
		}
	}
}

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/cputime"
	"github.com/connectomewire/wire/internal/ticking"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
)

// What is computed for, beside what is measured.
const (
	regions      = 100_000
	tracts       = 50     // of a region
	side         = 100.0  // mm, of the cube in which regions lie
	reach        = 10.0   // mm, the mean length of a tract
	hop          = 100e-6 // s from a worker to the server, or on
	serverCores  = 8
	bandwidth    = 1.25e9 // bytes a second of the server's network, each way
	headerBytes  = 52 + 80
	smallMessage = 200
	largeMessage = 64 << 10
)

// size is how large a plan's states and messages are, and its batch.
type size struct{ d, r, batch int }

func (s size) String() string { return fmt.Sprintf("d %d, r %d, %d", s.d, s.r, s.batch) }

var sizes = []size{{8, 1, 1}, {64, 8, 1}, {64, 8, 32}}

// costs are measured, in seconds.
type costs struct {
	near, far map[size]float64 // of a tract in a tick: in plans of nearTracts and farTracts
	// What a message, and a byte of it, takes at its sender and receiver together, and
	// at the server.
	message, byte, serverMessage, serverByte float64
}

const nearRegions, farRegions = 100, 1001

func model(w io.Writer, out string) error {
	c, err := measureCosts()
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "| d, r, inputs | a tract of a small share | of a large one |\n|---|---|---|")
	for _, s := range sizes {
		fmt.Fprintf(w, "| %v | %.0f ns | %.0f ns |\n", s, 1e9*c.near[s], 1e9*c.far[s])
	}
	fmt.Fprintf(w, "\nA message takes %.1f µs of sender and receiver and %.1f µs of the server, a kilobyte %.2f and %.2f µs.\n\n", 1e6*c.message, 1e6*c.serverMessage, 1e9*c.byte, 1e9*c.serverByte)
	fmt.Fprintln(w, "| d, r, inputs | workers | regions go together | tracts that cross | messages a tick | MB a tick | ticks a second | bound by |\n|---|---|---|---|---|---|---|---|")
	p := drawPlan()
	var all []point
	for _, workers := range []int{1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000} {
		for _, space := range []bool{false, true} {
			if workers == 1 && space {
				continue
			}
			groups := scattered(workers)
			if space {
				if groups, err = runtime.Divide(p, workers); err != nil {
					return err
				}
			}
			t := count(p, groups)
			for _, s := range sizes {
				x := foresee(c, s, t)
				x.workers, x.space, x.size = workers, space || workers == 1, s
				all = append(all, x)
				if workers == 1 {
					x.space = false
					all = append(all, x)
				}
			}
		}
	}
	for _, s := range sizes {
		for _, x := range all {
			if x.size != s || !slices.Contains([]int{1, 10, 100, 1000}, x.workers) || x.workers == 1 && !x.space {
				continue
			}
			how := "at random"
			if x.space {
				how = "in space"
			}
			if x.workers == 1 {
				how = ""
			}
			fmt.Fprintf(w, "| %v | %d | %s | %.0f %% | %d | %.1f | %.3g | %s |\n", s, x.workers, how, 100*x.crossing, x.messages, x.bytes/1e6, 1/x.tick, x.bound)
		}
	}
	if out == "" {
		return nil
	}
	return atomicfile.Write(out, func(w io.Writer) error { return figure(w, all) })
}

// drawPlan lays regions and tracts into a cube: lengths fall off exponentially (Ercsey-
// Ravasz et al. 2013). It has no parameters.
func drawPlan() *wiring.Plan {
	r := rand.New(rand.NewPCG(1, 2))
	p := &wiring.Plan{Name: "drawn", Width: 8, Rank: 1}
	const cells = 40
	grid := make([][]int32, cells*cells*cells)
	cell := func(x [3]float64) int {
		at := 0
		for _, v := range x {
			k := int(v / side * cells)
			if v < 0 || k >= cells {
				return -1
			}
			at = at*cells + k
		}
		return at
	}
	for j := range regions {
		x := [3]float64{side * r.Float64(), side * r.Float64(), side * r.Float64()}
		p.Regions = append(p.Regions, wiring.Region{Position: x, Located: true})
		grid[cell(x)] = append(grid[cell(x)], int32(j))
	}
	for from := range regions {
		for n := 0; n < tracts; {
			x, y, z := r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
			length := reach * r.ExpFloat64() / math.Sqrt(x*x+y*y+z*z)
			to := p.Regions[from].Position
			at := cell([3]float64{to[0] + x*length, to[1] + y*length, to[2] + z*length})
			if at < 0 || len(grid[at]) == 0 {
				continue
			}
			if j := int(grid[at][r.IntN(len(grid[at]))]); j != from {
				p.Tracts = append(p.Tracts, wiring.Tract{From: from, To: j, Delay: 1})
				n++
			}
		}
	}
	return p
}

// scattered gives regions to workers without regard to where they lie.
func scattered(workers int) [][]int {
	groups := make([][]int, workers)
	for j, at := range rand.New(rand.NewPCG(3, 4)).Perm(regions) {
		groups[at%workers] = append(groups[at%workers], j)
	}
	return groups
}

// traffic is what a division makes cross.
type traffic struct {
	workers, pairs, crossing   int
	share, messages, crossings int // of the worker that has most: tracts, messages in and out, tracts in and out
}

func count(p *wiring.Plan, groups [][]int) traffic {
	w := len(groups)
	t := traffic{workers: w}
	owner := make([]int, len(p.Regions))
	for i, g := range groups {
		for _, j := range g {
			owner[j] = i
		}
	}
	pair := make([]bool, w*w)
	share, messages, crossings := make([]int, w), make([]int, w), make([]int, w)
	for _, x := range p.Tracts {
		from, to := owner[x.From], owner[x.To]
		if share[to]++; from == to {
			continue
		}
		t.crossing++
		crossings[from]++
		crossings[to]++
		if !pair[from*w+to] {
			pair[from*w+to] = true
			t.pairs++
			messages[from]++
			messages[to]++
		}
	}
	t.share, t.messages, t.crossings = slices.Max(share), slices.Max(messages), slices.Max(crossings)
	return t
}

// point is what is foreseen.
type point struct {
	workers         int
	space           bool
	size            size
	crossing, bytes float64
	messages        int
	tick            float64
	bound           string
}

// foresee computes a tick: what the busiest worker does and waits for, or, where that
// takes longer, the server or its network.
func foresee(c *costs, s size, t traffic) point {
	of := float64(4 * s.r * s.batch)
	x := point{crossing: float64(t.crossing) / (regions * tracts), messages: t.pairs, bytes: of*float64(t.crossing) + headerBytes*float64(t.pairs)}
	arithmetic := float64(t.share) * c.tract(s, t.share)
	// Half, since a message's cost is that of both its ends.
	messages := (float64(t.messages)*(c.message+headerBytes*c.byte) + float64(t.crossings)*of*c.byte) / 2
	wait := 0.0
	if t.pairs > 0 {
		wait = 2 * hop
	}
	server := (float64(t.pairs)*c.serverMessage + x.bytes*c.serverByte) / serverCores
	network := x.bytes / bandwidth
	x.tick, x.bound = arithmetic+messages+wait, "arithmetic"
	for _, b := range []struct {
		name string
		took float64
	}{{"messages at a worker", messages}, {"the way to the server", wait}} {
		if b.took > arithmetic {
			arithmetic, x.bound = b.took, b.name
		}
	}
	if server > x.tick {
		x.tick, x.bound = server, "the server"
	}
	if network > x.tick {
		x.tick, x.bound = network, "the server's network"
	}
	return x
}

// tract is the cost of one in a share of so many, by the logarithm between those that
// were measured.
func (c *costs) tract(s size, share int) float64 {
	lo, hi := float64(nearRegions*tracts), float64(farRegions*tracts)
	k := math.Log(float64(share)/lo) / math.Log(hi/lo)
	k = max(0, min(1, k))
	return c.near[s] + k*(c.far[s]-c.near[s])
}

func measureCosts() (*costs, error) {
	c := &costs{near: map[size]float64{}, far: map[size]float64{}}
	for _, s := range sizes {
		var err error
		if c.near[s], err = tractCost(s, nearRegions); err != nil {
			return nil, err
		}
		if c.far[s], err = tractCost(s, farRegions); err != nil {
			return nil, err
		}
	}
	return c, c.measureMessages()
}

// tractCost is the processor time of a tract in a tick.
func tractCost(s size, regions int) (float64, error) {
	p := ticking.Plan(regions, tracts*regions, s.d, s.r)
	config := runtime.Default()
	config.Processes, config.Release = 1, true
	n, err := runtime.New(p, config)
	if err != nil {
		return 0, err
	}
	in := [][]float32{ticking.Numbers(s.batch * ticking.Inputs)}
	run := func(ticks int) (float64, error) {
		began := cputime.Process()
		_, err := n.Run(context.Background(), runtime.Episode{Batch: s.batch, Inputs: in, Ticks: ticks})
		return (cputime.Process() - began).Seconds() / float64(ticks), err
	}
	took, err := run(2)
	if err != nil {
		return 0, err
	}
	var all []float64
	for range 5 {
		x, err := run(max(3, int(0.3/took)))
		if err != nil {
			return 0, err
		}
		all = append(all, x)
	}
	return median(all) / float64(tracts*regions), nil
}

// onlyServe runs a server that says its address, and its processor time for each line
// that it is told.
func onlyServe() error {
	s, end, err := startServer()
	if err != nil {
		return err
	}
	defer end()
	fmt.Println(s.ClientURL())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(cputime.Process().Nanoseconds())
	}
	return nil
}

// measureMessages sends small and large messages in bursts of a hundred, as a worker
// does, through a server in a process of its own.
func (c *costs) measureMessages() error {
	child := exec.Command(os.Args[0], "-server")
	child.Stderr = os.Stderr
	ask, err := child.StdinPipe()
	if err != nil {
		return err
	}
	answers, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	defer func() { ask.Close(); child.Wait() }() //nolint:errcheck // it is asked to end
	lines := bufio.NewReader(answers)
	url, err := lines.ReadString('\n')
	if err != nil {
		return err
	}
	served := func() (time.Duration, error) {
		fmt.Fprintln(ask)
		var ns int64
		_, err := fmt.Fscanln(lines, &ns)
		return time.Duration(ns), err
	}
	var conns [2]*nats.Conn
	for i := range conns {
		if conns[i], err = nats.Connect(strings.TrimSpace(url)); err != nil {
			return err
		}
		defer conns[i].Close()
	}
	const burst = 100
	came := make(chan struct{}, burst)
	if _, err := conns[1].Subscribe("x", func(*nats.Msg) { came <- struct{}{} }); err != nil {
		return err
	}
	if err := conns[1].Flush(); err != nil {
		return err
	}
	cost := func(bytes, bursts int) (client, server float64, err error) {
		data := make([]byte, bytes)
		before, err := served()
		if err != nil {
			return 0, 0, err
		}
		began := cputime.Process()
		for range bursts {
			for range burst {
				if err := conns[0].Publish("x", data); err != nil {
					return 0, 0, err
				}
			}
			for range burst {
				<-came
			}
		}
		took := cputime.Process() - began
		after, err := served()
		all := float64(burst * bursts)
		return took.Seconds() / all, (after - before).Seconds() / all, err
	}
	var small, large, smallServer, largeServer []float64
	for range 5 {
		a, b, err := cost(smallMessage, 300)
		if err != nil {
			return err
		}
		small, smallServer = append(small, a), append(smallServer, b)
		if a, b, err = cost(largeMessage, 20); err != nil {
			return err
		}
		large, largeServer = append(large, a), append(largeServer, b)
	}
	line := func(small, large []float64) (fixed, each float64) {
		each = max(0, (median(large)-median(small))/(largeMessage-smallMessage))
		return median(small) - smallMessage*each, each
	}
	c.message, c.byte = line(small, large)
	c.serverMessage, c.serverByte = line(smallServer, largeServer)
	return nil
}

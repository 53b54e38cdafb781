package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"
)

// target is the server that is asked.
type target struct {
	url    string
	pid    int
	body   []byte
	want   string // of its answers
	client *http.Client
}

// ask asks once and returns the status and the answers.
func (x *target) ask() (status int, answers string, err error) {
	r, err := x.client.Post(x.url+"/answer", "application/octet-stream", bytes.NewReader(x.body))
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, "", err
	}
	var said struct{ Answers json.RawMessage }
	if r.StatusCode == http.StatusOK {
		if err := json.Unmarshal(b, &said); err != nil {
			return 0, "", err
		}
	}
	return r.StatusCode, string(said.Answers), nil
}

// outcome is what became of requests.
type outcome struct {
	asked             int
	statuses          map[int]int
	lost, wrong       int       // without an answer; with another than alone
	accepted, refused []float64 // latencies from when each was due, s
	took              float64   // s until the last was answered
}

// openLoop asks at a rate, each request when it is due.
func (x *target) openLoop(rate float64, d time.Duration) *outcome {
	o := &outcome{asked: max(int(rate*d.Seconds()), 1), statuses: map[int]int{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for k := range o.asked {
		due := began.Add(time.Duration(float64(k) / rate * float64(time.Second)))
		time.Sleep(time.Until(due))
		wg.Go(func() {
			status, answers, err := x.ask()
			took := time.Since(due).Seconds()
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				o.lost++
				return
			case status == http.StatusOK:
				o.accepted = append(o.accepted, took)
				if answers != x.want {
					o.wrong++
				}
			default:
				o.refused = append(o.refused, took)
			}
			o.statuses[status]++
		})
	}
	wg.Wait()
	o.took = time.Since(began).Seconds()
	return o
}

// A rate is sustained where most of some short runs are answered wholly.
const (
	trials     = 3
	trialTime  = 5 * time.Second
	bisections = 4
)

// sustained says whether the middle one of some open-loop runs is refused
// nothing.
func (x *target) sustained(rate float64) (bool, error) {
	whole := 0
	for k := range trials {
		o := x.openLoop(rate, trialTime)
		if o.lost > 0 || o.wrong > 0 {
			return false, fmt.Errorf("at %.1f requests/s %d of %d were lost and %d answered otherwise than alone", rate, o.lost, o.asked, o.wrong)
		}
		if len(o.refused) == 0 {
			whole++
		}
		if whole > trials/2 || k+1-whole > trials/2 {
			break // the rest changes nothing
		}
	}
	return whole > trials/2, nil
}

// sustainable finds the highest rate that is sustained, to a sixteenth of it.
func (x *target) sustainable() (float64, error) {
	low, high := 0.0, 4.0
	for {
		ok, err := x.sustained(high)
		if err != nil {
			return 0, err
		}
		if !ok {
			break
		}
		low, high = high, 2*high
	}
	for range bisections {
		middle := (low + high) / 2
		ok, err := x.sustained(middle)
		if err != nil {
			return 0, err
		}
		if ok {
			low = middle
		} else {
			high = middle
		}
	}
	if low == 0 {
		return 0, fmt.Errorf("%.1f requests/s are not sustained", high)
	}
	return low, nil
}

// overload asks at a rate while other things go on, and says what came of it.
func (x *target) overload(rate float64, o options) error {
	d := time.Duration(o.seconds) * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	var memory memory
	reloads, hostile := 0, map[string]int{}
	var wg sync.WaitGroup
	wg.Go(func() { memory = x.memory(ctx) })
	wg.Go(func() { reloads = x.reload(ctx, o.reload) })
	wg.Go(func() { hostile = x.hostile(o.hostile, d) })
	before := x.processorTime()
	got := x.openLoop(rate, d)
	used := x.processorTime() - before
	wg.Wait()

	ok, busy := got.statuses[http.StatusOK], got.statuses[http.StatusTooManyRequests]
	fmt.Printf("overload: %.1f requests/s for %d s, %d in all: %d answered (%.1f/s), %d refused with 429, %d otherwise, %d lost\n",
		rate, o.seconds, got.asked, ok, float64(ok)/got.took, busy, got.asked-ok-busy-got.lost, got.lost)
	fmt.Printf("processor time of the server: %.1f s in %.1f s\n", used, got.took)
	fmt.Printf("latency from when a request was due, s: answered p50 %.3f, p99 %.3f, most %.3f; refused p50 %.3f, p99 %.3f\n",
		quantile(got.accepted, 0.5), quantile(got.accepted, 0.99), quantile(got.accepted, 1), quantile(got.refused, 0.5), quantile(got.refused, 0.99))
	fmt.Printf("memory of the server, MB: resident %s; live heap %s\n", memory.thirds(resident), memory.thirds(live))
	fmt.Printf("plan loaded anew %d times; %d hostile requests by status: %v\n", reloads, o.hostile, hostile)
	fmt.Printf("answers with other bits than alone: %d of %d\n", got.wrong, len(got.accepted))
	if got.wrong > 0 || got.lost > 0 || ok+busy != got.asked {
		return fmt.Errorf("not every request was answered as it is alone, or refused with 429: %v", got.statuses)
	}
	return nil
}

func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	return v[min(int(q*float64(len(v))), len(v)-1)]
}

// Command serve overloads a server of package runtime/serve on loopback and
// says what came of it: an open-loop generator asks at twice the rate that can
// be sustained, each request sent when it is due whatever became of those
// before, and its latency is counted from when it was due. Meanwhile hostile
// requests come and the plan is loaded anew every ten seconds. Every answer has
// to have the bits of the plan alone.
//
//	go run ./bench/serve                  60 s at twice the sustainable rate
//	go run ./bench/serve -seconds 10 -plan my-plan -picture cat.png
//
// The server is a process of its own; its memory is what Linux says it holds.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/runtime/serve"
)

func main() {
	log.SetFlags(0)
	plan := flag.String("plan", "default", "plan that is served")
	picture := flag.String("picture", "", "file that is asked about; else a drawing of an apple")
	seconds := flag.Int("seconds", 60, "how long it is overloaded")
	times := flag.Float64("times", 2, "the rate asked at, as a multiple of the sustainable one")
	hostile := flag.Int("hostile", 10000, "hostile requests meanwhile")
	wait := flag.Duration("wait", time.Second, "how long a request may have to wait, as in wire serve --wait")
	child := flag.Bool("server", false, "be the server")
	flag.Parse()
	if *child {
		if err := beServer(*plan, *wait); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(*plan, *picture, *seconds, *times, *hostile, *wait); err != nil {
		log.Fatal(err)
	}
}

// beServer serves until it is told to end.
func beServer(plan string, wait time.Duration) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := serve.New(serve.Options{Wait: wait})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.AddPlan("plan", plan, wire.Options{Engine: "go"}); err != nil {
		return err
	}
	if err := s.Load(ctx); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return s.Listen(ctx, l, nil, 30*time.Second)
}

// target is the server that is asked.
type target struct {
	url    string
	pid    int
	body   []byte
	want   string // of its answers
	client *http.Client
}

func run(plan, picture string, seconds int, times float64, hostile int, wait time.Duration) error {
	body, err := content(picture)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "-server", "-plan", plan, "-wait", wait.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}()
	var addr string
	if _, err := fmt.Fscanln(out, &addr); err != nil {
		return fmt.Errorf("the server does not begin: %w", err)
	}
	x := &target{url: "http://" + addr, pid: cmd.Process.Pid, body: body, client: &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 4096}}}
	if _, x.want, err = x.ask(); err != nil {
		return err
	}
	rate, err := x.sustainable(10 * time.Second)
	if err != nil {
		return err
	}
	fmt.Printf("sustainable: %.1f requests/s (8 clients, each after its last answer, 10 s)\n", rate)
	return x.overload(times*rate, seconds, hostile)
}

// content is the file that is asked about.
func content(picture string) ([]byte, error) {
	if picture != "" {
		return os.ReadFile(picture)
	}
	for _, item := range demo.Items() {
		if item.Name == "apple" {
			return item.Encode()
		}
	}
	return nil, fmt.Errorf("there is no drawing of an apple")
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

// sustainable is how many requests a second are answered to clients that wait
// for each answer.
func (x *target) sustainable(d time.Duration) (float64, error) {
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for range 8 {
		wg.Go(func() {
			for time.Now().Before(end) {
				status, _, err := x.ask()
				if err != nil {
					failed.Store(&err)
					return
				}
				if status == http.StatusOK {
					done.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / d.Seconds(), nil
}

// overload asks at a rate, open loop.
func (x *target) overload(rate float64, seconds, hostile int) error {
	n := int(rate * float64(seconds))
	var mu sync.Mutex
	statuses, wrong, lost := map[int]int{}, 0, 0
	var accepted, refused []float64
	var wg sync.WaitGroup
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second)
	defer cancel()
	var memory []float64
	wg.Go(func() { memory = x.memory(ctx) })
	reloads := 0
	wg.Go(func() { reloads = x.reload(ctx) })
	var sent map[string]int
	wg.Go(func() { sent = x.hostile(ctx, hostile, seconds) })
	began := time.Now()
	for k := range n {
		due := began.Add(time.Duration(float64(k) / rate * float64(time.Second)))
		time.Sleep(time.Until(due))
		wg.Go(func() {
			status, answers, err := x.ask()
			took := time.Since(due).Seconds()
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				lost++
			case status == http.StatusOK:
				accepted = append(accepted, took)
				if answers != x.want {
					wrong++
				}
			default:
				refused = append(refused, took)
			}
			statuses[status]++
		})
	}
	wg.Wait()
	fmt.Printf("overload: %.1f requests/s for %d s, %d in all: %d answered (%.1f/s), %d refused with 429, %d otherwise, %d lost\n",
		rate, seconds, n, statuses[200], float64(statuses[200])/time.Since(began).Seconds(), statuses[429], n-statuses[200]-statuses[429]-lost, lost)
	fmt.Printf("latency from when a request was due, s: answered p50 %.3f, p99 %.3f, most %.3f; refused p50 %.3f, p99 %.3f\n",
		quantile(accepted, 0.5), quantile(accepted, 0.99), quantile(accepted, 1), quantile(refused, 0.5), quantile(refused, 0.99))
	third := len(memory) / 3
	fmt.Printf("memory of the server, MB: first third %.0f, last third %.0f, most %.0f\n", mean(memory[:third])/1e6, mean(memory[len(memory)-third:])/1e6, slices.Max(append(memory, 0))/1e6)
	fmt.Printf("plan loaded anew %d times; hostile requests by status: %v\n", reloads, sent)
	fmt.Printf("answers with other bits than alone: %d of %d\n", wrong, len(accepted))
	if wrong > 0 || lost > 0 || statuses[200]+statuses[429] != n {
		return fmt.Errorf("not every request was answered as it is alone, or refused with 429: %v", statuses)
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

func mean(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// memory is what the server holds, bytes, twice a second.
func (x *target) memory(ctx context.Context) (out []float64) {
	for ctx.Err() == nil {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", x.pid))
		if _, rest, ok := strings.Cut(string(b), "VmRSS:"); ok {
			if kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64); err == nil {
				out = append(out, kb*1024)
			}
		}
		time.Sleep(500 * time.Millisecond)
	}
	return out
}

// reload loads the plan anew every ten seconds and says how often it did.
func (x *target) reload(ctx context.Context) (n int) {
	for {
		select {
		case <-time.After(10 * time.Second):
			r, err := x.client.Post(x.url+"/v2/repository/models/plan/load", "", nil)
			if err != nil {
				return n
			}
			if r.Body.Close(); r.StatusCode == http.StatusOK {
				n++
			}
		case <-ctx.Done():
			return n
		}
	}
}

// hostile sends what nobody should send, spread over the time, and counts the
// statuses that came back; "closed" is a connection that was cut.
func (x *target) hostile(ctx context.Context, n, seconds int) map[string]int {
	const attackers = 16
	counts := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	pause := time.Duration(seconds) * time.Second * attackers / time.Duration(max(n, 1)) * 8 / 10
	for k := range attackers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(k)))
			for i := k; i < n && ctx.Err() == nil; i += attackers {
				began := time.Now()
				status := x.attack(rng)
				mu.Lock()
				counts[status]++
				mu.Unlock()
				time.Sleep(pause - time.Since(began))
			}
		})
	}
	wg.Wait()
	return counts
}

func (x *target) attack(rng *rand.Rand) string {
	path, kind, body := "/answer", "application/octet-stream", []byte(nil)
	header := http.Header{}
	switch rng.IntN(10) {
	case 0: // a picture that says it is huge
		body = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\x00\x00\x00\xaa\xaa\xaa\xaa")
	case 1: // a picture that is cut off, or wrong somewhere
		body = slices.Clone(x.body)
		for range 5 {
			body[rng.IntN(len(body))] ^= byte(1 + rng.IntN(255))
		}
		body = body[:rng.IntN(len(body))+1]
	case 2: // a shape that is larger than all memory
		path, kind, body = "/v2/models/plan/infer", "application/json", []byte(`{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,4294967296,4294967296,3],"data":[1]}]}`)
	case 3: // lengths that lie
		path, body = "/v2/models/plan/infer", []byte(`{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":4}}]}`+"\xff\xff\xff\xff")
		header.Set("Inference-Header-Content-Length", strconv.Itoa(len(body)-4))
	case 4: // JSON that is deep
		path, kind, body = "/v2/models/plan/infer", "application/json", []byte(`{"inputs":`+strings.Repeat("[", 20000))
	case 5: // names that lead elsewhere
		path = "/v2/models/..%2f..%2f..%2fetc%2fpasswd/infer"
	case 6: // numbers that are none
		path, kind, body = "/answer", "application/json", []byte(`{"image":NaN}`)
	case 7: // what is no archive
		body = []byte("xxxx")
		header.Set("Content-Encoding", "gzip")
	case 8: // a client that goes away
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(20))*time.Millisecond)
		defer cancel()
		q, _ := http.NewRequestWithContext(ctx, "POST", x.url+"/v2/models/plan/generate_stream", bytes.NewReader(x.body))
		if r, err := x.client.Do(q); err == nil {
			r.Body.Close()
			return strconv.Itoa(r.StatusCode)
		}
		return "closed"
	case 9: // too many headers
		for k := range 2000 {
			header.Set("X-"+strconv.Itoa(k), strings.Repeat("x", 40))
		}
	}
	q, err := http.NewRequest("POST", x.url+path, bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	header.Set("Content-Type", kind)
	q.Header = header
	r, err := x.client.Do(q)
	if err != nil {
		return "closed"
	}
	defer r.Body.Close()
	io.Copy(io.Discard, r.Body)
	return strconv.Itoa(r.StatusCode)
}

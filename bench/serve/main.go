// Command serve overloads a server of package runtime/serve on loopback and
// says what came of it. First it finds the rate that can be sustained, by
// bisection: the highest at which an open-loop generator, in the middle one of
// three short runs, is refused nothing. Then it asks at twice that rate, each
// request sent when it is due whatever became of those before; latency is
// counted from when it was due. Meanwhile hostile requests come and the plan is
// loaded anew every ten seconds. Every answer has to have the bits of the plan
// alone.
//
//	go run ./bench/serve                         60 s at twice the sustainable rate
//	go run ./bench/serve -seconds 10 -plan my-plan -picture cat.png
//	go run ./bench/serve -hostile 0 -reload 0    with nothing beside the questions
//
// The server is a process of its own. Its memory is told in two ways: what Linux
// says is resident, and the heap that was live after the last collection, from
// /metrics; Go lets a heap grow to twice what is live, or to GOMEMLIMIT.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/runtime/serve"
)

// options of a run.
type options struct {
	plan, picture string
	seconds       int
	times         float64
	rate          float64
	hostile       int
	reload        time.Duration
	wait          time.Duration
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.plan, "plan", "default", "plan that is served")
	flag.StringVar(&o.picture, "picture", "", "file that is asked about; else a drawing of an apple")
	flag.IntVar(&o.seconds, "seconds", 60, "how long it is overloaded")
	flag.Float64Var(&o.times, "times", 2, "the rate asked at, as a multiple of the sustainable one")
	flag.Float64Var(&o.rate, "rate", 0, "the sustainable rate, requests/s; 0 measures it")
	flag.IntVar(&o.hostile, "hostile", 10000, "hostile requests meanwhile")
	flag.DurationVar(&o.reload, "reload", 10*time.Second, "how often the plan is loaded anew meanwhile; 0 for never")
	flag.DurationVar(&o.wait, "wait", time.Second, "how long a request may have to wait, as in wire serve --wait")
	child := flag.Bool("server", false, "be the server")
	flag.Parse()
	act := run
	if *child {
		act = beServer
	}
	if err := act(o); err != nil {
		log.Fatal(err)
	}
}

// beServer serves until it is told to end, and says at the beginning and at the
// end how much heap is in use.
func beServer(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := serve.New(serve.Options{Wait: o.wait})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.AddPlan("plan", o.plan, wire.Options{Engine: "go"}); err != nil {
		return err
	}
	if err := s.Load(ctx); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr(), inUse())
	err = s.Listen(ctx, l, nil, 30*time.Second)
	fmt.Println(inUse())
	return err
}

// inUse says what is held after a collection.
func inUse() string {
	for range 3 { // pools are emptied in two
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return fmt.Sprintf("%.0f MB of heap in use, %d goroutines", float64(m.HeapAlloc)/1e6, runtime.NumGoroutine())
}

func run(o options) error {
	body, err := content(o.picture)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "-server", "-plan", o.plan, "-wait", o.wait.String())
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	out := bufio.NewReader(pipe)
	line, err := out.ReadString('\n')
	addr, begin, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil {
		cmd.Wait()
		return fmt.Errorf("the server does not begin: %w", err)
	}
	x := &target{url: "http://" + addr, pid: cmd.Process.Pid, body: body, client: &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 4096}}}
	err = x.measure(o)
	cmd.Process.Signal(syscall.SIGTERM)
	end, _ := out.ReadString('\n')
	cmd.Wait()
	fmt.Printf("the server after a collection: at the beginning %s; at the end %s\n", begin, strings.TrimSpace(end))
	return err
}

// measure finds the sustainable rate, then overloads.
func (x *target) measure(o options) (err error) {
	if _, x.want, err = x.ask(); err != nil {
		return err
	}
	rate := o.rate
	if rate == 0 {
		if rate, err = x.sustainable(); err != nil {
			return err
		}
		fmt.Printf("sustainable: %.1f requests/s\n", rate)
	}
	return x.overload(o.times*rate, o)
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

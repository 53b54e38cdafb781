package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
)

// leaves lists the commands that do something, with the words that call them.
func leaves(commands []*cli.Command, words ...string) map[string]*cli.Command {
	out := map[string]*cli.Command{}
	for _, c := range commands {
		path := append(append([]string{}, words...), c.Name)
		if c.Action != nil {
			out[strings.Join(path, " ")] = c
		}
		for name, sub := range leaves(c.Subcommands, path...) {
			out[name] = sub
		}
	}
	return out
}

// TestEveryNumberAndPathIsChecked: an option without a check is one that
// nobody thought the bounds of.
func TestEveryNumberAndPathIsChecked(t *testing.T) {
	for path, cmd := range leaves(newApp(io.Discard, io.Discard).Commands) {
		for _, f := range cmd.Flags {
			name := f.Names()[0]
			switch f.(type) {
			case *cli.IntFlag, *cli.Int64Flag, *cli.Uint64Flag, *cli.Float64Flag, *cli.DurationFlag:
				if checks[name] == nil && checks[path+" "+name] == nil {
					t.Errorf("wire %s --%s is a number without bounds; give it some in bounds.go", path, name)
				}
			}
		}
	}
}

func TestMistakenOptionsAreRefusedBeforeTheWork(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("WIRE_CACHE", filepath.Join(dir, "cache"))
	t.Setenv("HOME", dir)
	if err := os.WriteFile("file", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, want string }{
		{"build default -o p --width -4", "--width -4: width is -4, want 0 to 4096"},
		{"build default -o p --width 0", "--width 0: want more than 0"},
		{"build default -o p --width 100000", "--width 100000"},
		{"build default -o p --rank -2", "--rank -2: rank is -2"},
		{"build default -o p --width 4096 --rank 512", "billion parameters"},
		{"build default -o p --neighbours -7", "--neighbours -7"},
		{"build default -o p --modules missing", "--modules missing: no such file or directory"},
		{"build default -o file/p", "file is a file, no directory"},
		{"render default -o x.svg --max-tracts -1", "--max-tracts -1: want 1 to"},
		{"render default -o x.png --scale NaN", "--scale NaN"},
		{"render default -o x.png --scale -1", "--scale -1"},
		{"render default -o x.png --scale 0", "--scale 0: want more than 0"},
		{"render default -o x.svg --layout round", "choose one of lobes, axial, sagittal"},
		{"render default -o missing/x.svg", "write missing/x.svg: no such file or directory"},
		{"run default --image missing.png", "--image missing.png: no such file or directory"},
		{"run default --image file --trace missing/t.json", "write missing/t.json: no such file or directory"},
		{"train default", "wire build default -o plan"},
		{"train missing", "there is no plan missing"},
		{"train missing --epochs 0", "--epochs 0"},
		{"train missing --rate NaN", "--rate NaN"},
		{"modules run", `"wire modules run --help"`},
		{"--foo", `Run "wire --help"`},
		{"connectome foo", "there is no command \"connectome foo\"\nRun \"wire connectome --help\""},
		{"connectome inspect", "or \"default\"; got none"},
		{"connectome inspect default --seed x", "--seed x: not a number"},
		{"connectome list x", "connectome list takes no arguments; got x"},
		{"connectome inspect brain --foo", "there is no option --foo"},
		{"connectome inspect default --rows up", "source or target"},
		{"connectome convert file file", "file is the file that is read"},
	} {
		var stdout, stderr bytes.Buffer
		began := time.Now()
		code := execute(t.Context(), append([]string{"wire"}, strings.Fields(c.line)...), &stdout, &stderr)
		if code == exitOK || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("wire %s: code %d, %s\nwant %s", c.line, code, stderr.String(), c.want)
		}
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("wire %s took %v to be refused", c.line, d)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("something was left behind: %v", entries)
	}
}

// Values that options and arguments are given, besides what they expect.
// Nothing outside the test's own directory may be written by them: CI may run
// as root.
var nasty = append([]string{
	"", "default", "missing", "missing/x.svg", "out", "out.svg",
	"out.png", "out.dot", "out.csv", "out.json", "brain.csv", "plan", "broken.zip", "empty", "sub", "sub/..", ".", "=", "a=", "=a", "a=b",
	"a,b", ",", "\x00", "\xff", "ä", strings.Repeat("a", 5000), "%s%d", "--", "--json", "go", "auto", "val", "all", "vision", "lh-insula",
	"lh-insula:rh-insula", "degree", "csv", "matrix", "edgelist", "sum", "source", "fail", "silence", "image=lh-insula", "threshold 0.5", "log",
	"captioning", "stamps", "bash", "axial", "/dev/null/x",
}, nastyNumbers...)

var nastyNumbers = []string{
	"-1", "0", "1", "2", "7", "-7", "3.5", "1e9", "-1e300", "NaN", "Inf", "-Inf", "100000", "2147483648", "9223372036854775807",
	"18446744073709551615", "99999999999999999999", "0x10", "1s", "-1s", "1000000h",
}

// draw makes a command line of a command: some of its options with values of
// any kind, and some arguments. must, an option's place, is one of them; -1 is
// any.
func draw(rng *rand.Rand, path string, cmd *cli.Command, must int) []string {
	pick := func() string { return nasty[rng.IntN(len(nasty))] }
	value := func(f cli.Flag) string {
		switch f.(type) {
		case *cli.StringFlag, *cli.StringSliceFlag, *cli.GenericFlag:
			return pick()
		}
		return nastyNumbers[rng.IntN(len(nastyNumbers))]
	}
	line := append([]string{"wire"}, strings.Fields(path)...)
	if rng.IntN(2) == 0 {
		line = append(line, []string{"default", "plan", "brain.csv", "vision"}[rng.IntN(4)])
	} else {
		for range rng.IntN(3) {
			line = append(line, pick())
		}
	}
	if len(cmd.Flags) == 0 {
		return line
	}
	for _, f := range cmd.Flags {
		required, ok := f.(cli.RequiredFlag)
		if ok && required.IsRequired() && rng.IntN(8) > 0 {
			line = append(line, "--"+f.Names()[0], []string{"out", "out.svg", "out.png", "out.csv"}[rng.IntN(4)])
		}
	}
	options := make([]cli.Flag, rng.IntN(4))
	for i := range options {
		options[i] = cmd.Flags[rng.IntN(len(cmd.Flags))]
	}
	if must >= 0 {
		options = append(options, cmd.Flags[must%len(cmd.Flags)])
	}
	for _, f := range options {
		line = append(line, "--"+f.Names()[0])
		if valued, ok := f.(cli.DocGenerationFlag); ok && valued.TakesValue() {
			line = append(line, value(f))
		}
	}
	return line
}

const (
	lineTime   = 2 * time.Second  // after which a command is interrupted
	lineGrace  = 60 * time.Second // in which it then has to end
	lineMemory = 3 << 30          // bytes of heap
)

// tryLine runs a command line in this process and fails the test when it
// panics, takes too much memory, or does not end soon after it is interrupted.
func tryLine(t *testing.T, line []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lineTime)
	defer cancel()
	var stderr bytes.Buffer
	done := make(chan string, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- fmt.Sprintf("panic: %v\n%s", v, debug.Stack())
			}
		}()
		code := execute(ctx, line, io.Discard, &stderr)
		switch {
		case code != exitOK && stderr.Len() == 0:
			done <- fmt.Sprintf("it failed with code %d and said nothing", code)
		case strings.Contains(stderr.String(), "goroutine "):
			done <- stderr.String()
		default:
			done <- ""
		}
	}()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case wrong := <-done:
			if wrong != "" {
				t.Errorf("%q: %s", line, wrong)
			}
			return
		case <-tick.C:
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if m.HeapInuse > lineMemory {
				panic(fmt.Sprintf("%q takes %d MB", line, m.HeapInuse>>20)) // before the machine does worse
			}
			if time.Since(began) > lineTime+lineGrace {
				buffer := make([]byte, 1<<20)
				t.Fatalf("%q does not end:\n%s", line, buffer[:runtime.Stack(buffer, true)])
			}
		}
	}
}

// arena is a directory with something of everything, in which lines are tried.
// Commands that would fetch something find neither clients nor network.
func arena(t testing.TB) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("WIRE_CACHE", filepath.Join(dir, "cache"))
	t.Setenv("HOME", dir)
	t.Setenv("PATH", dir)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, "http://127.0.0.1:1")
	}
	for name, content := range map[string]string{
		"brain.csv":  "0,1,2,3\n1,0,4,5\n2,4,0,6\n3,5,6,0\n",
		"empty":      "",
		"broken.zip": "PK\x03\x04\x14\x00\x00\x00\x08\x00",
	} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("sub", 0o755); err != nil {
		t.Fatal(err)
	}
	if code := execute(t.Context(), []string{"wire", "build", "default", "-o", "plan", "--width", "4", "--rank", "2"}, io.Discard, io.Discard); code != exitOK {
		t.Fatalf("the plan was not built: code %d", code)
	}
}

// TestFlags draws command lines for every command, each of its options at least
// once, the same at each run.
func TestFlags(t *testing.T) {
	for path, cmd := range leaves(newApp(io.Discard, io.Discard).Commands) {
		t.Run(strings.ReplaceAll(path, " ", "-"), func(t *testing.T) {
			arena(t)
			lines := max(20, len(cmd.Flags))
			if testing.Short() {
				lines = 2
			}
			for k := range lines {
				tryLine(t, draw(rand.New(rand.NewPCG(1, uint64(k))), path, cmd, k))
			}
		})
	}
}

// FuzzFlags does the same for command lines without end: which command, and a
// seed of what it is given.
func FuzzFlags(f *testing.F) {
	for k := range uint64(4) {
		f.Add(uint8(k*11), k)
	}
	f.Fuzz(func(t *testing.T, which uint8, seed uint64) {
		commands := leaves(newApp(io.Discard, io.Discard).Commands)
		var paths []string
		for path := range commands {
			paths = append(paths, path)
		}
		slices.Sort(paths)
		path := paths[int(which)%len(paths)]
		arena(t)
		tryLine(t, draw(rand.New(rand.NewPCG(seed, 0)), path, commands[path], -1))
	})
}

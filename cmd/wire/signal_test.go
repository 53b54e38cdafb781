package main

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A few stamps of coloured squares, laid out as the package's files are, are
// enough to train on.
func writeStamps(t *testing.T, cache string) {
	t.Helper()
	dir := filepath.Join(cache, "tuxpaint-stamps-default")
	stamps := filepath.Join(dir, "usr", "share", "tuxpaint", "stamps", "shapes")
	if err := os.MkdirAll(stamps, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "wire.json"), `{"package": "tuxpaint-stamps-default", "client": "apt-get", "file": "made-up.deb"}`)
	resvg := filepath.Join(cache, "resvg-resvg-wasm") // no stamp here needs it
	if err := os.MkdirAll(resvg, 0o755); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(resvg, "wire.json"), `{"package": "@resvg/resvg-wasm", "client": "npm", "file": "made-up.tgz"}`)
	colours := map[string]color.Color{
		"red": color.RGBA{R: 255, A: 255}, "blue": color.RGBA{B: 255, A: 255}, "green": color.RGBA{G: 200, A: 255}, "black": color.Black,
	}
	for name, c := range colours {
		for _, thing := range []string{"cat", "dog", "hat", "car", "tree", "house", "ball", "fish", "bird", "flower"} {
			m := image.NewRGBA(image.Rect(0, 0, 32, 32))
			for i := range 32 * 32 {
				if (i*len(thing)+i/32)%7 > 2 {
					m.Set(i%32, i/32, c)
				}
			}
			stem := filepath.Join(stamps, name+"-"+thing)
			f, err := os.Create(stem + ".png")
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
				t.Fatal(err)
			}
			write(stem+".txt", fmt.Sprintf("A %s %s.\n", name, thing))
		}
	}
}

// builtPlan returns a directory with a small plan, "plan", and wire as a command
// in it, whose cache is the directory's.
func builtPlan(t *testing.T) (dir string, command func(args ...string) *exec.Cmd) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	// TestMain makes a test binary called "wire" the command.
	wire := filepath.Join(dir, "wire")
	if err := os.Symlink(self, wire); err != nil {
		t.Skip("no symbolic links:", err)
	}
	command = func(args ...string) *exec.Cmd {
		cmd := exec.Command(wire, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "WIRE_CACHE="+filepath.Join(dir, "cache"), "HOME="+dir, "XDG_CACHE_HOME="+dir)
		return cmd
	}
	if out, err := command("build", "default", "-o", "plan", "--width", "16", "--rank", "4").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir, command
}

// TestTrainKeepsACheckpointWhenInterrupted sends signals to a training at the
// command line.
func TestTrainKeepsACheckpointWhenInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a plan")
	}
	dir, command := builtPlan(t)
	writeStamps(t, filepath.Join(dir, "cache", "data"))
	train := func(epochs string) *exec.Cmd {
		return command("train", "plan", "--set", "stamps", "--epochs", epochs, "--views", "1", "--engine", "go")
	}
	checkpoint := filepath.Join(dir, "plan.checkpoint")
	// interrupted trains until the checkpoint is newer than since, sends the
	// signal and returns what the command answered.
	interrupted := func(signal syscall.Signal, since time.Time) (code int, stderr string) {
		cmd := train("100000")
		var out strings.Builder
		cmd.Stderr = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			if info, err := os.Stat(checkpoint); err == nil && info.ModTime().After(since) {
				break
			}
			if time.Now().After(deadline) {
				cmd.Process.Kill()
				cmd.Wait()
				t.Fatalf("no checkpoint: %s", out.String())
			}
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		return cmd.ProcessState.ExitCode(), out.String()
	}
	code, stderr := interrupted(syscall.SIGINT, time.Time{})
	if code != exitInterrupted || !strings.Contains(stderr, "plan.checkpoint keeps what was learned") || !strings.HasSuffix(stderr, "wire: interrupted\n") {
		t.Fatalf("SIGINT: exit status %d, %s", code, stderr)
	}
	info, err := os.Stat(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "plan", "tracts.safetensors")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an interrupted training changed the plan: %v", err)
	}
	// Another run refuses the checkpoint rather than lose it; the same goes on.
	if out, err := train("3").CombinedOutput(); err == nil || !strings.Contains(string(out), "another run") {
		t.Errorf("other epochs: %v, %s", err, out)
	}
	code, stderr = interrupted(syscall.SIGTERM, info.ModTime())
	if code != exitTerminated || !strings.HasSuffix(stderr, "wire: terminated\n") {
		t.Errorf("SIGTERM: exit status %d, %s", code, stderr)
	}
	if first := firstEpoch(stderr); first < 2 {
		t.Errorf("the second run began with epoch %d: it did not go on from the checkpoint\n%s", first, stderr)
	}
}

// firstEpoch is the first epoch that a training's messages report as done.
func firstEpoch(stderr string) (epoch int) {
	if _, rest, ok := strings.Cut(stderr, "\nepoch "); ok {
		fmt.Sscanf(rest, "%d", &epoch)
	}
	return epoch
}

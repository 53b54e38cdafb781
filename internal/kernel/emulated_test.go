package kernel

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// TestNEON runs this package's tests of products, planes, columns and bytes as an arm64
// program, under qemu-user (Debian's package of that name).
func TestNEON(t *testing.T) {
	if runtime.GOARCH != "amd64" || runtime.GOOS != "linux" {
		t.Skip("runs where Linux on amd64 emulates arm64")
	}
	if testing.Short() {
		t.Skip("emulation is slow")
	}
	qemu, err := exec.LookPath("qemu-aarch64")
	if err != nil {
		t.Skip("qemu-aarch64 (Debian's qemu-user) is not installed")
	}
	program := filepath.Join(t.TempDir(), "kernel.test")
	build := exec.Command("go", "test", "-c", "-o", program, ".")
	build.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(qemu, program, "-test.run", "^Test(Filter|SoftmaxBits|CopyRowsAndClamps|Slopes|GemmLeavesNeighboursAlone|GemmBits|Gather|Columns|Mix|Product16|Bytes)$").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

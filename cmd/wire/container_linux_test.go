package main

import (
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestContainer runs the static binary as docs/serving.Dockerfile says, alone in
// an empty root. WIRE_TEST_STATIC names the binary, built as it says there.
func TestContainer(t *testing.T) {
	binary := os.Getenv("WIRE_TEST_STATIC")
	if binary == "" {
		t.Skip("WIRE_TEST_STATIC names no static binary")
	}
	program, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Fatal("the binary needs a dynamic linker, which an empty image does not have")
	}
	d := readDockerfile(t)
	root := t.TempDir()
	if len(d.copies) != 1 || d.copies["/wire"] != "wire" {
		t.Fatalf("it copies %v", d.copies)
	}
	copyProgram(t, binary, filepath.Join(root, "wire"))
	if err := errors.Join(os.Chmod(root, 0o755), os.Mkdir(filepath.Join(root, "tmp"), 0o777), os.Chmod(filepath.Join(root, "tmp"), 0o777)); err != nil {
		t.Fatal(err)
	}
	args := append(d.entrypoint[1:], free(d.cmd)...)
	cmd := exec.Command(d.entrypoint[0], append(args, "--pprof", "127.0.0.1:0")...)
	cmd.Dir, cmd.Env = "/", d.env
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	if os.Geteuid() == 0 {
		user, _, _ := strings.Cut(d.user, ":")
		id := uint32(numeric(t, user))
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: id, Gid: id}
		for dir := root; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) { // a way to it
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	} else {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	if !mayChroot(cmd.SysProcAttr) {
		t.Skip("no root of one's own may be had here")
	}
	inContainer(t, cmd)
}

// mayChroot says whether processes may be given a root here.
func mayChroot(a *syscall.SysProcAttr) bool {
	try := *a
	try.Chroot, try.Credential = "/", nil
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &try
	return cmd.Run() == nil
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		t.Fatal(err)
	}
}

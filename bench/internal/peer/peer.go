// Package peer runs another program's side of a benchmark: a Python script that
// answers each line on its standard input with a line of JSON.
package peer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Process is a script that waits for its rounds.
type Process struct {
	folder string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
}

// Start starts a script by a Python, on one thread, with a folder that holds
// the files as its first argument. Variables that would choose other kernels
// of OpenBLAS are taken from its environment.
func Start(python string, script []byte, files map[string][]byte, args ...string) (*Process, error) {
	folder, err := os.MkdirTemp("", "peer")
	if err != nil {
		return nil, err
	}
	p := &Process{folder: folder}
	if err := p.start(python, script, files, args); err != nil {
		os.RemoveAll(folder)
		return nil, err
	}
	return p, nil
}

func (p *Process) start(python string, script []byte, files map[string][]byte, args []string) error {
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(p.folder, name), data, 0o644); err != nil {
			return err
		}
	}
	name := filepath.Join(p.folder, "peer.py")
	if err := os.WriteFile(name, script, 0o644); err != nil {
		return err
	}
	p.cmd = exec.Command(python, append([]string{name, p.folder}, args...)...)
	p.cmd.Stderr = os.Stderr
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "OPENBLAS_") && !strings.HasPrefix(v, "OMP_") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Env = append(p.cmd.Env, "OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1")
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.out = bufio.NewReader(out)
	return p.cmd.Start()
}

// Round sends a line and reads the answer.
func (p *Process) Round(line string, answer any) error {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return fmt.Errorf("the other ended: %w", err)
	}
	text, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the other gave no answer: %w", err)
	}
	return json.Unmarshal(text, answer)
}

// Close ends the script and removes its folder.
func (p *Process) Close() error {
	defer os.RemoveAll(p.folder)
	p.in.Close()
	return p.cmd.Wait()
}

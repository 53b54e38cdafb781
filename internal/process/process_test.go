package process

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

func TestEnded(t *testing.T) {
	if Ended(Name()) {
		t.Error("this process is said to have ended")
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	gone := strings.TrimSuffix(Name(), "-"+strconv.Itoa(os.Getpid())) + "-" + strconv.Itoa(cmd.Process.Pid)
	if !Ended(gone) {
		t.Skip("processes cannot be looked up here, or the number was given to another")
	}
	for _, name := range []string{"elsewhere-" + strconv.Itoa(cmd.Process.Pid), "", "x", "-", host() + "-", host() + "-0", host() + "--5"} {
		if Ended(name) {
			t.Errorf("%q is said to have ended", name)
		}
	}
}

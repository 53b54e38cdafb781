package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// dockerfile is what docs/serving.Dockerfile says.
type dockerfile struct {
	copies          map[string]string // by where they go
	user            string
	env             []string
	entrypoint, cmd []string
}

func readDockerfile(t *testing.T) (d dockerfile) {
	t.Helper()
	b, err := os.ReadFile("../../docs/serving.Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	d.copies = map[string]string{}
	list := func(s string) (out []string) {
		if err := json.Unmarshal([]byte(s), &out); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		return out
	}
	for line := range strings.Lines(string(b)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "FROM":
			if rest != "scratch" {
				t.Errorf("FROM %s: this test knows empty images", rest)
			}
		case "COPY":
			from, to, _ := strings.Cut(rest, " ")
			d.copies[to] = from
		case "USER":
			d.user = rest
		case "ENV":
			d.env = append(d.env, rest)
		case "ENTRYPOINT":
			d.entrypoint = list(rest)
		case "CMD":
			d.cmd = list(rest)
		}
	}
	return d
}

// deployment is the part of the manifest in docs/serving.md that has to fit the
// command.
type deployment struct {
	Kind string
	Spec struct {
		Template struct {
			Spec struct {
				Grace      int `yaml:"terminationGracePeriodSeconds"`
				Containers []struct {
					Args  []string
					Env   []struct{ Name, Value string }
					Ports []struct {
						Port int `yaml:"containerPort"`
					}
					StartupProbe    probe `yaml:"startupProbe"`
					ReadinessProbe  probe `yaml:"readinessProbe"`
					LivenessProbe   probe `yaml:"livenessProbe"`
					Resources       struct{ Limits struct{ Memory string } }
					SecurityContext struct {
						User int `yaml:"runAsUser"`
					} `yaml:"securityContext"`
				}
			}
		}
	}
}

type probe struct {
	Get struct {
		Path string
		Port int
	} `yaml:"httpGet"`
}

// manifest is the YAML of docs/serving.md.
func manifest(t *testing.T) (text string, d deployment) {
	t.Helper()
	b, err := os.ReadFile("../../docs/serving.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "\n```yaml\n")
	text, _, _ = strings.Cut(rest, "\n```\n")
	if err := yaml.Unmarshal([]byte(text), &d); err != nil || d.Kind != "Deployment" || len(d.Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	return text, d
}

func numeric(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// free replaces ports of arguments by ones that are free.
func free(args []string) []string {
	port := regexp.MustCompile(`^0\.0\.0\.0:\d+$`)
	args = slices.Clone(args)
	for i := range args {
		args[i] = port.ReplaceAllString(args[i], "0.0.0.0:0")
	}
	return args
}

// askProbes wants the paths that Kubernetes asks to be there.
func askProbes(t *testing.T, web string) {
	t.Helper()
	_, d := manifest(t)
	c := d.Spec.Template.Spec.Containers[0]
	for _, p := range []probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		r, err := http.Get(web + p.Get.Path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusOK || p.Get.Port != c.Ports[0].Port || !slices.Contains(c.Args, "0.0.0.0:"+strconv.Itoa(p.Get.Port)) {
			t.Errorf("probe %s at %d: %s; the container's port is %d", p.Get.Path, p.Get.Port, r.Status, c.Ports[0].Port)
		}
	}
}

// TestManifestFits the command: its arguments are taken, its probes answered
// without a token, and its times and sizes leave room.
func TestManifestFits(t *testing.T) {
	if testing.Short() {
		t.Skip("opens the built-in plan")
	}
	_, d := manifest(t)
	c := d.Spec.Template.Spec.Containers[0]
	args := free(c.Args)
	tokens := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(tokens, []byte("a-long-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	value := func(flag string) *string {
		k := slices.Index(args, flag)
		if k < 0 || k+1 == len(args) {
			t.Fatalf("the manifest gives no %s", flag)
		}
		return &args[k+1]
	}
	*value("--token-file") = tokens
	grace, err := time.ParseDuration(*value("--grace"))
	if err != nil || d.Spec.Template.Spec.Grace <= int(grace.Seconds()) {
		t.Errorf("terminationGracePeriodSeconds %d, --grace %v, %v", d.Spec.Template.Spec.Grace, grace, err)
	}
	if limit, ok := strings.CutSuffix(c.Resources.Limits.Memory, "Gi"); !ok || len(c.Env) != 1 || c.Env[0].Name != "GOMEMLIMIT" ||
		numeric(t, strings.TrimSuffix(c.Env[0].Value, "MiB")) >= 1024*numeric(t, limit) || numeric(t, *value("--max-memory")) >= float64(1<<20)*numeric(t, strings.TrimSuffix(c.Env[0].Value, "MiB")) {
		t.Errorf("memory: limit %s, %v, --max-memory %s", c.Resources.Limits.Memory, c.Env, *value("--max-memory"))
	}
	if user := strconv.Itoa(c.SecurityContext.User); !strings.HasPrefix(readDockerfile(t).user, user+":") {
		t.Errorf("runAsUser %s, in the image %s", user, readDockerfile(t).user)
	}
	web, _ := serving(t, args...)
	web = strings.Replace(web, "[::]", "127.0.0.1", 1)
	askProbes(t, web)
	if r, err := http.Get(web + "/v2/models/default"); err != nil || r.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %v, %v", r, err)
	}
}

// TestManifestIsOfTheSchema validates it with PyPI's kubernetes-validate.
// WIRE_TEST_PYTHON is a Python that has it.
func TestManifestIsOfTheSchema(t *testing.T) {
	python := os.Getenv("WIRE_TEST_PYTHON")
	if python == "" || exec.Command(python, "-c", "import kubernetes_validate").Run() != nil {
		t.Skip("WIRE_TEST_PYTHON names no Python with kubernetes-validate")
	}
	text, _ := manifest(t)
	const program = "import sys, yaml, kubernetes_validate as k; k.validate(yaml.safe_load(sys.stdin), k.latest_version(), strict=True); print('ok')"
	for what, x := range map[string]struct {
		text string
		good bool
	}{"the manifest": {text, true}, "a mistake in it": {strings.Replace(text, "readinessProbe", "readynessProbe", 1), false}} {
		cmd := exec.Command(python, "-c", program)
		cmd.Stdin = strings.NewReader(x.text)
		if out, err := cmd.CombinedOutput(); (err == nil) != x.good {
			t.Errorf("%s: %v\n%s", what, err, out)
		}
	}
}

// inContainer asks what runs as the Dockerfile says, and stops it.
func inContainer(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	s := startServing(t, cmd)
	web := strings.Replace(s.web, "[::]", "127.0.0.1", 1)
	askProbes(t, web)
	file, err := os.Open(apple(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := http.Post(web+"/answer", "application/octet-stream", file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if b, err := io.ReadAll(r.Body); err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(b), `"text_output":"`) {
		t.Errorf("%s, %v: %s", r.Status, err, b)
	}
}

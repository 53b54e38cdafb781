package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/connectomewire/wire/connectome/format"
	"github.com/connectomewire/wire/connectome/metrics"
)

// wireConnectome runs "wire connectome ARGS" and returns what it printed and
// its exit code.
func wireConnectome(args ...string) (stdout string, code int, err error) {
	var out, errs bytes.Buffer
	app := newApp(&out, &errs)
	if app.Command("connectome") == nil {
		cmd := connectomeCommand()
		harden(cmd)
		app.Commands = append(app.Commands, cmd)
	}
	err = app.RunContext(context.Background(), optionsFirst(app, append([]string{"wire", "connectome"}, args...)))
	var exit cli.ExitCoder
	switch {
	case err == nil:
	case errors.As(err, new(usageError)):
		code = exitUsage
	case errors.As(err, &exit):
		code = exit.ExitCode()
	default:
		code = exitFailed
	}
	return out.String(), code, err
}

// mustConnectome fails the test unless the command succeeds.
func mustConnectome(t *testing.T, args ...string) string {
	t.Helper()
	out, code, err := wireConnectome(args...)
	if err != nil || code != exitOK {
		t.Fatalf("wire connectome %s: exit %d, %v", strings.Join(args, " "), code, err)
	}
	return out
}

func TestConnectomeInspectJSONHasTheFacts(t *testing.T) {
	var got struct {
		Synthetic bool           `json:"synthetic"`
		Facts     map[string]any `json:"facts"`
		Summary   map[string]any `json:"summary"`
		Atlas     map[string]any `json:"atlas"`
	}
	out := mustConnectome(t, "inspect", "default", "--json", "--nulls", "2")
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	for _, key := range strings.Fields("nodes edges_offdiag directed near_symmetric density reciprocity weak_components largest_component spectral_radius_offdiag top_strength_label top_strength_index min max weight_sum diag_nonzero kind") {
		if _, ok := got.Facts[key]; !ok {
			t.Errorf("facts lack %q", key)
		}
	}
	if got.Facts["nodes"] != 82.0 || !got.Synthetic || got.Atlas["matched"] != 82.0 || got.Summary["small_world"] == nil {
		t.Errorf("%+v", got)
	}
	text := mustConnectome(t, "inspect", "default", "--nulls", "0")
	if !strings.Contains(text, "synthetic") || !strings.Contains(text, "spectral radius") || strings.Contains(text, "small-worldness") {
		t.Errorf("%s", text)
	}
}

func TestConnectomeDoctorExitStatus(t *testing.T) {
	dir := t.TempDir()
	warned := filepath.Join(dir, "warned.csv")
	if err := os.WriteFile(warned, []byte("0,1,2\n1,0,3\n2,3,0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := mustConnectome(t, "doctor", warned); !strings.Contains(out, "warning  no-labels") || !strings.Contains(out, "--labels") {
		t.Errorf("%s", out)
	}
	broken := filepath.Join(dir, "broken.csv")
	if err := os.WriteFile(broken, []byte("0,inf,2\ninf,0,3\n2,3,0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code, _ := wireConnectome("doctor", broken)
	if code != exitFailed || !strings.Contains(out, "error    infinite-weights") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if _, code, err := wireConnectome("doctor", filepath.Join(dir, "absent.csv")); code != exitFailed || !strings.Contains(err.Error(), "built in are: default") {
		t.Errorf("absent file: exit %d, %v", code, err)
	}
	if _, _, err := wireConnectome("inspect", "enigma-82"); err == nil || !strings.Contains(err.Error(), "wire connectome pull enigma-82") {
		t.Errorf("a catalogue name: %v", err)
	}
	if _, code, _ := wireConnectome("doctor"); code != exitUsage {
		t.Errorf("no argument: exit %d", code)
	}
}

func TestConnectomeConvertAndTransform(t *testing.T) {
	dir := t.TempDir()
	graphml, left := filepath.Join(dir, "a.graphml"), filepath.Join(dir, "left.csv")
	mustConnectome(t, "convert", "default", graphml)
	out := mustConnectome(t, "transform", graphml, "-o", left, "--step", "hemisphere=left", "--step", "density=0.2")
	if !strings.Contains(out, "kept 41 of 82 regions") || !strings.Contains(out, "41 regions") {
		t.Errorf("%s", out)
	}
	c, err := format.Read(left)
	if err != nil {
		t.Fatal(err)
	}
	if f := metrics.FactsOf(c); f.Nodes != 41 || f.Density < 0.19 || f.Density > 0.21 {
		t.Errorf("%+v", f)
	}
	bad := filepath.Join(dir, "bad.csv")
	if _, _, err := wireConnectome("transform", graphml, "-o", bad, "--step", "lobe=nowhere"); err == nil || !strings.Contains(err.Error(), "occipital") {
		t.Errorf("unknown lobe: %v", err)
	}
	if _, _, err := wireConnectome("convert", graphml, filepath.Join(dir, "a.xyz")); err == nil || !strings.Contains(err.Error(), "graphml") {
		t.Errorf("unknown format: %v", err)
	}
	if _, err := os.Stat(bad); !os.IsNotExist(err) {
		t.Error("a failed transform left a file")
	}
}

func TestConnectomeConsensus(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.graphml"), filepath.Join(dir, "b.graphml")
	mustConnectome(t, "convert", "default", a)
	mustConnectome(t, "transform", "default", "-o", b, "--step", "density=0.3")
	out := mustConnectome(t, "consensus", a, b, "-o", filepath.Join(dir, "group.graphml"))
	if !strings.Contains(out, "consensus of 2 subjects") {
		t.Errorf("%s", out)
	}
	if _, code, _ := wireConnectome("consensus", a, "-o", filepath.Join(dir, "x.graphml")); code != exitUsage {
		t.Errorf("one subject: exit %d", code)
	}
}

func TestConnectomeNull(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nulls")
	out := mustConnectome(t, "null", "default", "-o", dir, "--kind", "degree", "--n", "3", "--from", "5", "--swaps", "1", "--to", "graphml")
	if !strings.Contains(out, "wrote 3 networks") || !strings.Contains(out, "degree of every region") {
		t.Errorf("%s", out)
	}
	var manifest struct {
		Kind      string         `json:"kind"`
		Preserves []string       `json:"preserves"`
		Files     []string       `json:"files"`
		Options   map[string]any `json:"options"`
		Made      []string       `json:"made"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "null.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Kind != "degree" || len(manifest.Preserves) == 0 || len(manifest.Files) != 3 || manifest.Options["index"] != 5.0 {
		t.Errorf("%s", data)
	}
	for _, name := range manifest.Files {
		c, err := format.Read(filepath.Join(dir, name))
		if err != nil || len(c.Regions) != 82 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(manifest.Made) != 3 || !strings.Contains(manifest.Made[2], "index 7: ") || !strings.Contains(manifest.Made[2], " swaps on ") {
		t.Errorf("made: %q", manifest.Made)
	}
	usual := filepath.Join(t.TempDir(), "usual") // what was not asked for is written down, too
	mustConnectome(t, "null", "default", "-o", usual, "--kind", "small-world")
	if data, err := os.ReadFile(filepath.Join(usual, "null.json")); err != nil || !strings.Contains(string(data), `"swaps": 10`) || !strings.Contains(string(data), `"rewire": 0.1`) {
		t.Errorf("%v: %s", err, data)
	}
	none := filepath.Join(t.TempDir(), "none")
	for _, args := range [][]string{{"--kind", "magic"}, {"--to", "docx"}, {"--n", "0"}, {"--rewire", "7", "--kind", "small-world"}} {
		if _, code, err := wireConnectome(append([]string{"null", "default", "-o", none}, args...)...); code == exitOK || err == nil {
			t.Errorf("%v: exit %d, %v", args, code, err)
		}
		if _, err := os.Stat(none); !os.IsNotExist(err) {
			t.Errorf("%v left a directory", args)
		}
	}
}

func TestConnectomeAtlas(t *testing.T) {
	if out := mustConnectome(t, "atlas"); !strings.Contains(out, "glasser") || !strings.Contains(out, "Destrieux") {
		t.Errorf("%s", out)
	}
	var got struct {
		Match   map[string]any `json:"match"`
		Regions []struct {
			Label, Canonical, Lobe string
			Roles                  []string
		} `json:"regions"`
	}
	if err := json.Unmarshal([]byte(mustConnectome(t, "atlas", "default", "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Match["atlas"] != "desikan" || len(got.Regions) != 82 || got.Regions[0].Canonical == "" {
		t.Errorf("%+v", got.Match)
	}
	if _, code, err := wireConnectome("atlas", "default", "--atlas", "talairach"); code != exitUsage || !strings.Contains(err.Error(), "glasser") {
		t.Errorf("unknown atlas: %v", err)
	}
}

func TestConnectomeListAndPull(t *testing.T) {
	cache := t.TempDir()
	if out := mustConnectome(t, "list", "--cache", cache); !strings.Contains(out, "enigma-82") || !strings.Contains(out, "synthetic") {
		t.Errorf("%s", out)
	}
	_, code, err := wireConnectome("pull", "tvb-76", "--mirror", t.TempDir(), "--cache", cache)
	if code != exitFailed || !strings.Contains(err.Error(), "tvb-76/connectivity_76.zip") {
		t.Errorf("empty mirror: exit %d, %v", code, err)
	}
	if left, _ := os.ReadDir(cache); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, code, _ := wireConnectome("pull"); code != exitUsage {
		t.Errorf("no name: exit %d", code)
	}
}

func TestConnectomeReadingOptions(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "m.csv")
	if err := os.WriteFile(file, []byte("0,1,-1\n4,0,2\n-1,2,0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	facts := func(args ...string) (f metrics.Facts) {
		t.Helper()
		var got struct {
			Facts metrics.Facts `json:"facts"`
		}
		out, _, err := wireConnectome(append([]string{"inspect", file, "--json", "--nulls", "0"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		return got.Facts
	}
	if f := facts(); f.EdgesOffdiag != 4 || !f.Directed {
		t.Errorf("−1 as missing: %+v", f)
	}
	if f := facts("--missing="); f.EdgesOffdiag != 6 || f.Kind != "signed" {
		t.Errorf("no missing value: %+v", f)
	}
	if f := facts("--undirected"); f.Directed || f.Max != 2.5 {
		t.Errorf("undirected: %+v", f)
	}
	for _, args := range [][]string{{"--rows", "columns"}, {"--parallel", "product"}, {"--missing", "x"}, {"--directed", "--undirected"}, {"--max-bytes", "-5"}} {
		if _, code, err := wireConnectome(append([]string{"inspect", file}, args...)...); code != exitUsage {
			t.Errorf("%v: exit %d, %v", args, code, err)
		}
	}
}

// Columns and kinds of an edge list are named by flags; the file to write may
// be the second argument or -o's.
func TestConnectomeColumns(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "list.tsv")
	if err := os.WriteFile(file, []byte("7\tM8\tV2\tV1\t0.5\tknown\t\n7\tM8\tV4\tV1\t0.25\tguessed\n8\tM9\tV1\tV2\t1\tknown\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := wireConnectome("inspect", file); err == nil || !strings.Contains(err.Error(), "M8, M9") {
		t.Errorf("without flags: %v", err)
	}
	columns := []string{"--target", "3", "--source", "4", "--weight", "5", "--kind", "6=known"}
	out := filepath.Join(dir, "out.csv")
	mustConnectome(t, append([]string{"convert", file, "-o", out}, columns...)...)
	text, err := os.ReadFile(out)
	if err != nil || string(text) != "0,0.5\n1,0\n" {
		t.Errorf("%q, %v", text, err)
	}
	mustConnectome(t, append([]string{"convert", file, filepath.Join(dir, "second.csv")}, columns...)...)
	if _, code, _ := wireConnectome("doctor", file, "--accept", "everything"); code != exitUsage {
		t.Errorf("--accept everything: exit %d", code)
	}
}

// Wrong axes are an error, which doctor's --accept makes a warning; inspect
// counts all the same.
func TestConnectomeAxes(t *testing.T) {
	var edges, nodes strings.Builder
	for i := range 8 {
		side, y := "L", -30+i
		if i%2 == 1 {
			side, y = "R", 30+i
		}
		fmt.Fprintf(&nodes, "%d %d %d 1 1 %s_a%d\n", 3*i-10, y, 5*i-15, side, i/2)
		for j := range 8 {
			fmt.Fprintf(&edges, "%d ", (i+j)%3*min(1, max(i-j, j-i)))
		}
		edges.WriteString("\n")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"x.edge": edges.String(), "x.node": nodes.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "x.edge")
	if out, code, _ := wireConnectome("doctor", file); code != exitFailed || !strings.Contains(out, "error    axes") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if out := mustConnectome(t, "doctor", file, "--accept", "axes"); !strings.Contains(out, "warning  axes") {
		t.Error(out)
	}
	mustConnectome(t, "inspect", file, "--json")
}

func TestConnectomeLabels(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"sc.csv": ",a,b,c,d\na,0,1,2,3\nb,1,0,1,1\nc,2,1,0,1\nd,3,1,1,0\n", "l.txt": "p\nq\n", "r.txt": "r\ns\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	if out := mustConnectome(t, "doctor", "sc.csv", "--labels", "none", "--nulls", "0"); !strings.Contains(out, "no-labels") {
		t.Errorf("%s", out)
	}
	if out := mustConnectome(t, "doctor", "sc.csv", "--labels", "l.txt,r.txt", "--nulls", "0"); !strings.Contains(out, "labels from l.txt,r.txt") {
		t.Errorf("%s", out)
	}
	if _, code, err := wireConnectome("doctor", "sc.csv", "--labels", "l.txt,nowhere.txt"); code != exitUsage || !strings.Contains(err.Error(), "nowhere.txt") {
		t.Errorf("exit %d, %v", code, err)
	}
}

// A message about columns names the options of the command that prints it.
func TestConnectomeOwnFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "areas.tsv")
	if err := os.WriteFile(file, []byte("7\tM8\tV2\tV1\t0.5\n7\tM8\tV4\tV1\t0.25\n8\tM9\tV1\tV2\t1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{"inspect": "--source N --target N", "null": "--edge-source N --edge-target N"} {
		args := []string{command, file}
		if command == "null" {
			args = append(args, "-o", filepath.Join(t.TempDir(), "nulls"))
		}
		if _, _, err := wireConnectome(args...); !errors.Is(err, format.ErrAmbiguous) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", command, err)
		}
	}
}

package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/connectomewire/wire/runtime/demo"
)

// beneath are signs that a message shows what lies beneath.
var beneath = regexp.MustCompile(`panic|goroutine|\bl?stat |open .*: no such file|%!`)

// TestWalk is a newcomer's walk through everything that can be mistaken: names
// that are misspelt or missing, files that are not there or of another kind,
// values that cannot be. Each message says what was wrong, none shows what lies
// beneath, and nothing is left behind.
func TestWalk(t *testing.T) {
	arenaOfMistakes(t)
	before := workingFiles(t)
	for _, c := range []struct {
		line string
		want []string // patterns
	}{
		// The nearest name for a misspelt one.
		{`rnu`, []string{`no command "rnu"; did you mean "run"`}},
		{`conectome inspect m.csv`, []string{`did you mean "connectome"`}},
		{`connectome inspec m.csv`, []string{`no command "connectome inspec"; did you mean "inspect"`, `wire connectome --help`}},
		{`data facts`, []string{`no command "data facts"`}},
		{`help nope`, []string{`no command "nope"`}},
		{`build default --ouput p`, []string{`no option --ouput; did you mean "--output"`}},
		{`data export d -o e`, []string{`no option -o$`}},
		{`render default -o x.svg --trace t.json`, []string{`no option --trace`, `wire render --help`}},
		// What is missing, or too much.
		{`demo x`, []string{`demo takes no arguments; got x`}},
		{`recipe show`, []string{`needs a recipe.s name`}},
		{`recipe new`, []string{`needs a task: answering`}},
		{`build m.csv`, []string{`--output is missing`}},
		{`render default`, []string{`--output is missing`}},
		{`train`, []string{`needs a plan.s directory`}},
		{`calibrate`, []string{`needs a plan.s directory`}},
		{`eval`, []string{`needs a plan.s directory`}},
		{`connectome inspect`, []string{`needs a connectome file or "default"; got none`}},
		{`connectome inspect m.csv m.csv`, []string{`takes only`}},
		{`connectome doctor`, []string{`needs a connectome file`}},
		{`connectome convert m.csv`, []string{`the file to read and the file to write`}},
		{`connectome transform m.csv`, []string{`--output and --step are missing`}},
		{`reroute nope`, []string{`--output, --sense and --to are missing`}},
		{`connectome consensus m.csv -o c.csv`, []string{`at least two connectome files; got 1`}},
		{`connectome null m.csv`, []string{`--output is missing`}},
		{`connectome pull`, []string{`needs the name of a connectome`}},
		{`connectome list x`, []string{`takes no arguments`}},
		{`data pull`, []string{`what is to be pulled`}},
		{`data doctor`, []string{`needs one PATH`}},
		{`data export`, []string{`where to`}},
		{`data generate lorenz`, []string{`needs -o`}},
		{`modules add`, []string{`^wire: modules add needs an ONNX file`}},
		{`modules pull`, []string{`needs a name of the catalogue`}},
		{`modules run`, []string{`needs the name or directory of a module`}},
		{`modules run vision`, []string{`module vision needs an input: a file, or --in PORT=VALUE; it has picture`}},
		{`engines install x`, []string{`takes no arguments`}},
		{`version x`, []string{`takes no arguments`}},
		{`completion`, []string{`needs bash`}},
		// Things that are not there.
		{`build nope -o p`, []string{`there is no file "nope"; built in are: default`}},
		{`build default -o p --recipe nope`, []string{`no recipe "nope"; wire ships: answering`}},
		{`build default -o p --data nope`, []string{`no file or folder "nope"`}},
		{`build default -o p --labels nope`, []string{`--labels nope: no such file`}},
		{`build default -o p --place image=nowhere`, []string{`no region "nowhere"`}},
		{`build default -o p --place nose=lh-insula`, []string{`no sense, effector, part or module "nose"; it has`}},
		{`build default -o p --sense nose`, []string{`no sense "nose"; it has image, sound`}},
		{`build default -o p --accept nope`, []string{`can be accepted; these are: axes`}},
		{`render nope -o x.svg`, []string{`there is no file "nope"`}},
		{`train nope`, []string{`there is no plan nope`}},
		{`calibrate nope`, []string{`there is no plan nope`}},
		{`eval nope`, []string{`there is no plan nope`}},
		{`null nope -o p`, []string{`there is no plan nope`}},
		{`eval default --data nope`, []string{`no file or folder "nope"`}},
		{`eval default --eval-set nope`, []string{`unknown set "nope"; known are`}},
		{`run default nope.png`, []string{`no file or folder "nope.png"`}},
		{`run default --image nope.png`, []string{`--image nope.png: no such file`}},
		{`connectome inspect nope`, []string{`there is no file "nope"`}},
		{`connectome convert nope out.csv`, []string{`there is no file "nope"`}},
		{`connectome consensus m.csv nope -o c.csv`, []string{`there is no file "nope"`}},
		{`connectome transform m.csv -o t.csv --step lobe=nowhere`, []string{`no region of "m" has lobe "nowhere"`}},
		{`connectome transform m.csv -o t.csv --step only=a`, []string{`has no region "a"`}},
		{`connectome atlas m.csv --atlas nope`, []string{`no atlas "nope"; there are: desikan`}},
		{`connectome pull nope`, []string{`no connectome "nope" in the catalogue`}},
		{`data pull nope`, []string{`unknown source "nope"; known are`}},
		{`data doctor nope`, []string{`no file or folder "nope"`}},
		{`data generate nope -o g`, []string{`no generated data "nope"; there are friedman`}},
		{`recipe show nope`, []string{`no recipe "nope"`}},
		{`modules run nope`, []string{`no module "nope"; there are vision`}},
		{`modules add nope`, []string{`no file or folder "nope"`}},
		{`modules pull nope`, []string{`neither in the catalogue nor a source nor a file`}},
		{`modules remove nope`, []string{`no module "nope"`}},
		// Files of another kind, empty ones, binary ones, folders in place of files.
		{`connectome inspect empty.csv`, []string{`empty.csv: nothing to read: the file is empty`}},
		{`connectome doctor empty.csv`, []string{`empty.csv: nothing to read: the file is empty`}},
		{`connectome convert empty.csv out.csv`, []string{`empty.csv: nothing to read: the file is empty`}},
		{`render empty.csv -o x.svg`, []string{`empty.csv: nothing to read: the file is empty`}},
		{`build empty.csv -o p`, []string{`empty.csv: nothing to read: the file is empty`}},
		{`connectome inspect hello.txt`, []string{`not a connectome; .*--format edgelist`}},
		{`connectome doctor hello.txt`, []string{`not a connectome; .*--format edgelist`}},
		{`connectome convert hello.txt out.csv`, []string{`not a connectome; .*--format edgelist`}},
		{`render hello.txt -o x.svg`, []string{`not a connectome; .*--format edgelist`}},
		{`build hello.txt -o p`, []string{`not a connectome; .*--format edgelist`}},
		{`connectome inspect broken.zip`, []string{`broken.zip`}},
		{`connectome doctor broken.zip`, []string{`broken.zip`}},
		{`connectome convert broken.zip out.csv`, []string{`broken.zip`}},
		{`render broken.zip -o x.svg`, []string{`broken.zip`}},
		{`build broken.zip -o p`, []string{`broken.zip`}},
		{`connectome inspect bad.json`, []string{`bad.json:1:5: file ends too early`}},
		{`connectome doctor bad.json`, []string{`bad.json:1:5: file ends too early`}},
		{`connectome convert bad.json out.csv`, []string{`bad.json:1:5: file ends too early`}},
		{`render bad.json -o x.svg`, []string{`bad.json:1:5: file ends too early`}},
		{`build bad.json -o p`, []string{`bad.json:1:5: file ends too early`}},
		{`connectome inspect vacant`, []string{`vacant: nothing to read: no files inside`}},
		{`connectome doctor vacant`, []string{`vacant: nothing to read: no files inside`}},
		{`connectome convert vacant out.csv`, []string{`vacant: nothing to read: no files inside`}},
		{`render vacant -o x.svg`, []string{`vacant: nothing to read: no files inside`}},
		{`build vacant -o p`, []string{`vacant: nothing to read: no files inside`}},
		{`connectome inspect apple.png`, []string{`apple.png: unrecognised format: binary content`}},
		{`connectome doctor apple.png`, []string{`apple.png: unrecognised format: binary content`}},
		{`connectome convert apple.png out.csv`, []string{`apple.png: unrecognised format: binary content`}},
		{`render apple.png -o x.svg`, []string{`apple.png: unrecognised format: binary content`}},
		{`build apple.png -o p`, []string{`apple.png: unrecognised format: binary content`}},
		{`connectome inspect prose.txt`, []string{`not a connectome`}},
		{`connectome doctor prose.txt`, []string{`not a connectome`}},
		{`connectome convert prose.txt out.csv`, []string{`not a connectome`}},
		{`render prose.txt -o x.svg`, []string{`not a connectome`}},
		{`build prose.txt -o p`, []string{`not a connectome`}},
		{`train m.csv`, []string{`is a file; a plan is a directory`}},
		{`eval m.csv`, []string{`is a file; a plan is a directory`}},
		{`calibrate m.csv`, []string{`is a file; a plan is a directory`}},
		{`train empty.csv`, []string{`is a file; a plan is a directory`}},
		{`eval empty.csv`, []string{`is a file; a plan is a directory`}},
		{`calibrate empty.csv`, []string{`is a file; a plan is a directory`}},
		{`train vacant`, []string{`holds no plan.yaml and is no plan.s directory`}},
		{`run vacant --image apple.png`, []string{`holds no plan.yaml`}},
		{`run default --image vacant`, []string{`it is a directory, a file is wanted`}},
		{`run default --image empty.csv`, []string{`picture is damaged or cut off: the file is empty`}},
		{`run default --image m.csv`, []string{`not a picture in a known format`}},
		{`run default --sound apple.png`, []string{`not a sound in a known format`}},
		{`run default --sound empty.csv`, []string{`the file is empty`}},
		{`modules add m.csv`, []string{`m.csv: not an ONNX model`}},
		{`modules add apple.png`, []string{`apple.png: not an ONNX model`}},
		{`modules add hello.txt`, []string{`hello.txt: not an ONNX model`}},
		{`modules add vacant`, []string{`holds no ONNX file`}},
		{`connectome inspect m.csv --labels vacant`, []string{`it is a directory`}},
		{`connectome inspect m.csv --labels empty.csv`, []string{`the label file is empty`}},
		{`connectome inspect m.csv --labels apple.png`, []string{`no reader of labels knows`}},
		{`connectome inspect m.csv --labels two.txt`, []string{`2 labels for 3 regions`}},
		{`data doctor empty.csv`, []string{`there are no rows`}},
		{`data doctor vacant`, []string{`no pictures`}},
		{`data doctor broken.zip`, []string{`are not read; there are`}},
		{`build default -o p --recipe m.csv`, []string{`must end in .yaml`}},
		{`build default -o p --recipe bad.yaml`, []string{`bad.yaml:`}},
		// Values that are wrong: said before anything is read.
		{`connectome transform nope -o t.csv --step hemisphere=up`, []string{`"up" is none of left, right`}},
		{`connectome transform nope -o t.csv --step density=2`, []string{`from 0 to 1`}},
		{`connectome transform nope -o t.csv --step nope`, []string{`no step "nope"; the steps are`}},
		{`connectome null nope -o n --kind nope`, []string{`no null model "nope"; there are degree`}},
		{`connectome null nope -o n --to nope`, []string{`--to nope: want one of csv`}},
		{`connectome null nope -o n --n 0`, []string{`--n 0: want 1 to`}},
		{`connectome null m.csv -o n --kind geometry`, []string{`region number 1 of "m" has none`}},
		{`connectome consensus m.csv m.csv -o c.csv`, []string{`region number 1 of "m" has no position`}},
		{`connectome inspect nope --format nope`, []string{`--format nope: choose one of adjlist`}},
		{`connectome inspect nope --parallel most`, []string{`want sum, mean`}},
		{`connectome inspect nope --missing x`, []string{`"x" is not a number`}},
		{`connectome inspect nope --directed --undirected`, []string{`exclude each other`}},
		{`connectome inspect nope --nulls many`, []string{`--nulls many: not a number`}},
		{`connectome inspect m.csv --source 9`, []string{`no column "9" for --source`}},
		{`connectome inspect m.csv --kind S`, []string{`no column that says the kind`}},
		{`connectome inspect m.csv --var x`, []string{`--var for a file that is read as matrix`}},
		{`connectome inspect m.csv --format condensed`, []string{`9 numbers are no triangle`}},
		{`connectome inspect default --labels none`, []string{`connectome "default" is built in`}},
		{`build default -o p --format matrix`, []string{`connectome "default" is built in`}},
		{`connectome convert m.csv m.csv`, []string{`is the file that is read`}},
		{`connectome convert nope out.nope`, []string{`does not tell the format; choose one of csv`}},
		{`connectome convert nope vacant`, []string{`vacant is a directory`}},
		{`connectome convert nope out.csv --to nope`, []string{`unknown format "nope"`}},
		{`render nope -o x`, []string{`ends in none of .svg`}},
		{`render nope -o vacant`, []string{`it is a directory`}},
		{`render nope -o x.svg --layout round`, []string{`choose one of lobes`}},
		{`render nope -o x.svg --scale big`, []string{`--scale big: not a number`}},
		{`build nope -o m.csv`, []string{`m.csv is a file, no directory`}},
		{`connectome null nope -o m.csv`, []string{`m.csv is a file, no directory`}},
		{`demo -o m.csv`, []string{`m.csv is a file, no directory`}},
		{`data generate lorenz -o g --rows 0`, []string{`--rows 0: want 1 to`}},
		{`completion nope`, []string{`choose bash, zsh or fish`}},
	} {
		var stdout, stderr bytes.Buffer
		if code := execute(t.Context(), append([]string{"wire"}, strings.Fields(c.line)...), &stdout, &stderr); code != exitFailed && code != exitUsage {
			t.Errorf("wire %s: code %d", c.line, code)
		}
		for _, want := range c.want {
			if !regexp.MustCompile("(?m)" + want).MatchString(stderr.String()) {
				t.Errorf("wire %s: %s\nwant %s", c.line, stderr.String(), want)
			}
		}
		if beneath.MatchString(stderr.String()) {
			t.Errorf("wire %s shows what lies beneath: %s", c.line, stderr.String())
		}
	}
	if after := workingFiles(t); after != before {
		t.Errorf("something was left behind: %s", after)
	}
}

// TestHelp: help stands where one looks for it.
func TestHelp(t *testing.T) {
	for line, want := range map[string]string{
		"help": "wire demo", "help build": "wire build - ", "connectome help inspect": "wire connectome inspect - ", "build --help": "wire build - ",
	} {
		var stdout, stderr bytes.Buffer
		if code := execute(t.Context(), append([]string{"wire"}, strings.Fields(line)...), &stdout, &stderr); code != exitOK || !strings.Contains(stdout.String(), want) {
			t.Errorf("wire %s: code %d, %s%s", line, code, stdout.String(), stderr.String())
		}
	}
}

// arenaOfMistakes is a directory with files that are not what is wanted.
func arenaOfMistakes(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("WIRE_CACHE", t.TempDir())
	t.Setenv("HOME", dir)
	for name, content := range map[string]string{
		"m.csv":      "0,1,2\n1,0,3\n2,3,0\n",
		"empty.csv":  "",
		"hello.txt":  "hello world\n",
		"prose.txt":  "The quick brown\nfox jumps over\n",
		"two.txt":    "a\nb\n",
		"bad.json":   "{\"a\":\n",
		"bad.yaml":   "format: 1\nname: x\n  bad\n",
		"broken.zip": "PK\x03\x04\x14\x00\x00\x00\x08\x00",
	} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, item := range demo.Items() {
		if item.Name != "apple" {
			continue
		}
		data, err := item.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(item.File(), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("vacant", 0o755); err != nil {
		t.Fatal(err)
	}
}

// workingFiles lists the working directory.
func workingFiles(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

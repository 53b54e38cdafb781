package own

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/connectomewire/wire/datasets"
)

// numbers is a table of n rows.
func numbers(n int, row func(i int) string) string {
	var b strings.Builder
	b.WriteString("x,y,who,label\n")
	for i := range n {
		b.WriteString(row(i))
	}
	return b.String()
}

func plainRow(i int) string {
	return fmt.Sprintf("%d,%d,person%d,%c\n", i, i*i%97, i/3, 'a'+i%2)
}

func TestSplitIsStableUnderAddedRows(t *testing.T) {
	few := open(t, folder(t, map[string]string{"t.csv": numbers(300, plainRow)}), Options{Group: "who", Seed: 3})
	more := open(t, folder(t, map[string]string{"t.csv": numbers(600, plainRow)}), Options{Group: "who", Seed: 3})
	other := open(t, folder(t, map[string]string{"t.csv": numbers(300, plainRow)}), Options{Group: "who", Seed: 4})
	changed := 0
	for i, r := range few.Rows {
		if r.Split != more.Rows[i].Split || r.Group != more.Rows[i].Group {
			t.Fatalf("row %s moved from %s to %s when rows were added", r.ID, r.Split, more.Rows[i].Split)
		}
		if r.Split != other.Rows[i].Split {
			changed++
		}
	}
	if changed == 0 {
		t.Error("another seed gives the same split")
	}
	if few.Fingerprint() == other.Fingerprint() || few.Fingerprint() == more.Fingerprint() {
		t.Error("different data have the same fingerprint")
	}
}

func TestSplitNeverDividesAGroup(t *testing.T) {
	d := open(t, folder(t, map[string]string{"t.csv": numbers(900, plainRow)}), Options{Group: "who", Folds: "5"})
	of := map[string]*Row{}
	for _, r := range d.Rows {
		if old := of[r.Group]; old != nil && (old.Split != r.Split || old.Fold != r.Fold) {
			t.Fatalf("group %s is in %s and %s, folds %s and %s", r.Group, old.Split, r.Split, old.Fold, r.Fold)
		}
		of[r.Group] = r
	}
	if n := len(of); n != 300 {
		t.Errorf("%d groups, want 300", n)
	}
	counts := map[datasets.Split]int{}
	for _, r := range d.Rows {
		counts[r.Split]++
	}
	if c := counts[datasets.Train]; c < 660 || c > 780 {
		t.Errorf("%d of 900 rows are in training, want about 720", c)
	}
	if fmt.Sprint(d.Folds()) != "[1 2 3 4 5]" {
		t.Errorf("folds %v", d.Folds())
	}
}

func TestFoldTestsEveryRowOnce(t *testing.T) {
	d := open(t, folder(t, map[string]string{"t.csv": numbers(600, plainRow)}), Options{Group: "who", Folds: "4"})
	tested := map[string]int{}
	for _, name := range d.Folds() {
		fold, err := d.Fold(name)
		if err != nil {
			t.Fatal(err)
		}
		of := map[string]datasets.Split{}
		for _, r := range fold.Rows {
			if s, ok := of[r.Group]; ok && s != r.Split {
				t.Fatalf("fold %s divides group %s", name, r.Group)
			}
			of[r.Group] = r.Split
		}
		if len(fold.Split(datasets.Val)) == 0 {
			t.Errorf("fold %s has nothing to validate on", name)
		}
		for _, r := range fold.Split(datasets.Test) {
			tested[r.ID]++
		}
	}
	if len(tested) != len(d.Rows) {
		t.Errorf("%d of %d rows are tested", len(tested), len(d.Rows))
	}
	if _, err := d.Fold("9"); err == nil || !strings.Contains(err.Error(), `"1", "2"`) {
		t.Errorf("fold 9: %v", err)
	}
}

func TestGivenSplitIsKept(t *testing.T) {
	rows := "image,label,split\n"
	files := map[string]string{}
	for i := range 30 {
		files[fmt.Sprintf("%d.png", i)] = picture(i, i%2 == 0)
		rows += fmt.Sprintf("%d.png,%c,%s\n", i, 'a'+i%2, []string{"train", "train", "dev", "test", "Train"}[i%5])
	}
	files["t.csv"] = rows
	d := open(t, folder(t, files), Options{})
	if !d.Report.GivenSplit {
		t.Fatal("the split was not seen")
	}
	for i, r := range d.Rows {
		if want := []datasets.Split{"train", "train", "val", "test", "train"}[i%5]; r.Split != want {
			t.Errorf("row %d is in %s, want %s", i, r.Split, want)
		}
	}
}

func TestGroupThatCrossesAGivenSplit(t *testing.T) {
	same := picture(1, false)
	root := folder(t, map[string]string{
		"train/a/1.png": same, "train/a/2.png": picture(2, false), "train/b/3.png": picture(3, true), "train/b/4.png": picture(4, true),
		"test/a/5.png": same, "test/b/6.png": picture(6, true),
	})
	err := openBad(t, root, Options{})
	var bad *BadRowsError
	if !errors.As(err, &bad) || len(bad.Problems) != 1 || bad.Problems[0].Fault != FaultCrossing {
		t.Fatalf("%v", err)
	}
	// What is to be trained on goes, what is tested on stays.
	if p := bad.Problems[0]; !strings.HasSuffix(p.Place.File, "1.png") || !strings.Contains(p.Text, "5.png") {
		t.Errorf("%v", p)
	}
	d := open(t, root, Options{AllowBad: true})
	if len(d.Rows) != 5 || len(d.Report.Bad) != 1 || len(d.Split(datasets.Test)) != 2 {
		t.Errorf("%d rows, %d bad", len(d.Rows), len(d.Report.Bad))
	}
}

func TestEqualFilesAreOneGroup(t *testing.T) {
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("%c/%d.png", 'a'+i%2, i)] = picture(i/2, i%2 == 0)
		files[fmt.Sprintf("%c/copy of %d.png", 'a'+i%2, i)] = picture(i/2, i%2 == 0)
	}
	d := open(t, folder(t, files), Options{})
	groups := map[string]datasets.Split{}
	for _, r := range d.Rows {
		if s, ok := groups[r.Group]; ok && s != r.Split {
			t.Errorf("copies of %s are in %s and %s", r.ID, s, r.Split)
		}
		groups[r.Group] = r.Split
	}
	if len(groups) != 40 {
		t.Errorf("%d groups of 80 files, want 40", len(groups))
	}
}

func TestValidationIsDrawnFromTrainingWhereNoneIsGiven(t *testing.T) {
	files := map[string]string{}
	for i := range 60 {
		files[fmt.Sprintf("%s/%c/%d.png", []string{"train", "train", "test"}[i%3], 'a'+i%2, i)] = picture(i, i%2 == 0)
	}
	d := open(t, folder(t, files), Options{Shares: Shares{Train: 2, Validation: 1, Test: 1}})
	if train, val, test := len(d.Split(datasets.Train)), len(d.Split(datasets.Val)), len(d.Split(datasets.Test)); test != 20 || val == 0 || train+val != 40 {
		t.Errorf("%d, %d, %d rows", train, val, test)
	}
	if !strings.Contains(strings.Join(d.Report.Notes, "\n"), "no validation split") {
		t.Errorf("notes %q", d.Report.Notes)
	}
}

// TestNoSplitIsDrawnEmpty: with a few groups chance often leaves a split none;
// it gets one, whole, and what was not asked for stays empty.
func TestNoSplitIsDrawnEmpty(t *testing.T) {
	filled := 0
	for seed := range uint64(20) {
		d := open(t, folder(t, map[string]string{"t.csv": numbers(15, plainRow)}), Options{Group: "who", Seed: seed})
		of := map[string]datasets.Split{}
		has := map[datasets.Split]int{}
		for _, r := range d.Rows {
			if old, ok := of[r.Group]; ok && old != r.Split {
				t.Fatalf("seed %d: group %s is in %s and %s", seed, r.Group, old, r.Split)
			}
			of[r.Group] = r.Split
			has[r.Split]++
		}
		if len(has) != 3 {
			t.Errorf("seed %d: splits %v", seed, has)
		}
		for _, n := range d.Report.Notes {
			if strings.Contains(n, "drawn empty") {
				filled++
			}
		}
	}
	if filled == 0 {
		t.Error("no split was empty: the test shows nothing")
	}
	d := open(t, folder(t, map[string]string{"t.csv": numbers(15, plainRow)}), Options{Group: "who", Shares: Shares{Train: 1, Test: 1}})
	if n := len(d.Split(datasets.Val)); n != 0 {
		t.Errorf("%d rows in a split of no share", n)
	}
}

// TestValidationOfAGivenSplitIsNotDrawnEmpty: of few groups one is taken from
// the training split, and none from the test split that was given.
func TestValidationOfAGivenSplitIsNotDrawnEmpty(t *testing.T) {
	for seed := range uint64(12) {
		d := open(t, folder(t, map[string]string{"t.csv": "x,label,who,split\n1,a,u,train\n2,b,u,train\n3,a,v,train\n4,b,w,test\n5,a,x,test\n6,b,y,test\n"}),
			Options{Seed: seed, Group: "who", Inputs: map[string]string{"vector": "x"}})
		counts := map[datasets.Split]int{}
		for _, r := range d.Rows {
			counts[r.Split]++
		}
		if counts[datasets.Test] != 3 || counts[datasets.Val] == 0 || counts[datasets.Train] == 0 {
			t.Errorf("seed %d: splits %v, want three tests and some of both others", seed, counts)
		}
	}
}

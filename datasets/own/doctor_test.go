package own

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestDoctor(t *testing.T) {
	files := map[string]string{"red/broken.png": "no picture"}
	for i := range 60 {
		files[fmt.Sprintf("%s/%d.png", []string{"red", "blue"}[i%2], i)] = picture(i, i%2 == 1)
	}
	root := folder(t, files)
	g, err := Doctor(context.Background(), root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if g.Read != 61 || g.Good != 60 || g.Faults[FaultUnread] != 1 || g.Source != SourceClasses {
		t.Errorf("%+v", g)
	}
	if len(g.Scores) != 1 || g.Scores[0].Nearest == nil || *g.Scores[0].Nearest != 1 || g.Scores[0].Chance > 0.9 {
		t.Errorf("red and blue are told apart by their thumbnails: %+v", g.Scores)
	}
	text := g.Text()
	for _, want := range []string{"61 rows (classes), 60 good", "input image", "target label", "label, 2 classes", "blue 30, red 30", "drawn, 60 groups", "broken: 1 × unreadable file", "broken.png"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if _, err := json.Marshal(g); err != nil {
		t.Error(err)
	}
}

func TestDoctorOfNumbers(t *testing.T) {
	rows := "a,b,value\n"
	for i := range 300 {
		rows += fmt.Sprintf("%d,%d,%d\n", i, i%7, 3*i)
	}
	g, err := Doctor(context.Background(), folder(t, map[string]string{"t.csv": rows}), Options{})
	if err != nil || len(g.Scores) != 1 {
		t.Fatalf("%+v, %v", g, err)
	}
	if s := g.Scores[0]; s.Metric != "rmse" || s.Nearest == nil || *s.Nearest > s.Chance/5 {
		t.Errorf("%+v", s)
	}
}

func TestDoctorOfNothing(t *testing.T) {
	g, err := Doctor(context.Background(), "nowhere", Options{})
	if err != nil || !strings.Contains(g.Failure, "name a folder") || !strings.Contains(g.Text(), "nowhere") {
		t.Errorf("%+v, %v", g, err)
	}
}

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/datasets/own"
)

func TestMetricsStandInOrder(t *testing.T) {
	names := []string{"r@5", "recall", "r@10", "median_rank", "r@1", "f1"}
	slices.SortFunc(names, compareMetrics)
	if want := []string{"f1", "median_rank", "r@1", "r@5", "r@10", "recall"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

func TestParseShares(t *testing.T) {
	for text, want := range map[string]own.Shares{"80,10,10": {Train: 80, Validation: 10, Test: 10}, " 1, 0 ,0.5": {Train: 1, Test: 0.5}} {
		if got, err := parseShares(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "80", "80,20", "80,10,10,0", "80,x,10", "80;10;10"} {
		if _, err := parseShares(text); err == nil || !strings.Contains(err.Error(), "three numbers") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRowsHint(t *testing.T) {
	if got := rowsHint("my data.CSV"); got != " (wire run PLAN --data 'my data.CSV' --input SENSE=COLUMN answers every row of a table)" {
		t.Errorf("%q", got)
	}
	if got := rowsHint("photo.png"); got != "" {
		t.Errorf("%q", got)
	}
}

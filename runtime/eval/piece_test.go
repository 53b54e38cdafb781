package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
)

// TestPiecesElsewhere: done in any order, told as JSON and put together again,
// pieces give the rows and items of one process.
func TestPiecesElsewhere(t *testing.T) {
	p, m := signs(t)
	p.Trained = true
	split := []Part{{Train: sums(60, 1), Val: sums(20, 2), Test: sums(40, 3)}}
	folds := []Part{{Name: "a", Train: sums(40, 1), Test: sums(20, 2)}, {Name: "b", Train: sums(40, 3), Test: sums(18, 4)}}
	base := OwnOptions{
		Options: Options{Resamples: 50, Seed: 1}, Learn: learn.Default(), Prepare: prepare.Default(), Config: runtime.Default(),
		Controls: []string{"rewired", "untrained", "adapter"}, Sure: true, Half: true,
	}
	base.Learn.Epochs = 1
	base.Config.LesionRegions = []int{0}
	fresh := base
	fresh.Fresh, fresh.Seeds = true, 2
	for name, c := range map[string]struct {
		parts  []Part
		o      OwnOptions
		pieces int
	}{
		"as it is": {split, base, 3 + 2},            // 40 inputs, and two controls that learn
		"folds":    {folds, fresh, 2 * 2 * (1 + 2)}, // by fold and seed the plan and those
	} {
		t.Run(name, func(t *testing.T) {
			var want, got bytes.Buffer
			c.o.Items = &want
			alone, err := Own(t.Context(), p, m, c.parts, c.o)
			if err != nil {
				t.Fatal(err)
			}
			there := c.o
			there.Items, there.Prepare.Memo = nil, &prepare.Memo{}
			n := 0
			c.o.Items = &got
			c.o.Elsewhere = func(ctx context.Context, pieces []Piece, took func(int, Said) error) error {
				for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(pieces)) {

					said, err := OwnPiece(ctx, p, m, c.parts, there, pieces[i])
					if err != nil {
						return err
					}
					data, err := json.Marshal(said)
					if err != nil {
						return err
					}
					var back Said
					if err := json.Unmarshal(data, &back); err != nil {
						return err
					}
					n++
					if err := took(i, back); err != nil {
						return err
					}
				}
				return nil
			}
			rows, err := Own(t.Context(), p, m, c.parts, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if n != c.pieces {
				t.Errorf("%d pieces, want %d", n, c.pieces)
			}
			if d := cmp.Diff(alone, rows); d != "" {
				t.Errorf("rows, alone and elsewhere:\n%s", d)
			}
			if want.String() != got.String() || want.Len() == 0 {
				t.Error("the items are others")
			}
		})
	}
}

// TestPiecesThatDoNotFit: what does not answer what was asked is an error.
func TestPiecesThatDoNotFit(t *testing.T) {
	p, m := signs(t)
	p.Trained = true
	parts := []Part{{Train: sums(40, 1), Test: sums(20, 2)}}
	o := OwnOptions{Options: Options{Resamples: 50, Seed: 1}, Learn: learn.Default(), Prepare: prepare.Default(), Config: runtime.Default()}
	for name, c := range map[string]struct {
		spoil func(*Said)
		want  string
	}{
		"fewer inputs":     {func(s *Said) { s.Vectors = s.Vectors[1:] }, "18 test examples came back of 20"},
		"fewer answers":    {func(s *Said) { s.Words[0].Answers = s.Words[0].Answers[1:] }, "plan: 18 answers about 20 test examples"},
		"another name":     {func(s *Said) { s.Words[0].Condition = "man" }, "the plan was not asked"},
		"no such effector": {func(s *Said) { clear(s.Words[0].Answers[1]) }, `plan: effector "sign" does not answer about input 2`},
		"no conditions":    {func(s *Said) { s.Words = nil }, "the plan was not asked"},
	} {
		o := o
		o.Elsewhere = func(ctx context.Context, pieces []Piece, took func(int, Said) error) error {
			for i := range pieces {
				said, err := OwnPiece(ctx, p, m, parts, o, pieces[i])
				if err != nil {
					return err
				}
				c.spoil(&said)
				if err := took(i, said); err != nil {
					return err
				}
			}
			return nil
		}
		if _, err := Own(t.Context(), p, m, parts, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	for _, piece := range []Piece{{From: 0, To: 21}, {From: -1, To: 2}, {From: 3, To: 3}, {Part: 1, To: 2}, {Part: -1, To: 2}, {To: 20, Control: "nothing"}} {
		if _, err := OwnPiece(t.Context(), p, m, parts, o, piece); err == nil {
			t.Errorf("%+v is done", piece)
		}
	}
}

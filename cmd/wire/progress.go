package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/connectomewire/wire/wiring/learn"
	"github.com/schollz/progressbar/v3"
)

// progress shows how far a long command is: a bar on a terminal, a line now
// and then elsewhere.
type progress struct {
	w        io.Writer
	terminal bool
	bar      *progressbar.ProgressBar
	what     string
	last     time.Time
	began    time.Time // of what is shown, without a terminal
	first    int       // how much of it was done then
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, terminal: isTerminal(w)}
}

// preparing is told how many of an activity's items are done.
func (p *progress) preparing(what string, done, total int) { p.show("encoding "+what, done, total, "") }

// training is told of every step.
func (p *progress) training(s learn.Progress) {
	if s.EpochDone {
		p.finish()
		mark := ""
		if s.Best {
			mark = "  best so far"
		}
		fmt.Fprintf(p.w, "epoch %d of %d: %s%s\n", s.Epoch, s.Epochs, lossLine(s.Train, s.Val), mark)
		return
	}
	p.show("training", s.Step, s.Steps, fmt.Sprintf("loss %.3f", s.Train.Total))
}

func (p *progress) show(what string, done, total int, note string) {
	if !p.terminal {
		if p.what != what {
			p.what, p.began, p.first = what, time.Now(), done
		}
		if time.Since(p.last) > 20*time.Second {
			p.last = time.Now()
			if done > p.first && done < total {
				rest := time.Since(p.began) / time.Duration(done-p.first) * time.Duration(total-done)
				note = strings.TrimSpace(note + ", about " + rest.Round(time.Second).String() + " left")
			}
			fmt.Fprintf(p.w, "%s: %d of %d %s\n", what, done, total, strings.TrimPrefix(note, ", "))
		}
		return
	}
	if p.bar == nil || p.what != what {
		p.finish()
		p.what = what
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	}
	if note != "" {
		p.bar.Describe(what + " " + note)
	}
	_ = p.bar.Set(done) // a terminal that does not take the bar is no reason to stop
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}

// bytesBar shows how many of a download's bytes are there.
func bytesBar(w io.Writer, what string, total int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish())
}

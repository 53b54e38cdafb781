package live

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
)

// Series are numbers, a line a step: separated by commas or spaces, or a JSON
// array. The first line may be a header.
type Series struct {
	From  From
	Sense *wiring.Sense
	// Every is the time from one step to the next; 0 stamps them as they arrive.
	Every time.Duration
}

// maxRow bounds a line of numbers, in bytes.
const maxRow = 1 << 22

// Run implements [Source].
func (s *Series) Run(ctx context.Context, f *Feed) error {
	if s.Every == 0 {
		f.ByClock()
	}
	return s.From.read(ctx, func(r io.Reader, _ bool) error {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, maxRow)
		n, steps := 0, 0
		for scanner.Scan() {
			n++
			row, err := parseRow(scanner.Text())
			if err != nil && n == 1 {
				continue // a header
			}
			if err == nil && row == nil {
				continue
			}
			at := time.Duration(steps) * s.Every
			steps++ // a bad one has its time, too
			var value any
			if err == nil {
				value, err = numbers(s.Sense, row)
			}
			if err != nil {
				f.Bad(s.Sense.Name, s.From.at(err, ":%d", n))
				continue
			}
			if err := f.Push(ctx, s.Sense.Name, Sample{At: at, Name: fmt.Sprintf("%s:%d", s.From.Name, n), Read: given(value)}); err != nil {
				return err
			}
		}
		if errors.Is(scanner.Err(), bufio.ErrTooLong) {
			return s.From.at(fmt.Errorf("the line is longer than %d bytes", maxRow), ":%d", n+1)
		}
		if scanner.Err() == nil && steps == 0 {
			return s.From.at(errEmpty, "")
		}
		return scanner.Err()
	})
}

// parseRow reads a line of numbers; nil for an empty one.
func parseRow(text string) ([]float32, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "[") {
		return answer.Row(text)
	}
	var row []float32
	if err := json.Unmarshal([]byte(text), &row); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return row, nil
}

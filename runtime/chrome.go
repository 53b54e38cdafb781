package runtime

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Process numbers in the Chrome trace.
const (
	chromeRegions = 1
	chromeModules = 2
	chromeValues  = 3
)

// chromeEvent is an entry of the Trace Event Format, which Perfetto
// (ui.perfetto.dev) and chrome://tracing open.
type chromeEvent struct {
	Name  string         `json:"name"`
	Phase string         `json:"ph"`
	Time  float64        `json:"ts"` // µs
	Dur   *float64       `json:"dur,omitempty"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	Args  map[string]any `json:"args,omitempty"`
}

// WriteChrome writes the trace in Chrome's Trace Event Format: a track for
// each region with its ticks, a track for each module with its calls, and
// counters of the regions' states and the strongest tracts' gates and flow,
// each at the time its region computed it.
func (t *Trace) WriteChrome(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n")
	first := true
	var failed error
	emit := func(e chromeEvent) {
		line, err := json.Marshal(e)
		if err != nil {
			failed = err
			return
		}
		if !first {
			b.WriteString(",\n")
		}
		first = false
		b.Write(line)
	}
	name := func(what string, pid, tid int, s string) {
		emit(chromeEvent{Name: what, Phase: "M", PID: pid, TID: tid, Args: map[string]any{"name": s}})
	}
	// Times may begin before the episode, with the modules; a trace begins at 0.
	var zero time.Duration
	for _, c := range t.Modules {
		zero = min(zero, c.Begin)
	}
	micro := func(d time.Duration) float64 { return float64(d-zero) / float64(time.Microsecond) }
	span := func(from, to time.Duration) *float64 {
		d := float64(to-from) / float64(time.Microsecond)
		return &d
	}

	name("process_name", chromeRegions, 0, "regions")
	name("process_name", chromeModules, 0, "modules")
	name("process_name", chromeValues, 0, "values")
	for j, label := range t.Regions {
		name("thread_name", chromeRegions, j+1, label)
		for tick := range t.Ticks {
			args := map[string]any{"tick": tick, "state": t.State[j][tick]}
			if tick < len(t.Said) && t.Said[tick] != "" {
				args["said"] = t.Said[tick]
			}
			emit(chromeEvent{Name: fmt.Sprint("tick ", tick), Phase: "X", Time: micro(t.Begin[j][tick]),
				Dur: span(t.Begin[j][tick], t.End[j][tick]), PID: chromeRegions, TID: j + 1, Args: args})
			emit(chromeEvent{Name: "state " + label, Phase: "C", Time: micro(t.End[j][tick]), PID: chromeValues, TID: 1,
				Args: map[string]any{"rms": t.State[j][tick]}})
		}
	}
	lanes := map[string]int{}
	for _, c := range t.Modules {
		label := c.Module
		if c.Part != "" {
			label = "part " + c.Part + ": " + c.Module
		}
		lane, ok := lanes[label]
		if !ok {
			lane = len(lanes) + 1
			lanes[label] = lane
			name("thread_name", chromeModules, lane, label)
		}
		emit(chromeEvent{Name: label, Phase: "X", Time: micro(c.Begin), Dur: span(c.Begin, c.End), PID: chromeModules, TID: lane})
	}
	for _, s := range t.Strongest(32) {
		to := t.Tracts[s.Tract].To
		for tick := range t.Ticks {
			emit(chromeEvent{Name: "tract " + s.From + " → " + s.To, Phase: "C", Time: micro(t.End[to][tick]), PID: chromeValues, TID: 2,
				Args: map[string]any{"gate": t.Gate[s.Tract][tick], "flow": t.Flow[s.Tract][tick]}})
		}
	}
	for i, x := range t.Parts {
		for tick := range t.Ticks {
			emit(chromeEvent{Name: "part " + x.Name + " joins " + t.Regions[x.Into], Phase: "C", Time: micro(t.End[x.Into][tick]), PID: chromeValues, TID: 3,
				Args: map[string]any{"rms": t.Joined[i][tick]}})
		}
	}
	for _, note := range t.Notes {
		emit(chromeEvent{Name: note, Phase: "I", Time: 0, PID: chromeRegions, TID: 0})
	}
	fmt.Fprint(b, "\n]}\n")
	if failed != nil {
		return failed
	}
	return b.Flush()
}

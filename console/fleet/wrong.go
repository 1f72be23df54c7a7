package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// needed are the stages without which no alert is raised.
var needed = []string{"ingest", "infer", "alerts"}

// lateness is how late a stage must be to count as falling behind.
const lateness = 10.0 // seconds

// wrong lists everything that is wrong, the most serious first.
func (f Fleet) wrong() []Wrong {
	out := []Wrong{}
	for _, stage := range needed {
		if !f.runs(stage) {
			out = append(out, Wrong{What: "no worker runs " + stage, Do: "start a worker of " + stage})
		}
	}
	for _, w := range f.Workers {
		if w.Alive || !f.replaced(w) {
			out = append(out, w.wrong()...)
		}
	}
	out = append(out, f.unreadable()...)
	for _, c := range f.Cameras {
		if c.State != string(topics.StreamStreaming) && !c.disabled() {
			out = append(out, c.wrong())
		}
		if c.NoFilms != "" {
			out = append(out, Wrong{What: fmt.Sprintf("camera %s: %s", c.Name, c.NoFilms), Do: "see `frostwatch camera probe " + c.Name + "`"})
		}
	}
	return out
}

// unreadable lists records that no worker has written.
func (f Fleet) unreadable() (out []Wrong) {
	const most = 10
	for _, u := range f.Unreadable[:min(most, len(f.Unreadable))] {
		out = append(out, Wrong{
			What: fmt.Sprintf("the record of worker %s can't be read: %s", u.Key, u.Reason),
			Do:   "find out what writes it (another version, or another program); an empty value under this key removes it",
		})
	}
	if more := len(f.Unreadable) - most; more > 0 {
		out = append(out, Wrong{What: fmt.Sprintf("%d more records of workers can't be read", more)})
	}
	return out
}

func (f Fleet) runs(stage string) bool {
	return slices.ContainsFunc(f.Workers, func(w Worker) bool {
		_, has := w.Stages[stage]
		return w.Alive && has
	})
}

// replaced reports whether living workers hold every partition that a worker held.
func (f Fleet) replaced(w Worker) bool {
	for name, s := range w.Stages {
		for _, partition := range s.Partitions {
			if !f.held(name, s.Group, partition) {
				return false
			}
		}
	}
	return true
}

func (f Fleet) held(stage, group string, partition int) bool {
	return slices.ContainsFunc(f.Workers, func(w Worker) bool {
		s := w.Stages[stage]
		return w.Alive && s.Group == group && slices.Contains(s.Partitions, partition)
	})
}

func (w Worker) wrong() (out []Wrong) {
	if !w.Alive {
		return []Wrong{{
			What: fmt.Sprintf("worker %s gone since %s", w.Name, w.Heard.Local().Format(time.DateTime)),
			Do:   "others take over its partitions; if it was not meant to end, start it again and read the end of its log",
		}}
	}
	for _, part := range slices.Sorted(maps.Keys(w.Problems)) {
		out = append(out, Wrong{What: fmt.Sprintf("worker %s can't work: %s: %s", w.Name, part, w.Problems[part])})
	}
	for _, name := range slices.Sorted(maps.Keys(w.Stages)) {
		if s := w.Stages[name]; s.Late >= lateness {
			out = append(out, Wrong{
				What: fmt.Sprintf("%s on %s falls behind: %.0f s late, records waiting: %d", name, w.Name, s.Late, s.Lag),
				Do:   "add workers of " + name + ", or give them less to do: fewer cameras, a longer framer.stride, a model in int8",
			})
		}
	}
	for _, part := range slices.Sorted(maps.Keys(w.Warnings)) {
		if strings.HasPrefix(part, "camera ") {
			continue // listed for the camera itself
		}
		out = append(out, Wrong{What: fmt.Sprintf("worker %s: %s: %s", w.Name, part, w.Warnings[part]), Warning: part})
	}
	return out
}

// disabled is whether nobody wants its video.
func (c Camera) disabled() bool {
	return c.State == string(topics.StreamStopped) && c.Reason == topics.DisabledReason
}

func (c Camera) wrong() Wrong {
	state := c.State
	if state == "" {
		state = "state unknown"
	}
	what := fmt.Sprintf("camera %s: %s", c.Name, state)
	if c.Reason != "" {
		what += ": " + c.Reason
	}
	return Wrong{What: what}
}

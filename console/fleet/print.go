package fleet

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// Print writes tables for people.
func (f Fleet) Print(out io.Writer) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = io.WriteString(w, strings.Join(cells, "\t")+"\n") } // w writes to memory
	f.printWorkers(row)
	_ = w.Flush() // each table has columns of its own
	f.printCameras(row)
	_ = w.Flush()
	f.printOpen(row)
	_ = w.Flush()
	f.printQuiet(row)
	_ = w.Flush()
	if len(f.Wrong) == 0 {
		row()
		row("Nothing is wrong.")
	} else {
		row()
		row("WRONG")
	}
	for _, x := range f.Wrong {
		row("- " + x.What)
		if x.Do != "" {
			row("  what to do: " + x.Do)
		}
	}
	_ = w.Flush()
	_, err := io.WriteString(out, b.String())
	return err
}

func (f Fleet) printWorkers(row func(...string)) {
	if len(f.Workers) == 0 {
		row("No workers.")
		return
	}
	row("WORKER", "STATE", "STAGE", "PARTITIONS", "LAG", "LATE", "VERSION")
	for _, w := range f.Workers {
		state := "alive"
		switch {
		case !w.Alive:
			state = "gone for " + f.ago(w.Heard)
		case len(w.Problems) > 0:
			state = "not ready"
		}
		name, version := w.Name, cmp.Or(w.Version, "-")
		for _, stage := range slices.Sorted(maps.Keys(w.Stages)) {
			s := w.Stages[stage]
			row(name, state, stage, fmt.Sprint(len(s.Partitions)), fmt.Sprint(s.Lag), fmt.Sprintf("%.0fs", s.Late), version)
			name, state, version = "", "", ""
		}
		if len(w.Stages) == 0 {
			row(name, state, "-", "-", "-", "-", version)
		}
	}
	for _, w := range f.Workers {
		if w.Data != nil && w.Alive {
			row()
			row(fmt.Sprintf("The data directory of %s takes %s of the %s of --size.", w.Name, config.Bytes(w.Data.Bytes).Short(), config.Bytes(w.Data.Bound).Short()))
		}
	}
}

func (f Fleet) printCameras(row func(...string)) {
	row()
	if len(f.Cameras) == 0 {
		row("No cameras: none was added, and no configuration file brings one.")
		return
	}
	row("CAMERA", "STATE", "FOR", "WORKER", "REASON")
	for _, c := range f.Cameras {
		row(c.Name, cmp.Or(c.State, "-"), f.ago(c.Since), cmp.Or(c.Worker, "-"), joined(c.Reason, c.NoFilms))
	}
}

func (f Fleet) printOpen(row func(...string)) {
	row()
	if len(f.Open) == 0 {
		row("No open alerts.")
		return
	}
	row("OPEN ALERT", "RULE", "SEVERITY", "LABEL", "FOR")
	for _, a := range f.Open {
		row(a.Camera, a.Rule, a.Severity, topics.Alert{Label: a.Label, Absent: a.Absent}.About(), f.ago(a.Onset))
	}
}

// printQuiet prints what is not delivered at present.
func (f Fleet) printQuiet(row func(...string)) {
	if f.Profile != "" {
		row()
		row("The profile " + f.Profile + " is in force.")
	}
	if len(f.Silences) == 0 {
		return
	}
	row()
	row("SILENCED", "FOR ANOTHER", "NOTE")
	for _, s := range f.Silences {
		row(topics.Clean(s.String()), s.Until.Sub(f.At).Round(time.Second).String(), cmp.Or(s.Note, "-"))
	}
}

func (f Fleet) ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return max(f.At.Sub(t), 0).Round(time.Second).String()
}

// joined are texts with a semicolon between, those that are not empty.
func joined(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(t string) bool { return t == "" }), "; ")
}

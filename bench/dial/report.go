package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"

	"golang.org/x/sync/errgroup"
)

// report is what dial.json holds.
type report struct {
	Budget   string    `json:"budget"`
	Clips    string    `json:"clips"`
	Cooldown string    `json:"cooldown"`
	Hours    int       `json:"judged_hours"` // of a camera in a split
	Expected float64   `json:"expected"`     // false alarms of a rule on a camera in these
	Summary  []summary `json:"summary"`
	Ways     []way     `json:"ways"`
}

func (p *proof) report(ctx context.Context) (*report, error) {
	splits, err := p.splits()
	if err != nil {
		return nil, err
	}
	if p.rules, err = p.rulesWith(p.rule.FalseAlarms.Count); err != nil {
		return nil, err
	}
	perHour := p.rule.FalseAlarms.PerDay(1) / 24
	r := &report{
		Budget: p.rule.FalseAlarms.String(), Clips: fmt.Sprintf("%d of %d", p.rule.Clips.N, p.rule.Clips.M), Cooldown: p.rule.Cooldown.String(),
		Hours: p.judge, Expected: perHour * float64(p.judge),
	}
	all := make([][]way, len(splits))
	g, ctx := errgroup.WithContext(ctx)
	for i, s := range splits {
		g.Go(func() (err error) {
			if all[i], err = p.ways(ctx, s); err != nil {
				err = fmt.Errorf("%v: %w", s, err)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	r.Ways = slices.Concat(all...)
	r.summarise(perHour / float64(p.rule.FalseAlarms.Count))
	return r, nil
}

// summary is a line of the table: what a way came to on all cameras.
type summary struct {
	Split string `json:"split"` // "all": of all splits together
	Way   string `json:"way"`
	Rule  string `json:"rule"` // "all"
	// Pairs are cameras and rules. Kept had from half to twice what the budget allows,
	// Many more, Few less. Least are those with the least threshold that there is, and
	// KeptOthers those of the others that had half to twice.
	Pairs      int     `json:"pairs"`
	Kept       int     `json:"half_to_twice"`
	Many       int     `json:"above_twice"`
	Few        int     `json:"below_half"`
	Least      int     `json:"at_least"`
	KeptOthers int     `json:"half_to_twice_of_others"`
	False      int     `json:"false_alarms"`
	Allowed    float64 `json:"allowed"`
	Staged     int     `json:"staged"`
	Caught     int     `json:"caught"`
	Open       int     `json:"alert_already_open"` // instead
}

// summarise makes the lines: of each split, of all together, of each rule and of all.
// unit is how much of a budget of one an hour has.
func (r *report) summarise(unit float64) {
	at := map[[3]string]int{}
	for _, w := range r.Ways {
		expected := unit * float64(w.Budget*r.Hours)
		for _, split := range []string{w.Split, "all"} {
			for _, o := range w.Pairs {
				for _, rule := range []string{o.Rule, "all"} {
					key := [3]string{split, w.name(), rule}
					i, known := at[key]
					if !known {
						i = len(r.Summary)
						at[key], r.Summary = i, append(r.Summary, summary{Split: split, Way: w.name(), Rule: rule})
					}
					r.Summary[i].add(o, expected)
				}
			}
		}
	}
}

func (s *summary) add(o *judged, expected float64) {
	s.Pairs++
	kept := float64(o.False) >= expected/2 && float64(o.False) <= 2*expected
	switch {
	case kept:
		s.Kept++
	case float64(o.False) > expected:
		s.Many++
	default:
		s.Few++
	}
	if o.Found == "least" {
		s.Least++
	} else if kept {
		s.KeptOthers++
	}
	s.Allowed += expected
	s.False, s.Staged, s.Caught, s.Open = s.False+o.False, s.Staged+o.Staged, s.Caught+o.Caught, s.Open+o.Open
}

func (r *report) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "budget %s, clips %s, cooldown %s\n", r.Budget, r.Clips, r.Cooldown)
	_, _ = fmt.Fprintln(t, "split\tthresholds\trule\thalf to twice\tat most twice\tbelow half\tof those above the least, half to twice\tfalse alarms, of allowed\tevents caught\talert open before")
	for _, s := range r.Summary {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d, %.0f\t%s\t%d\n", s.Split, s.Way, s.Rule, share(s.Kept, s.Pairs), share(s.Pairs-s.Many, s.Pairs),
			share(s.Few, s.Pairs), share(s.KeptOthers, s.Pairs-s.Least), s.False, s.Allowed, share(s.Caught, s.Staged), s.Open)
	}
	return t.Flush()
}

func share(n, of int) string {
	if of == 0 {
		return "none"
	}
	return fmt.Sprintf("%.0f%% (%d/%d)", 100*float64(n)/float64(of), n, of)
}

// save writes the report as JSON, its pairs as CSV, and the plots.
func (r *report) save(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, write := range map[string]func(io.Writer) error{
		"dial.json": r.json, "dial.csv": r.csv, "dial-kept.svg": r.plotKept, "dial-recall.svg": r.plotRecall,
	} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if err := write(f); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (r *report) json(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

func (r *report) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"split", "thresholds", "camera", "rule", "raise", "found", "false_alarms", "staged", "caught"}}
	for _, way := range r.Ways {
		for _, o := range way.Pairs {
			rows = append(rows, []string{way.Split, way.name(), o.Camera, o.Rule, strconv.FormatFloat(o.Raise, 'g', 4, 64), o.Found,
				strconv.Itoa(o.False), strconv.Itoa(o.Staged), strconv.Itoa(o.Caught)})
		}
	}
	return c.WriteAll(rows)
}

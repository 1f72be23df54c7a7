// Package chaos tries whether anything is lost, repeated or invented while workers die and
// the broker goes away: a simulated fleet's clips pass through workers of infer and alerts
// in processes of their own, trial by trial another nemesis disturbs them, and after each
// trial the history of all its records is checked.
package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/fleet"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/history"
	"github.com/frostwatch/frostwatch/topics"
)

// BrokerCommand is the command, below bench, that runs the broker of the trials.
const BrokerCommand = "broker"

// Options of a run.
type Options struct {
	Trials  int
	First   int // number of the first trial
	Seed    uint64
	Nemeses []Nemesis // taken in turn
	Cameras int
	Clips   int // of each camera, in each trial
	Speed   float64
	Workers int    // of each stage
	Model   string // bundle; "": the demo's
	Runtime string // ONNX Runtime's library; "": where the stages look for it
	// Keep is a folder for all files of the run, logs of the workers among them, which stay
	// there; "": they are removed.
	Keep string
	JSON bool

	Out, Err io.Writer // Out gets the results, Err the progress
}

func (o Options) check() error {
	if o.Trials < 1 || o.First < 0 || o.Cameras < 1 || o.Clips < 1 || o.Workers < 1 || o.Speed <= 0 || len(o.Nemeses) == 0 {
		return fmt.Errorf("bench chaos: %d trials from %d, %d cameras with %d clips at speed %v, %d workers of each stage, %d nemeses: want at least one of each, from 0",
			o.Trials, o.First, o.Cameras, o.Clips, o.Speed, o.Workers, len(o.Nemeses))
	}
	return CheckNemeses(o.Nemeses)
}

// load is how long the clips of a trial take.
func (o Options) load() time.Duration {
	return time.Duration(float64(o.Clips) / o.Speed * float64(stride.Of(window)))
}

const window = 4267 * time.Millisecond

// stride is the default one.
var stride = topics.Stride{Steps: 4}

// Result is what came of a trial.
type Result struct {
	Trial    int             `json:"trial"`
	Seed     uint64          `json:"seed"`
	Nemesis  Nemesis         `json:"nemesis"`
	Schedule string          `json:"schedule"`
	Quiet    float64         `json:"quiet_after_s"` // from the end of the load and of all disturbances until nothing was missing
	Resets   int             `json:"resets"`        // of connections
	Report   *history.Report `json:"report"`
	// Failed is what kept the trial from being carried out to its end, or what else was wrong;
	// "": nothing.
	Failed string `json:"failed,omitempty"`
}

func (r Result) ok() bool { return r.Failed == "" && r.Report.OK() }

// ErrViolated is returned where a trial found a violation.
var ErrViolated = errors.New("bench chaos: there are violations")

// Run carries out the trials and prints what came of them.
func Run(ctx context.Context, o Options) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	dir := o.Keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "frostwatch-chaos-*"); err != nil {
			return fmt.Errorf("bench chaos: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("bench chaos: --keep: %w", err)
	}
	r, err := startRig(ctx, o, dir)
	if err != nil {
		return fmt.Errorf("bench chaos: %w", err)
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.trials(ctx); err != nil {
		return fmt.Errorf("bench chaos: %w", err)
	}
	return nil
}

// trials carries them out one after the other.
func (r *rig) trials(ctx context.Context) error {
	cast, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	var all summary
	for i := range r.Trials {
		p := NewPlan(r.Seed, r.First+i, r.Nemeses, r.load())
		result, err := r.trial(ctx, p, cast)
		if err != nil {
			return err
		}
		all.add(result)
		if err := r.print(result); err != nil {
			return err
		}
	}
	if err := r.finish(all); err != nil {
		return err
	}
	if all.failed > 0 {
		return ErrViolated
	}
	return nil
}

// prepare starts the workers.
func (r *rig) prepare(ctx context.Context) (c cast, err error) {
	if err := r.configure(" []"); err != nil {
		return c, err
	}
	r.free = append(r.free, r.endWorkers)
	if err := r.startWorkers("infer"); err != nil {
		return c, err
	}
	if c, err = r.choose(ctx); err != nil {
		return c, err
	}
	return c, r.startWorkers("alerts")
}

// summary is the sum of trials.
type summary struct {
	Trials     int             `json:"trials"`
	Clips      int             `json:"clips"`
	Acked      int             `json:"acknowledged"`
	Dropped    int             `json:"not_acknowledged"`
	Recognised int             `json:"recognised"`
	Repeats    int             `json:"repeats"`
	Alerts     int             `json:"alert_records"`
	Violations int             `json:"violations"`
	ByNemesis  map[Nemesis]int `json:"trials_by_nemesis"`
	failed     int
}

func (s *summary) add(r Result) {
	if s.ByNemesis == nil {
		s.ByNemesis = map[Nemesis]int{}
	}
	s.Trials++
	s.ByNemesis[r.Nemesis]++
	s.Clips += r.Report.Clips
	s.Acked += r.Report.Acked
	for _, n := range r.Report.Dropped {
		s.Dropped += n
	}
	s.Recognised += r.Report.Recognised
	s.Repeats += r.Report.Repeats
	s.Alerts += r.Report.Published
	s.Violations += len(r.Report.Violations)
	if !r.ok() {
		s.failed++
	}
}

// shown is how many violations of a trial are printed.
const shown = 20

func (r *rig) print(t Result) error {
	if r.JSON {
		return json.NewEncoder(r.Out).Encode(t)
	}
	verdict := "nothing lost, repeated or invented"
	if !t.ok() {
		verdict = fmt.Sprintf("%d VIOLATIONS", len(t.Report.Violations))
	}
	_, err := fmt.Fprintf(r.Out, "%s\n  %d clips, %d acknowledged%s; %d recognised%s; %d of %d alert records; %d came again; %d connections reset; %.1f s until all was right: %s\n",
		heading(t), t.Report.Clips, t.Report.Acked, others("dropped", t.Report.Dropped), t.Report.Recognised, others("without a recognition", t.Report.Accounted),
		t.Report.Published, t.Report.Expected, t.Report.Repeats, t.Resets, t.Quiet, verdict)
	for _, v := range t.Report.Violations[:min(shown, len(t.Report.Violations))] {
		if err == nil {
			_, err = fmt.Fprintf(r.Out, "  %v\n", v)
		}
	}
	if t.Failed != "" && err == nil {
		_, err = fmt.Fprintf(r.Out, "  FAILED: %s\n", t.Failed)
	}
	return err
}

func (r *rig) finish(s summary) error {
	if r.JSON {
		return json.NewEncoder(r.Out).Encode(s)
	}
	_, err := fmt.Fprintf(r.Out, "all of seed %d (%s): %d clips, %d acknowledged, %d not; %d recognised; %d alert records; %d came again; %d violations; trials with something wrong: %d of %d\n",
		r.Seed, tally(s.ByNemesis), s.Clips, s.Acked, s.Dropped, s.Recognised, s.Alerts, s.Repeats, s.Violations, s.failed, s.Trials)
	return err
}

// heading names a trial, and what was done in it.
func heading(t Result) string {
	done := t.Schedule
	if done == "" {
		done = "nothing is disturbed"
	}
	return fmt.Sprintf("trial %d of seed %d, %s: %s", t.Trial, t.Seed, t.Nemesis, done)
}

// others are clips of which something else became, by reason; "": there are none.
func others(what string, reasons map[string]int) string {
	if len(reasons) == 0 {
		return ""
	}
	return fmt.Sprintf(", %s: %s", what, tally(reasons))
}

// tally lists how often each came, in the order of their names.
func tally[K ~string](counts map[K]int) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, fmt.Sprintf("%d %s", counts[k], k))
	}
	return strings.Join(out, ", ")
}

// say prints progress.
func (r *rig) say(format string, args ...any) {
	_, _ = fmt.Fprintf(r.Err, format+"\n", args...) // nobody may be reading
}

// fleet adds to a fleet's options what all of them have here.
func (r *rig) fleet(o fleet.Options) fleet.Options {
	o.Send, o.Topic = r.client.Send, r.names.Of(topics.Clips)
	o.Window, o.Stride = window, stride
	o.Width, o.Height, o.Quality = 200, 112, 80 // small, since they are stored
	return o
}

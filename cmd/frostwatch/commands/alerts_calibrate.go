package commands

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// calibrateFlags say what to compare, and where the result goes.
type calibrateFlags struct {
	truth, rules, svg string
	asJSON            bool
}

func (p Program) alertsCalibrate() *cobra.Command {
	t := &target{}
	var f calibrateFlags
	cmd := &cobra.Command{
		Use: "calibrate --truth FILE", Short: "Measure misses and false alarms against what somebody saw", Args: none,
		Long: "Compares the recorded past with a CSV file of what happened, and shows for each label or rule how many\n" +
			"cases it misses at 1 and 0.1 false alarms per camera-day, and at which threshold (docs/past.md).",
		Example: "  frostwatch alerts calibrate --truth intervals.csv\n  frostwatch alerts calibrate --truth intervals.csv --svg curve.svg --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			truth, err := f.read()
			if err != nil {
				return err
			}
			return t.withPast(cmd.Context(), p.Err, func(ctx context.Context, past *pastAlerts) error {
				judged, err := p.judge(ctx, t, past, truth, f)
				var wrong calibrate.Mistakes
				if errors.As(err, &wrong) {
					return f.wrong(wrong)
				}
				if err != nil {
					return err
				}
				past.Unread(judged.Counts)
				return p.printJudged(judged, f)
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().StringVar(&f.truth, "truth", "", "CSV file: camera,label,start,end and which time was watched")
	cmd.Flags().StringVar(&f.rules, "rules", "", "configuration file with the rules (default: the one in force)")
	cmd.Flags().StringVar(&f.svg, "svg", "", "file to draw precision over recall to")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON: one object")
	return cmd
}

// read reads the truth, and checks that the drawing can be written.
func (f calibrateFlags) read() (*calibrate.Truth, error) {
	if f.truth == "" {
		return nil, errors.New("--truth: want a CSV file of what happened, with the columns camera, label, start and end")
	}
	file, err := os.Open(f.truth)
	if err != nil {
		return nil, fmt.Errorf("--truth: %w", err)
	}
	defer func() { _ = file.Close() }()
	truth, err := calibrate.ReadTruth(file)
	if err != nil {
		return nil, f.wrong(err)
	}
	if f.svg != "" {
		if err := (output{"svg", f.svg}).try(); err != nil {
			return nil, output{"svg", f.svg}.failed(err)
		}
	}
	return truth, nil
}

// wrong names the file that mistakes are in.
func (f calibrateFlags) wrong(err error) error {
	if many := (calibrate.Mistakes)(nil); errors.As(err, &many) {
		return fmt.Errorf("--truth %s:\n%w", f.truth, err)
	}
	return fmt.Errorf("--truth %s: %w", f.truth, err)
}

// judge makes ready what the truth names, and compares.
func (p Program) judge(ctx context.Context, t *target, past *pastAlerts, truth *calibrate.Truth, f calibrateFlags) (*calibrate.Judged, error) {
	o := calibrate.JudgeOptions{Past: past.Reader, Truth: truth, Subjects: calibrate.Subjects{Nearest: vocab.Nearest}}
	var err error
	if file := cmp.Or(f.rules, t.file()); file != "" {
		if o.Rules, err = p.rulesOf(ctx, t, file, f.rules == ""); err != nil {
			return nil, err
		}
	} else if truth.Rules {
		return nil, errors.New("the file with the rules in force is not known: name one with --rules")
	}
	cameras, err := past.cameras(ctx)
	if err != nil {
		return nil, err
	}
	o.Tags = map[string][]string{}
	for name, c := range cameras {
		o.Tags[name] = c.Tags
	}
	o.Zones = func(camera string) map[string]topics.Polygon { return cameras[camera].Zones }
	since, until := truth.Bounds()
	o.Model, err = calibrate.Newest(ctx, past.Reader, archive.Range{Since: since, Until: until.Add(1), Cameras: truth.Cameras()}, past.Now())
	if errors.Is(err, calibrate.ErrNothing) {
		return nil, fmt.Errorf("%w: nothing of the watched cameras from %s to %s; `frostwatch archive ls` lists what is archived", err,
			since.Local().Format(time.DateTime), until.Local().Format(time.DateTime))
	}
	if err != nil {
		return nil, err
	}
	var there ruledesk.Contents
	err = t.withRedis(ctx, func(ctx context.Context, c *redis.Client, cfg config.Config) (err error) {
		there, err = ruledesk.ReadContents(ctx, vocab.NewStore(c, cfg.Redis.Prefix), cfg.Vocab, slices.Collect(maps.Values(cameras)))
		return err
	})
	if err != nil {
		return nil, err
	}
	o.Vocabulary = func(camera string) []vocab.Label {
		v := there.Words(there.NameFor(cameras, camera, nil))
		return slices.Concat(v.Labels, o.Rules.About(v.Labels)) // what the vocabulary has comes first, and counts
	}
	o.Embedder = remoteTexts{t, o.Model}
	return calibrate.Judge(ctx, o)
}

// remoteTexts embeds texts for a model, with a connection for each call: what follows
// may take longer than a connection is given.
type remoteTexts struct {
	*target
	model calibrate.Model
}

// Of is that of scoring.Remote.
func (r remoteTexts) Of(ctx context.Context, texts []string) (vectors map[string][]float32, refused map[string]error, err error) {
	err = r.remote(ctx, func(ctx context.Context, from *scoring.Remote) (err error) {
		vectors, refused, err = from.Of(ctx, texts)
		return err
	})
	return vectors, refused, err
}

// References is that of scoring.Remote.
func (r remoteTexts) References(ctx context.Context, hash string) (refs *scoring.References, err error) {
	err = r.remote(ctx, func(ctx context.Context, from *scoring.Remote) (err error) {
		refs, err = from.References(ctx, hash)
		return err
	})
	return refs, err
}

func (r remoteTexts) remote(ctx context.Context, do func(context.Context, *scoring.Remote) error) error {
	return r.withRedis(ctx, func(ctx context.Context, c *redis.Client, cfg config.Config) error {
		remote, err := scoring.NewRemote(scoring.RemoteOptions{Client: c, Prefix: cfg.Redis.Prefix, Model: r.model.ID, Dim: r.model.Dims})
		if err != nil {
			return err
		}
		return do(ctx, remote)
	})
}

// printJudged prints figures, and says of what there are none. It fails if there are
// none at all.
func (p Program) printJudged(j *calibrate.Judged, f calibrateFlags) error {
	if f.svg != "" {
		var drawn bytes.Buffer
		if err := j.WriteCurves(&drawn); err != nil {
			return err
		}
		if err := os.WriteFile(f.svg, drawn.Bytes(), 0o644); err != nil {
			return output{"svg", f.svg}.failed(err)
		}
	}
	var err error
	if f.asJSON {
		err = printJSON(p.Out, j)
	} else {
		err = writeJudged(p.Out, j)
	}
	for _, s := range j.Subjects {
		if err != nil || s.Cases >= s.NeedCases {
			return err
		}
	}
	return errors.New("there are too few cases to tell anything")
}

func writeJudged(w io.Writer, j *calibrate.Judged) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	rows := 0
	for _, s := range j.Subjects {
		for _, at := range s.Points {
			m := at.Measured
			if m == nil {
				continue
			}
			if rows++; rows == 1 {
				_, _ = fmt.Fprintln(t, "NAME\tCASES\tCAMERA-DAYS\tAT MOST\tTHRESHOLD\tFOUND\tP_MISS\t95%\tFALSE ALARMS\tPER CAMERA-DAY\t95%\tPRECISION\t95%")
			}
			precision, within := "-", "-"
			if m.Precision != nil {
				precision, within = fmt.Sprintf("%.2f", m.Precision.Value), ends(*m.Precision)
			}
			_, _ = fmt.Fprintf(t, "%s\t%d\t%.2f\t%g per camera-day\t%.4g\t%d\t%.2f\t%s\t%d\t%.2f\t%s\t%s\t%s\n", topics.Clean(s.Name), s.Cases, s.CameraDays, at.Rate,
				m.Threshold, m.Found, m.PMiss.Value, ends(m.PMiss), m.FalseAlarms, m.PerDay.Value, ends(m.PerDay), precision, within)
		}
	}
	_ = t.Flush()
	for _, s := range j.Subjects {
		for _, text := range s.Refusals() {
			fmt.Fprintln(&b, topics.Clean(text))
		}
		if s.Repeated > 0 {
			fmt.Fprintf(&b, "%s: %s overlapped others of the same camera, and were joined with them\n", topics.Clean(s.Name), counted(s.Repeated, "case"))
		}
	}
	writeOtherModels(&b, j.Other)
	_, err := w.Write(b.Bytes())
	return err
}

// ends are those of a confidence interval.
func ends(e calibrate.Estimate) string { return fmt.Sprintf("%.2f to %.2f", e.Low, e.High) }

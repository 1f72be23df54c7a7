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
	"strings"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// replayFlags say which rules are replayed.
type replayFlags struct {
	pastRange
	rules string // a file; empty: the rules in force
}

func (p Program) alertsBacktest() *cobra.Command {
	t := &target{}
	var f replayFlags
	var asJSON bool
	var svg string
	cmd := &cobra.Command{
		Use: "backtest", Short: "Count what rules would have raised, and compare it with what was raised", Args: none,
		Long: "Runs rules over the recorded past as the alerts stage would have, and lists by rule, camera and\n" +
			"day how many alerts they would have raised and how many were raised. Values that were not\n" +
			"recorded are computed from recorded embeddings, if an infer worker with the model runs.",
		Example: "  frostwatch alerts backtest --since 7d\n  frostwatch alerts backtest --rules new.yaml --since 7d --camera 'ward-*' --svg backtest.svg",
		RunE: func(cmd *cobra.Command, _ []string) error {
			g, err := f.parse(time.Now())
			if err != nil {
				return err
			}
			if svg != "" {
				if err := (output{"svg", svg}).try(); err != nil {
					return output{"svg", svg}.failed(err)
				}
			}
			return t.withPast(cmd.Context(), p.Err, func(ctx context.Context, past *pastAlerts) error {
				o, err := p.replayOptions(ctx, t, past, f, g)
				if err != nil {
					return err
				}
				if err := p.noteIdle(ctx, past, o.Rules); err != nil {
					return err
				}
				b, err := calibrate.Backtest(ctx, o)
				if err != nil {
					return err
				}
				past.Unread(b.Counts)
				past.Unread(b.LiveCounts)
				return p.printBacktest(b, svg, asJSON)
			})
		},
	}
	t.flags(cmd)
	f.flags(cmd, "7d")
	cmd.Flags().StringVar(&f.rules, "rules", "", "configuration file whose rules are run (default: the one in force)")
	cmd.Flags().StringVar(&svg, "svg", "", "file to draw the counts to")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object")
	return cmd
}

// noteIdle names the rules that watch no camera, which would raise nothing whatever was
// recorded.
func (p Program) noteIdle(ctx context.Context, past *pastAlerts, rules *alerts.RuleSet) error {
	all, err := past.cameras(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	var idle []string
	for _, r := range rules.Rules() {
		watched := false
		for _, c := range all {
			watched = watched || r.Watches(c.Name, c.Tags)
		}
		if !watched {
			idle = append(idle, topics.Clean(r.Name))
		}
	}
	if len(idle) > 0 {
		_, err = fmt.Fprintf(p.Err, "no camera is watched by: %s\n", strings.Join(idle, ", "))
	}
	return err
}

// replayOptions reads the rules, and makes ready what they need. That words can't be
// embedded is a note: what was recorded is still replayed.
func (p Program) replayOptions(ctx context.Context, t *target, past *pastAlerts, f replayFlags, g archive.Range) (o calibrate.ReplayOptions, err error) {
	rules, err := p.rulesToReplay(ctx, t, f.rules)
	if err != nil {
		return o, err
	}
	o = calibrate.ReplayOptions{Past: past.Reader, Rules: rules, Since: g.Since, Until: g.Until, Cameras: g.Cameras, Zones: past.zones(ctx)}
	if o.Thresholds, err = past.thresholds(ctx); err != nil {
		return o, err
	}
	o.Words, err = t.ruleWords(ctx, past, rules, f.rules != "", g)
	if err != nil {
		_, _ = fmt.Fprintf(p.Err, "only values that were recorded are used, others can't be computed: %s\n", topics.Clean(err.Error()))
	}
	return o, nil
}

// rulesToReplay are the rules of rulesOf, of which there has to be one.
func (p Program) rulesToReplay(ctx context.Context, t *target, named string) (*alerts.RuleSet, error) {
	file := cmp.Or(named, t.file())
	if file == "" {
		return nil, errors.New("the file with the rules in force is not known: name one with --rules")
	}
	rules, err := p.rulesOf(ctx, t, file, named == "")
	if err == nil && len(rules.Names()) == 0 {
		return nil, fmt.Errorf("there are no rules: add some to %s, or name another file with --rules", file)
	}
	return rules, err
}

// rulesOf are the rules of a file, and of the store in Redis if that is asked for too.
func (p Program) rulesOf(ctx context.Context, t *target, file string, stored bool) (rules *alerts.RuleSet, err error) {
	if rules, err = calibrate.CompileRules(file); err != nil {
		return nil, err
	}
	if stored {
		err = t.withRedis(ctx, func(ctx context.Context, c *redis.Client, cfg config.Config) error {
			stored, err := alerts.NewStore(c, cfg.Redis.Prefix).List(ctx)
			if err == nil {
				rules, _ = alerts.Join(rules, &stored)
			}
			return err
		})
		if err != nil {
			_, _ = fmt.Fprintf(p.Err, "only rules of %s are used: %s\n", file, topics.Clean(err.Error()))
		}
	}
	return rules, nil
}

// thresholds reads those that keep the budgets of rules.
func (p *pastAlerts) thresholds(ctx context.Context) ([]topics.Threshold, error) {
	rows, err := p.Bus.Table(p.Names.Of(topics.Thresholds)).List(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the thresholds: %w", err)
	}
	var out []topics.Threshold
	for _, m := range rows {
		if t, err := topics.DecodeThreshold(m.Value); err == nil {
			out = append(out, t)
		}
	}
	return out, nil
}

// ruleWords makes the labels of rules ready, as far as these or the vocabularies name
// them. On a camera those of its vocabulary count, and, for rules that are tried, those
// that none has.
func (t *target) ruleWords(ctx context.Context, past *pastAlerts, rules *alerts.RuleSet, tried bool, g archive.Range) (*calibrate.Words, error) {
	cameras, err := past.cameras(ctx)
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
	return there.Ready(cameras, rules, tried, func(labels []vocab.Label) (*calibrate.Words, error) { return t.words(ctx, past, g, labels) })
}

func (p Program) printBacktest(b *calibrate.Backtested, svg string, asJSON bool) error {
	if svg != "" {
		var drawn bytes.Buffer
		if err := b.WritePlot(&drawn); err != nil {
			return err
		}
		if err := os.WriteFile(svg, drawn.Bytes(), 0o644); err != nil {
			return output{"svg", svg}.failed(err)
		}
	}
	if asJSON {
		return printJSON(p.Out, b)
	}
	return writeBacktest(p.Out, b)
}

func writeBacktest(w io.Writer, b *calibrate.Backtested) error {
	var out bytes.Buffer
	var sum calibrate.Tally
	if len(b.Tallies) > 0 {
		t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(t, "RULE\tCAMERA\tDAY (UTC)\tWOULD RAISE\tRAISED\tBOTH\tONLY BACKTEST\tONLY LIVE")
		for _, r := range b.Tallies {
			_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\n", topics.Clean(r.Rule), topics.Clean(r.Camera), r.Day, r.Both+r.Backtest, r.Both+r.Live, r.Both, r.Backtest, r.Live)
			sum.Both, sum.Backtest, sum.Live = sum.Both+r.Both, sum.Backtest+r.Backtest, sum.Live+r.Live
		}
		_ = t.Flush()
	}
	if b.Recognitions == 0 {
		_, err := fmt.Fprintln(w, "nothing is recorded in this time: `frostwatch archive ls` lists what is archived")
		return err
	}
	fmt.Fprintf(&out, "%s from %s to %s: %d would be raised, %d were raised, %d of them are the same\n", counted(b.Recognitions, "recognition"),
		b.Since.Local().Format(time.DateTime), b.Until.Local().Format(time.DateTime), sum.Both+sum.Backtest, sum.Both+sum.Live, sum.Both)
	writeFilled(&out, b.Filled)
	_, err := w.Write(out.Bytes())
	return err
}

// writeFilled says what was not taken from records.
func writeFilled(b *bytes.Buffer, f calibrate.Filled) {
	if f.Labels > 0 {
		fmt.Fprintf(b, "%s of %s were not recorded, and computed from embeddings\n", counted(f.Labels, "value"), counted(f.Recognitions, "recognition"))
	}
	if f.Other > 0 {
		fmt.Fprintf(b, "%s lack values that can't be computed: they are of another model, or have no embedding\n", counted(f.Other, "recognition"))
	}
}

package commands

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/words"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// tryFlags make the rule that is tried.
type tryFlags struct {
	zones []string
	pastRange
	levels      alerts.Levels
	clips       string
	description string
	limit       int
	asJSON      bool
}

func (p Program) vocabTry(t *vocabTarget) *cobra.Command {
	var f tryFlags
	cmd := &cobra.Command{
		Use: "try LABEL", Short: "Show where a rule on a label would have raised alerts", Args: exactly(1),
		Long: "Compares the recorded past with a label, which no vocabulary needs to have, and lists the alerts\n" +
			"that a rule on its contrast would have raised. A label of the vocabulary has its aliases and\ndescription. Nothing is changed.",
		Example: "  frostwatch vocab try \"person climbing over the fence\" --since 24h --camera 'yard-*'\n" +
			"  frostwatch vocab try \"person waving\" --raise 0.7 --clips \"2 of 3\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			rule, err := f.rule(args[0])
			if err != nil {
				return err
			}
			if f.limit < 1 {
				return fmt.Errorf("--limit %d: want at least 1", f.limit)
			}
			g, err := f.parse(time.Now())
			if err != nil {
				return err
			}
			return t.withPast(cmd.Context(), p.Err, func(ctx context.Context, past *pastAlerts) error {
				if err := t.ofCameras(ctx, past, f.cameras, p.Err); err != nil {
					return err
				}
				label, err := t.label(ctx, args[0], f.description)
				if err != nil {
					return err
				}
				embedded, err := t.words(ctx, past, g, []vocab.Label{label})
				if err != nil {
					return err
				}
				if !embedded.HasContrast() {
					return words.ErrNoContrast
				}
				tried, err := calibrate.Try(ctx, calibrate.TryOptions{Past: past.Reader, Words: embedded, Rule: rule, Range: g, Zones: past.zones(ctx)})
				if err != nil {
					return err
				}
				closest, err := calibrate.Search(ctx, calibrate.SearchOptions{Query: calibrate.Query{Words: embedded}, Past: past.Reader, Range: g, Limit: 5, Measure: "contrast"})
				if err != nil {
					return err
				}
				return p.printTried(newTriedView(label, rule, tried, closest), f)
			})
		},
	}
	f.flags(cmd, "24h")
	cmd.Flags().Float64Var(&f.levels.Raise, "raise", alerts.DefaultContrast, "contrast from which on a clip counts")
	cmd.Flags().Float64Var(&f.levels.Clear, "clear", 0, "contrast below which the alert is cleared (default: two thirds of --raise)")
	cmd.Flags().StringVar(&f.clips, "clips", "1 of 1", "how many of the last clips must count")
	cmd.Flags().StringArrayVar(&f.zones, "zone", nil, "zone of its cameras, outside of which nothing counts; repeatable (default: the whole picture)")
	cmd.Flags().StringVar(&f.description, "description", "", "more words for the model")
	cmd.Flags().IntVar(&f.limit, "limit", 50, "how many alerts to list at most, the newest")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON: one object")
	return cmd
}

// rule is the one to try.
func (f tryFlags) rule(label string) (alerts.Rule, error) {
	r := alerts.Rule{Name: "try", Actions: []string{label}, Contrast: &f.levels, Zone: f.zones}
	if err := r.Clips.UnmarshalText([]byte(f.clips)); err != nil {
		return r, fmt.Errorf("--%w", err)
	}
	_, err := alerts.NewRuleSet(r)
	return r, err
}

// label is that of the vocabulary, if it has it.
func (t *vocabTarget) label(ctx context.Context, name, description string) (label vocab.Label, err error) {
	if description != "" {
		return vocab.Label{Name: name, Description: description}, nil
	}
	err = t.withRedis(ctx, func(ctx context.Context, c *redis.Client, cfg config.Config) error {
		v, err := vocab.NewStore(c, cfg.Redis.Prefix).List(ctx, cmp.Or(t.name, cfg.Vocab.Name))
		label = words.Label(v.Labels, name)
		return err
	})
	return label, err
}

// triedView is what `vocab try` prints.
type triedView struct {
	Label   string          `json:"label"`
	Texts   []string        `json:"texts"`
	Raise   float64         `json:"raise"`
	Clips   string          `json:"clips"`
	Scored  int             `json:"scored"`
	Alerts  []words.Alert   `json:"alerts"`
	Closest []calibrate.Hit `json:"closest"` // clips of the range, whether or not they would have counted
	Other   map[string]int  `json:"other_models,omitempty"`
}

func newTriedView(label vocab.Label, rule alerts.Rule, tried *calibrate.Tried, closest *calibrate.Searched) triedView {
	clips, _ := rule.Clips.MarshalText() // never fails
	return triedView{Label: label.Name, Texts: label.Texts(), Raise: rule.Contrast.Raise, Clips: string(clips), Scored: tried.Scored, Alerts: words.Alerts(tried), Closest: closest.Hits, Other: tried.Other}
}

func (p Program) printTried(v triedView, f tryFlags) error {
	all := len(v.Alerts)
	v.Alerts = v.Alerts[max(0, all-f.limit):]
	if f.asJSON {
		return printJSON(p.Out, v)
	}
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if all > 0 {
		_, _ = fmt.Fprintln(t, "SINCE\tFOR\tCAMERA\tCONTRAST\tCLIP")
	}
	for _, a := range v.Alerts {
		lasted := "open"
		if a.Cleared != nil {
			lasted = a.Cleared.Sub(a.Onset).Round(time.Second).String()
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%.3g\t%s\n", a.Onset.Local().Format(time.DateTime), lasted, topics.Clean(a.Camera), a.Contrast, topics.Clean(a.OnsetClip))
	}
	_ = t.Flush()
	if all > len(v.Alerts) {
		fmt.Fprintf(&b, "only the newest %d are listed\n", len(v.Alerts))
	}
	fmt.Fprintf(&b, "a rule on %q at a contrast of %g, %s, would have raised %s in %s\n", topics.Clean(v.Label), v.Raise, v.Clips, counted(all, "alert"), counted(v.Scored, "recording"))
	if len(v.Closest) > 0 {
		h := v.Closest[0]
		fmt.Fprintf(&b, "the clip that comes closest has %.3g: %s\n", *h.Contrast, topics.Clean(h.Clip))
	}
	writeOtherModels(&b, v.Other)
	_, err := p.Out.Write(b.Bytes())
	return err
}

package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/notify"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) silenceCommand() *cobra.Command {
	t := &target{}
	cmd := &cobra.Command{
		Use: "silence", Short: "Keep alerts from being delivered for a time",
		Long: "Silences keep what happens to alerts from being delivered to receivers, and end by themselves.\nAlerts are raised, listed and recorded all the same (docs/notify.md).",
	}
	t.flags(cmd)
	cmd.AddCommand(p.silenceAdd(t), p.silenceList(t), p.silenceRemove(t))
	return cmd
}

// silenceFlags say what is silenced, and for how long.
type silenceFlags struct {
	topics.Choice
	alert string
	all   bool
	keep  time.Duration
	until string
	note  string
	by    string
}

func (p Program) silenceAdd(t *target) *cobra.Command {
	f := &silenceFlags{}
	cmd := &cobra.Command{
		Use: "add", Short: "Silence alerts of rules, cameras or tags for a time", Args: none,
		Example: "  frostwatch silence add --camera 'ward-*' --for 2h --note 'the floor is being cleaned'\n" +
			"  frostwatch silence add --alert fall/ward-2-1764345600000-12095 --for 30m",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.withBus(cmd.Context(), func(ctx context.Context, b *bus.Client, n topics.Names) error {
				s, err := f.silence(ctx, b, n, time.Now())
				if err != nil {
					return err
				}
				s, err = notify.OpenSilences(b, n).Add(ctx, s)
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintf(p.Out, "silence %s: %s, until %s\n", s.ID, s.Choice, s.Until.Local().Format(time.DateTime)); err != nil {
					return err
				}
				for _, warning := range t.chosenByNothing(ctx, s.Choice) {
					if _, err := fmt.Fprintln(p.Err, "warning: "+warning); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringArrayVar(&f.Rules, "rule", nil, "name or glob of the rules; repeatable")
	cmd.Flags().StringArrayVar(&f.Cameras, "camera", nil, "name or glob of the cameras; repeatable")
	cmd.Flags().StringArrayVar(&f.CameraTags, "tag", nil, "tag of the cameras; repeatable")
	cmd.Flags().StringVar(&f.alert, "alert", "", "id of an open alert: its rule is silenced on its camera, or on all if it counts cameras")
	cmd.Flags().BoolVar(&f.all, "all", false, "every rule on every camera")
	cmd.Flags().Var(length{&f.keep, "2h"}, "for", "how long, such as 30m, 2h or 7d")
	cmd.Flags().StringVar(&f.until, "until", "", "until when, such as 18:30 or '2026-12-01 08:00', in the time zone of this machine; in place of --for")
	cmd.Flags().StringVar(&f.note, "note", "", "why, for people")
	cmd.Flags().StringVar(&f.by, "by", whoami(), "who says so")
	return cmd
}

// silence is the one that the flags describe.
func (f *silenceFlags) silence(ctx context.Context, b *bus.Client, n topics.Names, now time.Time) (topics.Silence, error) {
	s := topics.Silence{ID: "new", Choice: f.Choice, At: now.UTC().Truncate(time.Millisecond), Note: f.note, By: f.by}
	if f.alert != "" {
		a, err := openAlert(ctx, b, n, f.alert)
		if err != nil {
			return s, err
		}
		of := topics.ChoiceOf(a)
		s.Rules, s.Cameras = append(s.Rules, of.Rules...), append(s.Cameras, of.Cameras...)
	}
	switch {
	case f.all && !s.IsZero():
		return s, errors.New("silence add: want --all, or what to silence, not both")
	case f.all:
		s.Cameras = []string{"*"}
	case s.IsZero():
		return s, errors.New("silence add: want --rule, --camera, --tag or --alert; --all silences everything")
	}
	var err error
	if s.Until, err = f.end(now); err != nil {
		return s, err
	}
	return s, s.Validate()
}

// untilForms are how a time of day may be written, in the time zone of this machine.
var untilForms = []string{time.DateTime, "2006-01-02 15:04", time.DateOnly, "15:04"}

func (f *silenceFlags) end(now time.Time) (time.Time, error) {
	if (f.until == "") == (f.keep == 0) {
		return now, errors.New("silence add: want --for or --until: a silence ends by itself")
	}
	if f.until == "" {
		return now.Add(f.keep).UTC().Truncate(time.Second), nil
	}
	for _, form := range untilForms {
		at, err := time.ParseInLocation(form, f.until, time.Local)
		if err != nil {
			continue
		}
		if form == "15:04" { // the next time that it is that late
			at = time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), 0, 0, time.Local)
			if !at.After(now) {
				at = at.AddDate(0, 0, 1)
			}
		}
		if !at.After(now) {
			return now, fmt.Errorf("silence add: --until %s is over", f.until)
		}
		return at.UTC(), nil
	}
	return now, fmt.Errorf("silence add: --until %q: want a time such as 18:30, '2026-12-01 08:00' or 2026-12-01", topics.Clean(f.until))
}

// openAlert finds an alert that is open by its id.
func openAlert(ctx context.Context, b *bus.Client, n topics.Names, id string) (topics.Alert, error) {
	all, err := alertlog.OpenAlerts(ctx, b, n)
	if err != nil {
		return topics.Alert{}, err
	}
	if a, is := all[id]; is {
		return a, nil
	}
	return topics.Alert{}, fmt.Errorf("no open alert has the id %q (frostwatch alerts ls --open)", topics.Clean(id))
}

func (p Program) silenceList(t *target) *cobra.Command {
	var asJSON, ended bool
	cmd := &cobra.Command{
		Use: "ls", Short: "List the silences that are in force", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.withBus(cmd.Context(), func(ctx context.Context, b *bus.Client, n topics.Names) error {
				all, _, err := notify.OpenSilences(b, n).List(ctx)
				if err != nil {
					return err
				}
				since := time.Now()
				if ended {
					since = time.Time{}
				}
				all = topics.ActiveSilences(all, since)
				if asJSON {
					return printJSON(p.Out, append([]topics.Silence{}, all...))
				}
				return writeSilences(p.Out, all)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: an array of objects")
	cmd.Flags().BoolVar(&ended, "ended", false, "also those that have ended")
	return cmd
}

func writeSilences(out io.Writer, all []topics.Silence) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "nothing is silenced")
		return err
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tWHAT\tUNTIL\tBY\tNOTE") // w writes to memory
	for _, s := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, topics.Clean(s.String()), s.Until.Local().Format(time.DateTime), dash(s.By), dash(s.Note))
	}
	_ = w.Flush()
	_, err := io.WriteString(out, b.String())
	return err
}

func (p Program) silenceRemove(t *target) *cobra.Command {
	return &cobra.Command{
		Use: "rm ID...", Short: "End silences now", Args: some,
		RunE: func(cmd *cobra.Command, ids []string) error {
			return t.withBus(cmd.Context(), func(ctx context.Context, b *bus.Client, n topics.Names) error {
				table, now := notify.OpenSilences(b, n), time.Now().UTC().Truncate(time.Millisecond)
				all, _, err := table.List(ctx)
				if err != nil {
					return err
				}
				var lift []topics.Silence
				for _, id := range ids {
					i := slices.IndexFunc(all, func(s topics.Silence) bool { return s.ID == id && now.Before(s.Until) })
					if i < 0 {
						return fmt.Errorf("silence %q: there is none in force; none was ended (frostwatch silence ls)", topics.Clean(id))
					}
					lift = append(lift, all[i])
				}
				for _, s := range lift {
					if err := table.Lift(ctx, s, now); err != nil {
						return err
					}
					if _, err := fmt.Fprintf(p.Out, "silence %s has ended\n", s.ID); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

// chosenByNothing are warnings that no rule or camera there is is among those chosen.
func (t *target) chosenByNothing(ctx context.Context, c topics.Choice) (warnings []string) {
	rules := &ruleTarget{target: *t}
	err := rules.with(ctx, func(ctx context.Context, d *ruleDesk) error {
		content, err := d.Store.Read(ctx)
		if err != nil {
			return err
		}
		around := d.Around(ctx)
		if around.Cameras == nil {
			return around.Unknown
		}
		stored := alerts.ParseStored(content)
		all, _ := alerts.Join(d.File, &stored)
		warnings = unmatched(c, all.Names(), around.Cameras)
		return nil
	})
	if err != nil {
		return []string{"not checked against rules and cameras: " + topics.Clean(err.Error())}
	}
	return warnings
}

// unmatched are those of the choice's globs and tags that no rule or camera fits. cameras
// are tags by name.
func unmatched(c topics.Choice, rules []string, cameras map[string][]string) (warnings []string) {
	some := func(globs, tags []string) bool {
		for name, its := range cameras {
			if topics.Chosen(name, its, globs, tags) {
				return true
			}
		}
		return false
	}
	for _, glob := range c.Rules {
		if !slices.ContainsFunc(rules, func(name string) bool { return topics.Chosen(name, nil, []string{glob}, nil) }) {
			warnings = append(warnings, fmt.Sprintf("there is no rule %s now", glob))
		}
	}
	for _, glob := range c.Cameras {
		if !some([]string{glob}, nil) {
			warnings = append(warnings, fmt.Sprintf("there is no camera %s now", glob))
		}
	}
	for _, tag := range c.CameraTags {
		if !some(nil, []string{tag}) {
			warnings = append(warnings, fmt.Sprintf("no camera has the tag %s now", tag))
		}
	}
	return warnings
}

package commands

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

// printNoAlerts says that the list is empty, and names a --camera or --rule that
// matches nothing.
func (p Program) printNoAlerts(ctx context.Context, t *target, past *pastAlerts, f alertlog.Filter) error {
	text := "no alerts"
	if f.Camera != "" {
		rows, err := past.Bus.Table(past.Names.Of(topics.Cameras)).List(ctx)
		if err != nil {
			return fmt.Errorf("read the cameras: %w", err)
		}
		if !anyMatches(f.Camera, slices.Collect(maps.Keys(rows))) {
			text += fmt.Sprintf(": no camera matches %q", f.Camera)
		}
	}
	if file := t.file(); f.Rule != "" && file != "" {
		// That the rules can't be read is no reason to hide that there are no alerts.
		if rules, err := p.rulesOf(ctx, t, file, true); err == nil && !anyMatches(f.Rule, rules.Names()) {
			text += fmt.Sprintf(": no rule matches %q", f.Rule)
		}
	}
	_, err := fmt.Fprintln(p.Out, text)
	return err
}

func anyMatches(glob string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return alertlog.Matches(glob, name) })
}

package commands

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/frostwatch/frostwatch/topics"
)

// printNoAlerts says that the list is empty, and names a --camera or --rule that
// matches nothing.
func (p Program) printNoAlerts(ctx context.Context, t *target, past *pastAlerts, f alertFilter) error {
	text := "no alerts"
	if f.camera != "" {
		rows, err := past.bus.Table(past.names.Of(topics.Cameras)).List(ctx)
		if err != nil {
			return fmt.Errorf("read the cameras: %w", err)
		}
		if !anyMatches(f.camera, slices.Collect(maps.Keys(rows))) {
			text += fmt.Sprintf(": no camera matches %q", f.camera)
		}
	}
	if file := t.file(); f.rule != "" && file != "" {
		// That the rules can't be read is no reason to hide that there are no alerts.
		if rules, err := p.rulesOf(ctx, t, file, true); err == nil && !anyMatches(f.rule, rules.Names()) {
			text += fmt.Sprintf(": no rule matches %q", f.rule)
		}
	}
	_, err := fmt.Fprintln(p.Out, text)
	return err
}

func anyMatches(glob string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return matches(glob, name) })
}

package commands

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// printNoAlerts says that the list is empty, and names a --camera or --rule that
// matches nothing. file is the configuration file; empty: not known.
func (p Program) printNoAlerts(ctx context.Context, file string, past *pastAlerts, f alertFilter) error {
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
	if f.rule != "" && file != "" {
		if names, err := ruleNames(file); err == nil && !anyMatches(f.rule, names) {
			text += fmt.Sprintf(": no rule of %s matches %q", file, f.rule)
		}
	}
	_, err := fmt.Fprintln(p.Out, text)
	return err
}

func anyMatches(glob string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return matches(glob, name) })
}

func ruleNames(file string) ([]string, error) {
	cfg, err := config.Load(file)
	if err != nil {
		return nil, err
	}
	rules, err := alerts.Compile(cfg.Rules)
	if err != nil {
		return nil, err
	}
	return rules.Names(), nil
}

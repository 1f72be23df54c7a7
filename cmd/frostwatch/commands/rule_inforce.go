package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

// writeRulesInForce waits until the workers that evaluate rules have those in Redis in
// force, and says which have. It returns whether all do, and there are any. Of what they
// skip the rules of these names are shown.
func (d *ruleDesk) writeRulesInForce(ctx context.Context, b *strings.Builder, names ...string) (bool, error) {
	content, err := d.store.Read(ctx)
	if err != nil {
		return false, err
	}
	force, err := awaitAll(ctx, 0, d.store.InForce, func(f alerts.InForce) bool { return f.Version != content.Version })
	if err != nil {
		return false, err
	}
	if len(force) == 0 {
		b.WriteString("not in force yet: no alerts worker has reported itself, perhaps none runs\n")
		return false, nil
	}
	var behind []string
	for _, f := range force {
		if f.Version != content.Version {
			behind = append(behind, fmt.Sprintf("%s, which has version %s", f.Worker, f.Version))
		}
	}
	fmt.Fprintf(b, "in force in %d of %s\n", len(force)-len(behind), counted(len(force), "alerts worker"))
	for _, text := range behind {
		fmt.Fprintf(b, "  not yet in %s\n", text)
	}
	if len(behind) > 0 {
		b.WriteString("  (a worker that was killed is counted for up to 45 seconds)\n")
	}
	skipped := false
	for _, f := range force {
		for _, name := range names {
			if why := f.Skipped[name]; why != "" && f.Version == content.Version {
				fmt.Fprintf(b, "  rule %s in %s: %s\n", topics.Clean(name), f.Worker, topics.Clean(why))
				skipped = true
			}
		}
	}
	return len(behind) == 0 && !skipped, nil
}

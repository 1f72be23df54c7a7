package ruledesk

import (
	"context"
	"fmt"
	"strings"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Force is who has a version of the stored rules in force. Its texts are cleaned.
type Force struct {
	Version string
	Workers []alerts.InForce
	Skipped []Skip // of the rules that were asked for
}

// Skip is a rule that a worker skips, and why.
type Skip struct{ Rule, Worker, Why string }

// AwaitForce waits until the workers that evaluate rules have those in Redis in force, for
// some seconds at most. Of what they skip the rules of these names are listed.
func (d *Desk) AwaitForce(ctx context.Context, names ...string) (f Force, err error) {
	content, err := d.Store.Read(ctx)
	if err != nil {
		return f, err
	}
	f.Version = content.Version
	f.Workers, err = vocab.Await(ctx, 0, d.Store.InForce, func(w alerts.InForce) bool { return w.Version != f.Version })
	for _, w := range f.Workers {
		for _, name := range names {
			if why := w.Skipped[name]; why != "" && w.Version == f.Version {
				f.Skipped = append(f.Skipped, Skip{topics.Clean(name), w.Worker, topics.Clean(why)})
			}
		}
	}
	return f, err
}

// Behind are the workers that have another version.
func (f Force) Behind() (behind []alerts.InForce) {
	for _, w := range f.Workers {
		if w.Version != f.Version {
			behind = append(behind, w)
		}
	}
	return behind
}

// Whole is whether all workers have everything in force, and there are any.
func (f Force) Whole() bool { return len(f.Workers) > 0 && len(f.Behind()) == 0 && len(f.Skipped) == 0 }

// Write says which workers have the rules in force, a line each.
func (f Force) Write(b *strings.Builder) {
	if len(f.Workers) == 0 {
		b.WriteString("not in force yet: no alerts worker has reported itself, perhaps none runs\n")
		return
	}
	behind, workers := f.Behind(), "alerts workers"
	if len(f.Workers) == 1 {
		workers = "alerts worker"
	}
	fmt.Fprintf(b, "in force in %d of %d %s\n", len(f.Workers)-len(behind), len(f.Workers), workers)
	for _, w := range behind {
		fmt.Fprintf(b, "  not yet in %s, which has version %s\n", w.Worker, w.Version)
	}
	if len(behind) > 0 {
		b.WriteString("  (a worker that was killed is counted for up to 45 seconds)\n")
	}
	for _, s := range f.Skipped {
		fmt.Fprintf(b, "  rule %s in %s: %s\n", s.Rule, s.Worker, s.Why)
	}
}

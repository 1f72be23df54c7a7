package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// replaced says what a changed label was before, and is now: an edit replaces all of it.
func replaced(c vocab.Change, before, after vocab.Vocabulary) string {
	if c.What != vocab.Changed {
		return ""
	}
	value := func(v vocab.Vocabulary) string {
		i := slices.IndexFunc(v.Labels, func(l vocab.Label) bool { return vocab.SameLabel(l.Name, c.Label) })
		if i < 0 {
			return ""
		}
		text, err := v.Labels[i].Value()
		if err != nil {
			return ""
		}
		return shownValue(&text)
	}
	return fmt.Sprintf(": %s -> %s", value(before), value(after))
}

// allRules are those of the configuration and those in Redis, as far as they can be read.
func allRules(ctx context.Context, c *redis.Client, cfg config.Config) []alerts.Rule {
	file, err := alerts.Compile(cfg.Rules)
	if err != nil {
		file, _ = alerts.NewRuleSet() // there is nothing in it to be wrong
	}
	stored, err := alerts.NewStore(c, cfg.Redis.Prefix).List(ctx)
	if err != nil {
		return file.Rules()
	}
	all, _ := alerts.Join(file, &stored)
	return all.Rules()
}

// writeNaming warns of rules that name labels which an edit has removed: they raise
// nothing for them any more on cameras of the vocabulary.
func (t *vocabTarget) writeNaming(ctx context.Context, b *strings.Builder, v vocab.Vocabulary, changes []vocab.Change) {
	const most = 10
	var gone []string
	for _, c := range changes {
		if c.What == vocab.Removed && !v.Has(c.Label) {
			gone = append(gone, c.Label)
		}
	}
	if len(gone) == 0 {
		return
	}
	n := 0
	for _, r := range t.rules(ctx) {
		named := slices.Clone(r.Actions)
		if r.Then != nil {
			named = append(named, r.Then.Actions...)
		}
		if r.Absent != nil {
			named = append(named, r.Absent.Actions...)
		}
		for _, label := range named {
			if !slices.ContainsFunc(gone, func(g string) bool { return vocab.SameLabel(g, label) }) {
				continue
			}
			if n++; n <= most {
				fmt.Fprintf(b, "warning: rule %s names %s, which the vocabulary %s no longer has\n", topics.Clean(r.Name), topics.Clean(fmt.Sprintf("%q", label)), topics.Clean(v.Name))
			}
		}
	}
	if n > most {
		fmt.Fprintf(b, "and %d more: see `frostwatch rule ls`\n", n-most)
	}
}

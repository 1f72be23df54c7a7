package ruledesk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Put stores a rule, if it goes together with all others, and says what that did.
func (d *Desk) Put(ctx context.Context, name, text string) (what string, err error) {
	rule, err := alerts.ParseRule(name, text)
	if err != nil {
		return "", err
	}
	content, err := d.Store.Read(ctx)
	if err != nil {
		return "", err
	}
	before, was := content.Entries[name]
	switch stored := d.parse(content); {
	case slices.Contains(d.File.Names(), name):
		return "", fmt.Errorf("the configuration file %s has a rule %q: edit it there, or choose another name", d.Path, name)
	case was && before == text:
		return "is as it was", nil
	default:
		stored.Rules = append(slices.DeleteFunc(slices.Clone(stored.Rules), func(r alerts.Rule) bool { return r.Name == name }), rule)
		_, skipped := alerts.Join(d.File, &stored)
		for _, s := range skipped {
			if s.Rule == name && s.Err != nil && !was {
				return "", s.Err
			}
		}
	}
	what = "added"
	if was {
		what = "changed"
	}
	return what, d.Store.Put(ctx, name, text)
}

// NotThere is the error that rules are not in Redis, and that nothing was removed.
func (d *Desk) NotThere(ctx context.Context, absent []string) error {
	var there []string
	// That the rules can't be read is no reason to hide the error.
	if content, err := d.Store.Read(ctx); err == nil {
		for name := range content.Entries {
			there = append(there, name)
		}
	}
	slices.Sort(there)
	texts := make([]string, len(absent))
	for i, name := range absent {
		texts[i] = fmt.Sprintf("%q", topics.Clean(name))
		if slices.Contains(d.File.Names(), name) {
			texts[i] += fmt.Sprintf(" (it is in %s: remove it there)", d.Path)
		} else if meant := vocab.Nearest(name, there); meant != "" {
			texts[i] += fmt.Sprintf(" (there is %q)", topics.Clean(meant))
		}
	}
	return fmt.Errorf("not among the rules in Redis, nothing is removed: %s", strings.Join(texts, ", "))
}

// VersionOf is the content of the rules at a version, which may be given by its first
// characters, and that version. An empty one is refused: emptying is another edit.
func VersionOf(past vocab.Past, version string) (entries map[string]string, full string, err error) {
	at, err := past.Version(version)
	if err != nil {
		return nil, "", err
	}
	if entries, err = past.After(at); err != nil {
		return nil, "", err
	}
	if len(entries) == 0 {
		return nil, "", fmt.Errorf("version %s has no rules: remove them one by one to empty the store on purpose", past.Edits[at].Version)
	}
	return entries, past.Edits[at].Version, nil
}

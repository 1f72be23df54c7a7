package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// watchTarget is what `watch` and its undoing need.
type watchTarget struct {
	ruleTarget
	rule ruleFlags
	tags []string // of the label
	name string   // of the rule; empty: made of the words
	undo string
	in   string // vocabulary; empty: those of the rule's cameras
}

func (p Program) watchCommand() *cobra.Command {
	t := &watchTarget{ruleTarget: ruleTarget{warn: p.Err}}
	cmd := &cobra.Command{
		Use: "watch WORDS", Short: "Raise alerts for what these words describe, from now on",
		Long: "Adds the words to the vocabulary of the cameras, and a rule in Redis that raises an alert for them. Said again with other\n" +
			"flags, it changes the rule.",
		Example: "  frostwatch watch 'person waving'\n  frostwatch watch 'person climbing over the fence' --camera 'yard-*' --false-alarms '1 per week'\n" +
			"  frostwatch watch --undo person-waving",
		Args: func(cmd *cobra.Command, args []string) error {
			if t.undo != "" {
				return none(cmd, args)
			}
			return exactly(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, d *ruleDesk) error {
				if t.undo != "" {
					return p.unwatch(ctx, d, t.undo)
				}
				return p.watch(ctx, t, d, args[0])
			})
		},
	}
	t.flags(cmd)
	t.rule.add(cmd)
	cmd.Flags().StringVar(&t.by, "by", whoEdits(), "who makes the edit, for the histories")
	cmd.Flags().Lookup("by").DefValue = "" // help would name the machine that it was made on
	cmd.Flags().StringArrayVar(&t.tags, "tag", nil, "tag of the label; repeatable")
	vocabularyFlag(cmd.Flags(), &t.in, "vocabulary to add the words to (default: those of the cameras)")
	cmd.Flags().StringVar(&t.name, "name", "", "name of the rule (default: made of the words and the cameras)")
	cmd.Flags().StringVar(&t.undo, "undo", "", "take a rule away again, and its label if it was added with it")
	t.note = watchNote
	return cmd
}

// watchNote is the note of edits by `watch` in the histories.
const watchNote = "watch"

func (p Program) watch(ctx context.Context, t *watchTarget, d *ruleDesk, words string) error {
	words = strings.Join(strings.Fields(words), " ")
	t.rule.Actions = []string{words}
	name := t.name
	if name == "" {
		name = ruledesk.NameOf(words, t.rule.Cameras)
	}
	// Both are checked before the first is stored.
	rule, err := alerts.ParseRuleFrom(sourceOfFlags, name, t.rule.Text())
	if err != nil {
		return err
	}
	around := d.Around(ctx)
	in := []string{t.in}
	if t.in == "" {
		in = around.VocabulariesOf(rule)
	}
	var b strings.Builder
	for i := range in {
		in[i] = cmp.Or(in[i], d.Config.Vocab.Name)
		if err := d.addLabel(ctx, &b, in[i], words, t.tags); err != nil {
			return err
		}
	}
	what, err := d.Put(ctx, name, t.rule.Text())
	if err != nil {
		return err
	}
	around = d.Around(ctx) // with the label
	fmt.Fprintf(&b, "rule %s %s: %s%s\n", name, what, ruledesk.WhenText(rule), ruledesk.CountText(rule))
	effect, err := d.Effect(ctx, name, around)
	if err != nil {
		return err
	}
	effect.Write(&b)
	b.WriteString(around.Note())
	if err := d.writeBothInForce(ctx, &b, name, in, raises(rule, around)); err != nil {
		return err
	}
	fmt.Fprintf(&b, "to take it back: frostwatch watch --undo %s%s\n", name, t.again())
	_, err = io.WriteString(p.Out, b.String())
	return err
}

// addLabel adds the words to a vocabulary, or the tags to the label that is there.
func (d *ruleDesk) addLabel(ctx context.Context, b *strings.Builder, name, words string, tags []string) error {
	v, err := d.Labels.List(ctx, name)
	if err != nil {
		return err
	}
	label, what := vocab.Label{Name: words}, "added"
	if i := slices.IndexFunc(v.Labels, func(l vocab.Label) bool { return vocab.SameLabel(l.Name, words) }); i >= 0 {
		label, what = v.Labels[i], "was there already"
	}
	had := len(label.Tags)
	for _, tag := range tags {
		if !slices.Contains(label.Tags, tag) {
			label.Tags = append(slices.Clone(label.Tags), tag)
		}
	}
	if what == "added" || len(label.Tags) > had {
		if err := d.Labels.Put(ctx, name, label); err != nil {
			return err
		}
	}
	fmt.Fprintf(b, "label %s%s %s\n", topics.Clean(fmt.Sprintf("%q", label.Name)), d.ofVocabulary(name), what)
	if what != "added" {
		return nil
	}
	v.Labels = append(v.Labels, label)
	// Not compared with other labels: who watches for words means these.
	apart := func(string, string) (float64, bool) { return 0, true }
	return adviseOn(ctx, b, d.Labels, v, []vocab.Change{{What: vocab.Added, Label: label.Name}}, apart)
}

// raises says what raises an alert of a rule; empty: it watches no camera.
func raises(r alerts.Rule, around ruledesk.Around) string {
	watches := around.Cameras == nil // not known
	for name, tags := range around.Cameras {
		watches = watches || r.Watches(name, tags)
	}
	switch {
	case !watches:
		return ""
	case r.Count != nil:
		return fmt.Sprintf("%d cameras that show it within %v raise an alert", r.Count.Cameras, r.Count.Within)
	}
	return "a clip that shows it raises an alert"
}

// ofVocabulary names a vocabulary that is not the default one.
func (d *ruleDesk) ofVocabulary(name string) string {
	if name == d.Config.Vocab.Name {
		return ""
	}
	return " of the vocabulary " + name
}

// writeBothInForce says whether the rule and the words are in force; where both are, in one
// line.
func (d *ruleDesk) writeBothInForce(ctx context.Context, b *strings.Builder, rule string, vocabularies []string, raises string) error {
	var rules, words strings.Builder
	ruled, err := d.writeRulesInForce(ctx, &rules, rule)
	if err != nil {
		return err
	}
	all, err := d.writeReady(ctx, &words, vocabularies, ruled, raises)
	if err != nil {
		return err
	}
	if !all {
		b.WriteString(rules.String())
	}
	b.WriteString(words.String())
	return nil
}

// writeReady waits until infer has embedded the words in each of the vocabularies, and
// says from when on they are watched for, if the rule is in force as well, and what raises
// an alert; empty: nothing does.
func (d *ruleDesk) writeReady(ctx context.Context, b *strings.Builder, names []string, all bool, raises string) (bool, error) {
	for _, name := range names {
		v, err := d.Labels.List(ctx, name)
		if err != nil {
			return false, err
		}
		force, err := awaitForce(ctx, d.Labels, v)
		if err != nil {
			return false, err
		}
		if len(force) == 0 || slices.ContainsFunc(force, func(f vocab.InForce) bool { return f.Version != v.Version }) {
			fmt.Fprintf(b, "not in force yet%s:\n", d.ofVocabulary(name))
			writeInForce(b, v, d.Config.Vocab.Name, force)
			all = false
		}
	}
	if !all {
		return false, nil
	}
	if raises == "" {
		b.WriteString("in force, and raises nothing until there is a camera that it watches\n")
		return true, nil
	}
	fmt.Fprintf(b, "in force: %s from now on; a clip lasts %v\n", raises, d.Config.Framer.Window.Round(10*time.Millisecond))
	return true, nil
}

// unwatch removes a rule, and those of its labels that `watch` added and no other
// rule names.
func (p Program) unwatch(ctx context.Context, d *ruleDesk, name string) error {
	stored, err := d.Store.List(ctx)
	if err != nil {
		return err
	}
	var labels []string
	if i := slices.IndexFunc(stored.Rules, func(r alerts.Rule) bool { return r.Name == name }); i >= 0 {
		labels = stored.Rules[i].Actions
	}
	absent, err := d.Store.Remove(ctx, name)
	if err != nil {
		return err
	}
	if len(absent) > 0 {
		return errors.Join(d.NotThere(ctx, absent), watchedBy(stored.Rules, name))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "rule %s removed\n", topics.Clean(name))
	in := d.Around(ctx).Names()
	for _, label := range labels {
		if err := d.dropLabel(ctx, &b, in, label); err != nil {
			return err
		}
	}
	if _, err := d.writeRulesInForce(ctx, &b); err != nil {
		return err
	}
	_, err = io.WriteString(p.Out, b.String())
	return err
}

// watchedBy names the rules that watch for words that were given in place of a rule's
// name; nil: none does.
func watchedBy(rules []alerts.Rule, words string) error {
	var names []string
	for _, r := range rules {
		if slices.ContainsFunc(r.Actions, func(a string) bool { return vocab.SameLabel(a, words) }) {
			names = append(names, topics.Clean(r.Name))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("want the name of a rule: these watch for it: %s", strings.Join(names, ", "))
}

// dropLabel removes a label from the vocabularies to which `watch` added it, if no rule
// names it.
func (d *ruleDesk) dropLabel(ctx context.Context, b *strings.Builder, in []string, label string) error {
	shown := topics.Clean(fmt.Sprintf("%q", label))
	if !d.known {
		fmt.Fprintf(b, "label %s stays: a rule of the configuration file may name it\n", shown)
		return nil
	}
	stored, err := d.Store.List(ctx)
	if err != nil {
		return err
	}
	all, _ := alerts.Join(d.File, &stored)
	for _, r := range all.Rules() {
		if slices.ContainsFunc(r.Actions, func(a string) bool { return vocab.SameLabel(a, label) }) {
			fmt.Fprintf(b, "label %s stays: rule %s names it\n", shown, r.Name)
			return nil
		}
	}
	added := false
	for _, name := range in {
		past, err := d.Labels.Past(ctx, name)
		if err != nil {
			return err
		}
		if !addedByWatch(past, label) {
			continue
		}
		added = true
		absent, err := d.Labels.Remove(ctx, name, label)
		switch {
		case errors.Is(err, vocab.ErrLast):
			fmt.Fprintf(b, "label %s%s stays: it is the only one\n", shown, d.ofVocabulary(name))
		case err != nil:
			return err
		case len(absent) == 0:
			fmt.Fprintf(b, "label %s%s removed\n", shown, d.ofVocabulary(name))
		}
	}
	if !added && d.anyHas(ctx, in, label) {
		fmt.Fprintf(b, "label %s stays: it was not added by `frostwatch watch`; `frostwatch vocab rm` removes it\n", shown)
	}
	return nil
}

// anyHas is whether one of the vocabularies has a label.
func (d *ruleDesk) anyHas(ctx context.Context, in []string, label string) bool {
	return slices.ContainsFunc(in, func(name string) bool {
		v, err := d.Labels.List(ctx, name)
		return err == nil && slices.ContainsFunc(v.Labels, func(l vocab.Label) bool { return vocab.SameLabel(l.Name, label) })
	})
}

// addedByWatch is whether the last edit of a label added it, and was made by `watch`.
func addedByWatch(past vocab.Past, label string) bool {
	for _, e := range slices.Backward(past.Edits) {
		for _, c := range e.Changes {
			if vocab.SameLabel(c.Label, label) {
				return e.Note == watchNote && c.Before == nil
			}
		}
	}
	return false
}

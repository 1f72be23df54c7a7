package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

// ruleFlags are the properties of a rule that have a flag.
type ruleFlags struct {
	actions, tags, cameras []string
	contrast, score        float64
	falseAlarms, clips     string
	count                  string
	zones                  []string
	cooldown               time.Duration
	severity               string
	notify                 []string
	verify                 string
}

func (f *ruleFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.cameras, "camera", nil, "pattern of cameras, such as 'ward-*'; repeatable (default: every camera)")
	cmd.Flags().Float64Var(&f.contrast, "contrast", 0, "contrast to raise at, 0 to 1")
	cmd.Flags().Float64Var(&f.score, "score", 0, "score to raise at, 0 to 1, in place of contrast")
	cmd.Flags().StringVar(&f.falseAlarms, "false-alarms", "", "how many false alarms a camera may raise, such as '1 per week', in place of a threshold")
	cmd.Flags().StringVar(&f.clips, "clips", "", "how many of the last clips must reach it, such as '2 of 3' (default 1 of 1)")
	cmd.Flags().StringVar(&f.count, "count", "", "how many cameras have to see it within a time, such as '3 cameras within 30s' (default: each camera raises alerts of its own)")
	cmd.Flags().StringArrayVar(&f.zones, "zone", nil, "zone of its cameras, outside of which nothing counts (camera set --zone); repeatable (default: the whole picture)")
	cmd.Flags().Var(length{&f.cooldown, "2m"}, "cooldown", "how long no new alert is raised on a camera after a clear")
	cmd.Flags().StringVar(&f.severity, "severity", "", "info, warning or critical (default warning)")
	cmd.Flags().StringArrayVar(&f.notify, "notify", nil, "name of a receiver that alone gets its alerts; repeatable (default: every receiver)")
	cmd.Flags().StringVar(&f.verify, "verify", "", "what a second opinion is asked about its alerts, such as 'Is a person lying on the floor?' (default: by notify.verify)")
}

// text is the rule as it is written in Redis.
func (f *ruleFlags) text() string {
	var b strings.Builder
	list := func(key string, of []string) {
		if len(of) > 0 {
			texts := make([]string, len(of))
			for i, t := range of {
				texts[i] = fmt.Sprintf("%q", t)
			}
			fmt.Fprintf(&b, "%s: [%s]\n", key, strings.Join(texts, ", "))
		}
	}
	list("actions", f.actions)
	list("tags", f.tags)
	list("cameras", f.cameras)
	list("zone", f.zones)
	list("notify", f.notify)
	for key, raise := range map[string]float64{"contrast": f.contrast, "score": f.score} {
		if raise != 0 {
			fmt.Fprintf(&b, "%s: {raise: %v}\n", key, raise)
		}
	}
	for _, kv := range [][2]string{{"false_alarms", f.falseAlarms}, {"clips", f.clips}, {"count", f.count}, {"severity", f.severity}, {"verify", f.verify}} {
		if kv[1] != "" {
			fmt.Fprintf(&b, "%s: %q\n", kv[0], kv[1])
		}
	}
	if f.cooldown != 0 {
		fmt.Fprintf(&b, "cooldown: %v\n", f.cooldown)
	}
	return b.String()
}

func (p Program) ruleAdd(t *ruleTarget) *cobra.Command {
	var flags ruleFlags
	var file string
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Add a rule in Redis, or replace the one of that name", Args: exactly(1),
		Long: "Adds a rule in Redis, made of flags, or of a file with the keys of a rule as in the configuration file,\nwithout name. What can't take effect, such as a label that the vocabulary does not have, is named at once.",
		Example: "  frostwatch rule add wave --action 'person waving' --camera 'yard-*' --clips '2 of 3'\n" +
			"  frostwatch rule add wave -f wave.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			text := flags.text()
			if file != "" {
				if text != "" {
					return errors.New("rule add: want flags of the rule, or --file with all of it")
				}
				raw, err := readRuleFile(cmd.InOrStdin(), file)
				if err != nil {
					return fmt.Errorf("read the rule: %w", err)
				}
				text = string(raw)
			}
			source := map[string]string{"": sourceOfFlags, "-": "standard input"}
			if _, err := alerts.ParseRuleFrom(cmp.Or(source[file], file), args[0], text); err != nil {
				return err
			}
			return t.with(cmd.Context(), func(ctx context.Context, d *ruleDesk) error {
				return p.putRule(ctx, d, args[0], text)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringArrayVar(&flags.actions, "action", nil, "label of the vocabulary to raise an alert for; repeatable")
	cmd.Flags().StringArrayVar(&flags.tags, "tag", nil, "tag of such labels, in place of --action; repeatable")
	cmd.Flags().StringVarP(&file, "file", "f", "", "file with the rule in YAML or JSON, or - for standard input")
	return cmd
}

// sourceOfFlags is the name of the text that flags make: nobody has seen its lines.
const sourceOfFlags = ""

// maxRuleFile bounds a file with a rule, in bytes; a rule is refused far below it.
const maxRuleFile = 1 << 20

// readRuleFile reads a file, or in for -.
func readRuleFile(in io.Reader, name string) ([]byte, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, maxRuleFile))
}

// putRule checks a rule with all others, stores it, and prints what that does.
func (p Program) putRule(ctx context.Context, d *ruleDesk, name, text string) error {
	what, err := d.put(ctx, name, text)
	if err != nil {
		return err
	}
	around := d.surroundings(ctx)
	var b strings.Builder
	fmt.Fprintf(&b, "rule %s %s\n", name, what)
	if err := d.writeEffect(ctx, &b, name, around); err != nil {
		return err
	}
	b.WriteString(around.note())
	if _, err := d.writeRulesInForce(ctx, &b, name); err != nil {
		return err
	}
	_, err = io.WriteString(p.Out, b.String())
	return err
}

// put stores a rule, if it goes together with all others, and says what that did.
func (d *ruleDesk) put(ctx context.Context, name, text string) (what string, err error) {
	rule, err := alerts.ParseRule(name, text)
	if err != nil {
		return "", err
	}
	content, err := d.store.Read(ctx)
	if err != nil {
		return "", err
	}
	before, was := content.Entries[name]
	switch stored := alerts.ParseStored(content); {
	case slices.Contains(d.file.Names(), name):
		return "", fmt.Errorf("the configuration file %s has a rule %q: edit it there, or choose another name", d.path, name)
	case was && before == text:
		return "is as it was", nil
	default:
		stored.Rules = append(slices.DeleteFunc(stored.Rules, func(r alerts.Rule) bool { return r.Name == name }), rule)
		_, skipped := alerts.Join(d.file, &stored)
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
	return what, d.store.Put(ctx, name, text)
}

// writeEffect writes which cameras a rule watches, and what keeps it from taking full
// effect.
func (d *ruleDesk) writeEffect(ctx context.Context, b *strings.Builder, name string, around surroundings) error {
	stored, err := d.store.List(ctx)
	if err != nil {
		return err
	}
	all, _ := alerts.Join(d.file, &stored)
	i := slices.Index(all.Names(), name)
	if i < 0 {
		return nil
	}
	if around.Cameras != nil {
		fmt.Fprintf(b, "  %s\n", watchedText(all.Rules()[i], around.Cameras))
	}
	idle := all.WithoutEffect(around.Surroundings)
	if err := idle[name]; err != nil {
		fmt.Fprintf(b, "  without full effect: %s%s\n", topics.Clean(err.Error()), meantLabels(all.Rules()[i], around))
	}
	stored.Rules = slices.DeleteFunc(stored.Rules, func(r alerts.Rule) bool { return r.Name == name })
	others, _ := alerts.Join(d.file, &stored)
	before := others.WithoutEffect(around.Surroundings)
	for _, other := range others.Names() { // of two that watch for the same, only one is warned of
		if err, was := idle[other], before[other]; err != nil && (was == nil || was.Error() != err.Error()) {
			fmt.Fprintf(b, "  rule %s is now without full effect: %s\n", topics.Clean(other), topics.Clean(err.Error()))
		}
	}
	return nil
}

// meantLabels names the labels that may have been meant by those that the vocabularies
// of the rule's cameras do not have.
func meantLabels(r alerts.Rule, around surroundings) string {
	var there []string
	for _, name := range around.VocabulariesOf(r) {
		if v := around.words(name); v != nil {
			for _, l := range v.Labels {
				there = append(there, l.Name)
			}
		}
	}
	var out strings.Builder
	for _, action := range r.Actions {
		if meant := nearest(action, there); meant != "" && !strings.EqualFold(meant, action) {
			fmt.Fprintf(&out, " (there is %s)", topics.Clean(fmt.Sprintf("%q", meant)))
		}
	}
	return out.String()
}

// watchedText says which cameras a rule watches.
func watchedText(r alerts.Rule, cameras map[string][]string) string {
	const most = 10
	var names []string
	for name, tags := range cameras {
		if r.Watches(name, tags) {
			names = append(names, topics.Clean(name))
		}
	}
	slices.Sort(names)
	switch {
	case len(cameras) == 0:
		return "there are no cameras yet"
	case len(names) == 0:
		return "watches no camera"
	case len(names) == len(cameras) && len(names) > 1:
		return fmt.Sprintf("watches all %d cameras", len(names))
	}
	text := strings.Join(names[:min(most, len(names))], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("watches %d of %d cameras: %s", len(names), len(cameras), text)
}

func (p Program) ruleRemove(t *ruleTarget) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "rm NAME...", Short: "Remove rules in Redis, or all of them with --all",
		Args: func(_ *cobra.Command, names []string) error {
			if all == (len(names) > 0) {
				return errors.New("rule rm: want names of rules, or --all without names")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, names []string) error {
			return t.with(cmd.Context(), func(ctx context.Context, d *ruleDesk) error {
				if all {
					if err := d.store.Clear(ctx); err != nil {
						return err
					}
					return p.saidInForce(ctx, d, fmt.Sprintf("all rules in Redis are removed; %s of the configuration file stay\n", counted(len(d.file.Names()), "rule")))
				}
				absent, err := d.store.Remove(ctx, names...)
				if err != nil {
					return err
				}
				if len(absent) > 0 {
					return d.notThere(ctx, absent)
				}
				return p.saidInForce(ctx, d, fmt.Sprintf("removed: %s\n", topics.Clean(strings.Join(names, ", "))))
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "remove every rule in Redis")
	return cmd
}

// saidInForce prints what an edit did, and where that is in force.
func (p Program) saidInForce(ctx context.Context, d *ruleDesk, what string) error {
	var b strings.Builder
	b.WriteString(what)
	if _, err := d.writeRulesInForce(ctx, &b); err != nil {
		return err
	}
	_, err := io.WriteString(p.Out, b.String())
	return err
}

// notThere is the error that rules are not in Redis, and that nothing was removed.
func (d *ruleDesk) notThere(ctx context.Context, absent []string) error {
	var there []string
	// That the rules can't be read is no reason to hide the error.
	if content, err := d.store.Read(ctx); err == nil {
		for name := range content.Entries {
			there = append(there, name)
		}
	}
	slices.Sort(there)
	texts := make([]string, len(absent))
	for i, name := range absent {
		texts[i] = fmt.Sprintf("%q", topics.Clean(name))
		if slices.Contains(d.file.Names(), name) {
			texts[i] += fmt.Sprintf(" (it is in %s: remove it there)", d.path)
		} else if meant := nearest(name, there); meant != "" {
			texts[i] += fmt.Sprintf(" (there is %q)", topics.Clean(meant))
		}
	}
	return fmt.Errorf("not among the rules in Redis, nothing is removed: %s", strings.Join(texts, ", "))
}

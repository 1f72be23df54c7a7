package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/topics"
)

// ruleFlags are the properties of a rule that have a flag.
type ruleFlags struct{ ruledesk.Fields }

func (f *ruleFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.Cameras, "camera", nil, "pattern of cameras, such as 'ward-*'; repeatable (default: every camera)")
	cmd.Flags().Float64Var(&f.Contrast, "contrast", 0, "contrast to raise at, 0 to 1")
	cmd.Flags().Float64Var(&f.Score, "score", 0, "score to raise at, 0 to 1, in place of contrast")
	cmd.Flags().StringVar(&f.FalseAlarms, "false-alarms", "", "how many false alarms a camera may raise, such as '1 per week', in place of a threshold")
	cmd.Flags().StringVar(&f.Clips, "clips", "", "how many of the last clips must reach it, such as '2 of 3' (default 1 of 1)")
	cmd.Flags().StringVar(&f.Count, "count", "", "how many cameras have to see it within a time, such as '3 cameras within 30s' (default: each camera raises alerts of its own)")
	cmd.Flags().StringArrayVar(&f.Zones, "zone", nil, "zone of its cameras, outside of which nothing counts (camera set --zone); repeatable (default: the whole picture)")
	cmd.Flags().Var(length{&f.Cooldown, "2m"}, "cooldown", "how long no new alert is raised on a camera after a clear")
	cmd.Flags().StringVar(&f.Severity, "severity", "", "info, warning or critical (default warning)")
	cmd.Flags().StringArrayVar(&f.Notify, "notify", nil, "name of a receiver that alone gets its alerts; repeatable (default: every receiver)")
	cmd.Flags().StringVar(&f.Verify, "verify", "", "what a second opinion is asked about its alerts, such as 'Is a person lying on the floor?' (default: by notify.verify)")
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
			text := flags.Text()
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
	cmd.Flags().StringArrayVar(&flags.Actions, "action", nil, "label of the vocabulary to raise an alert for; repeatable")
	cmd.Flags().StringArrayVar(&flags.Tags, "tag", nil, "tag of such labels, in place of --action; repeatable")
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
	what, err := d.Put(ctx, name, text)
	if err != nil {
		return err
	}
	around := d.Around(ctx)
	var b strings.Builder
	fmt.Fprintf(&b, "rule %s %s\n", name, what)
	effect, err := d.Effect(ctx, name, around)
	if err != nil {
		return err
	}
	effect.Write(&b)
	b.WriteString(around.Note())
	if _, err := d.writeRulesInForce(ctx, &b, name); err != nil {
		return err
	}
	_, err = io.WriteString(p.Out, b.String())
	return err
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
					if err := d.Store.Clear(ctx); err != nil {
						return err
					}
					return p.saidInForce(ctx, d, fmt.Sprintf("all rules in Redis are removed; %s of the configuration file stay\n", counted(len(d.File.Names()), "rule")))
				}
				absent, err := d.Store.Remove(ctx, names...)
				if err != nil {
					return err
				}
				if len(absent) > 0 {
					return d.NotThere(ctx, absent)
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

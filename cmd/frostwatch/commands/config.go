package commands

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "Check a configuration, and show what is in force and where it comes from",
		Long: "Checks and shows configurations. Nothing has to run for it. FILE is that of --config of the stages;\n" +
			"without it, that of the `frostwatch up` whose data directory is --data.",
	}
	cmd.AddCommand(p.configCheck(), p.configShow(), p.configDiff())
	return cmd
}

// configFile is the file that a command is about: the argument, or that of `up`.
func configFile(args []string, data string) (config.File, error) {
	path := up.ConfigOf(data)
	if len(args) > 0 {
		path = args[0]
	}
	if path == "" {
		return config.File{}, fmt.Errorf("no configuration file here (looked in %s): name one, or --data", data)
	}
	return config.Open(path)
}

func (p Program) configCheck() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use: "check [FILE]", Short: "Say whether a configuration is right, and what in it can't take effect", Args: most(1),
		Long: "Reads the file as a stage does and says what is in it. Each mistake is named with its line; what can never\n" +
			"take effect, such as a rule for cameras that the file does not have, is a warning. Labels of rules are not\n" +
			"checked, since the vocabulary is in Redis: `frostwatch doctor` does.",
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := configFile(args, data)
			if err != nil {
				return err
			}
			r, err := process.CheckFile(f)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(p.Out, checkedText(f, r))
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", up.DefaultData, "data directory of a frostwatch up, whose file is meant when none is named")
	return cmd
}

// checkedText is what a checked file holds.
func checkedText(f config.File, r process.Checked) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is right: %s, %s, %s\n", f.Path,
		counted(len(f.Config.Cameras), "camera"), counted(r.Rules, "rule"), counted(r.Receivers, "receiver"))
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", topics.Clean(f.Said(w)))
	}
	return b.String()
}

func (p Program) configShow() *cobra.Command {
	var data string
	var set, asJSON bool
	cmd := &cobra.Command{
		Use: "show [FILE]", Short: "Show each key with its value and where that comes from", Args: most(1),
		Long: "Shows each key with its value, secrets hidden, and where that comes from: the file's line, the environment, or\n" +
			"the default. Without FILE it shows what is in force in the running `frostwatch up`, with what that has chosen\n" +
			"by itself or by its flags, and which edits wait for its next start. A mistake in the file is named as by `check`.",
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := configFile(args, data)
			if err != nil {
				if all := startedWith(args, data); all != nil {
					err = errors.Join(p.printSettings(all, set, asJSON), err)
				}
				return err
			}
			all := f.Settings()
			if len(args) == 0 {
				if all, err = inForce(f, data); err != nil {
					return err
				}
			}
			// A mistake in a rule, a receiver or a camera is found by their parts alone.
			_, err = process.CheckFile(f)
			return errors.Join(p.printSettings(all, set, asJSON), err)
		},
	}
	cmd.Flags().StringVar(&data, "data", up.DefaultData, "data directory of a frostwatch up, whose file is meant when none is named")
	cmd.Flags().BoolVar(&set, "set", false, "only keys that the file or frostwatch up sets")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// inForce are the settings of the `up` of a data directory, or where none runs those that its
// file has.
func inForce(f config.File, data string) ([]config.Setting, error) {
	e, err := up.ReadEndpoints(data)
	if errors.Is(err, os.ErrNotExist) || err == nil && !e.Runs() {
		return f.Settings(), nil
	}
	if len(e.Settings) == 0 { // of a version before
		return f.Settings(), err
	}
	return up.WithTaken(e.InForce(f), data), err
}

// startedWith are the settings with which the `up` that runs has started, for when its file
// has a mistake; nil: they are not asked for, or none runs.
func startedWith(args []string, data string) []config.Setting {
	if len(args) > 0 {
		return nil
	}
	e, err := up.ReadEndpoints(data)
	if err != nil || !e.Runs() {
		return nil
	}
	all := e.Settings
	for i, s := range all {
		if slices.Contains(e.Live, s.Key) && s.From != config.FromUp {
			all[i].From += ", as it was at the start: what was edited since then can't be read while the file has a mistake"
		}
	}
	return up.WithTaken(all, data)
}

func (p Program) printSettings(all []config.Setting, set, asJSON bool) error {
	shown := []config.Setting{}
	for _, s := range all {
		if !set || s.From != config.FromDefault {
			shown = append(shown, s)
		}
	}
	if asJSON {
		e := json.NewEncoder(p.Out)
		e.SetIndent("", "  ")
		return e.Encode(shown)
	}
	if len(shown) == 0 {
		_, err := fmt.Fprintln(p.Out, "every key has its default")
		return err
	}
	w := tabwriter.NewWriter(p.Out, 0, 8, 2, ' ', 0)
	for _, s := range shown {
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\n", s.Key, topics.Clean(s.Value), topics.Clean(s.From)); err != nil {
			return err
		}
	}
	return w.Flush()
}

func (p Program) configDiff() *cobra.Command {
	return &cobra.Command{
		Use: "diff FILE [OTHER]", Short: "Show how a configuration differs from another, or from the defaults", Args: cobra.MatchAll(some, most(2)),
		Long: "Shows the keys whose values differ in the second file, secrets hidden; with one file, those that are not at their\ndefaults.",
		RunE: func(_ *cobra.Command, args []string) error {
			before := config.Default()
			after, err := config.Load(args[0])
			if err != nil {
				return err
			}
			if len(args) == 2 {
				before = after
				if after, err = config.Load(args[1]); err != nil {
					return err
				}
			}
			return p.printChanges(config.Diff(before, after))
		},
	}
}

func (p Program) printChanges(changes []config.Change) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintln(p.Out, "no key differs")
		return err
	}
	for _, c := range changes {
		line := c.String()
		if line == c.Key { // a secret, or too long to show
			line += ": differs"
		}
		if _, err := fmt.Fprintln(p.Out, topics.Clean(line)); err != nil {
			return err
		}
	}
	return nil
}

package commands

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/notify"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) profileCommand() *cobra.Command {
	t := &target{}
	cmd := &cobra.Command{
		Use: "profile", Short: "Switch between states such as home, away and night",
		Long: "Puts one of notify.profiles of the configuration in force: alerts that it disarms are not delivered to receivers.\nThey are raised, listed and recorded all the same (docs/notify.md).",
	}
	t.flags(cmd)
	cmd.AddCommand(p.profileList(t), p.profileSet(t), p.profileClear(t))
	return cmd
}

func (t *target) withProfiles(ctx context.Context, do func(context.Context, []config.Profile, notify.SilenceTable) error) error {
	cfg, err := t.load()
	if err != nil {
		return err
	}
	return t.withBus(ctx, func(ctx context.Context, b *bus.Client, n topics.Names) error {
		return do(ctx, cfg.Notify.Profiles, notify.OpenSilences(b, n))
	})
}

func (p Program) profileSet(t *target) *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Put a profile in force", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.withProfiles(cmd.Context(), func(ctx context.Context, all []config.Profile, table notify.SilenceTable) error {
				i := slices.IndexFunc(all, func(p config.Profile) bool { return p.Name == args[0] })
				if i < 0 {
					return fmt.Errorf("profile %q: notify.profiles has %s", topics.Clean(args[0]), namesOf(all))
				}
				if err := table.SetProfile(ctx, args[0], by, thisMoment()); err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.Out, "the profile %s is in force: %s\n", args[0], disarms(all[i]))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", whoami(), "who says so")
	return cmd
}

func (p Program) profileClear(t *target) *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use: "clear", Short: "Put no profile in force: everything is delivered", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.withProfiles(cmd.Context(), func(ctx context.Context, _ []config.Profile, table notify.SilenceTable) error {
				if err := table.SetProfile(ctx, "", by, thisMoment()); err != nil {
					return err
				}
				_, err := fmt.Fprintln(p.Out, "no profile is in force: nothing is disarmed")
				return err
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", whoami(), "who says so")
	return cmd
}

// thisMoment is the time as precisely as Kafka has times.
func thisMoment() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func (p Program) profileList(t *target) *cobra.Command {
	return &cobra.Command{
		Use: "ls", Short: "List the profiles, and which is in force", Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.withProfiles(cmd.Context(), func(ctx context.Context, all []config.Profile, table notify.SilenceTable) error {
				_, inForce, err := table.List(ctx)
				if err != nil {
					return err
				}
				return writeProfiles(p.Out, all, inForce)
			})
		},
	}
}

func writeProfiles(out io.Writer, all []config.Profile, inForce topics.Profile) error {
	if !slices.ContainsFunc(all, func(p config.Profile) bool { return p.Name == inForce.Name }) && inForce.Name != "" {
		_, err := fmt.Fprintf(out, "the profile %s is in force, and disarms nothing: notify.profiles has %s\n", inForce.Name, namesOf(all))
		if err != nil {
			return err
		}
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "there are no profiles: notify.profiles of the configuration has none")
		return err
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "PROFILE\tIN FORCE SINCE\tWHAT IT DOES") // w writes to memory
	for _, p := range all {
		since := "-"
		if p.Name == inForce.Name {
			since = inForce.At.Local().Format(time.DateTime)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, since, topics.Clean(disarms(p)))
	}
	_ = w.Flush()
	_, err := io.WriteString(out, b.String())
	return err
}

// disarms says in words what a profile does.
func disarms(p config.Profile) string {
	if len(p.Disarm) == 0 {
		return "everything is delivered"
	}
	var parts []string
	for _, c := range p.Disarm {
		parts = append(parts, c.String())
	}
	return "not delivered: " + strings.Join(parts, "; ")
}

func namesOf(all []config.Profile) string {
	if len(all) == 0 {
		return "no profiles"
	}
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

package commands

import (
	"context"
	"fmt"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) alertsMark() *cobra.Command {
	t := &target{}
	var note, by string
	cmd := &cobra.Command{
		Use: "mark ID true|false", Short: "Record whether an alert was true", Args: exactly(2),
		Long: "What was marked as true is no false alarm, and is left out where thresholds are found for budgets;\n" +
			"after 20 marks of a label its alerts have a probability (docs/trust.md). A later mark replaces an earlier one.",
		Example: "  frostwatch alerts mark fall/lobby-1764345600000-12095 false --note 'somebody tied a shoe'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[1] != "true" && args[1] != "false" {
				return fmt.Errorf("mark an alert: %q: want true or false", topics.Clean(args[1]))
			}
			return t.withPast(cmd.Context(), p.Err, func(ctx context.Context, past *pastAlerts) error {
				v, err := past.find(ctx, args[0])
				if err != nil {
					return err
				}
				m := v.NewMark(args[1] == "true", time.Now().UTC())
				m.Note, m.By = note, by
				if err := past.putMark(ctx, m); err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.Out, "%s is marked as %s\n", topics.Clean(v.ID), args[1])
				return err
			})
		},
	}
	t.flags(cmd)
	cmd.Flags().StringVar(&note, "note", "", "why, for people")
	cmd.Flags().StringVar(&by, "by", whoami(), "who says so")
	return cmd
}

// whoami is the name of the user who runs the command; empty where it is not known.
func whoami() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return topics.Clean(u.Username)
}

// markText is what a person said of the alert, in words.
func markText(v alertlog.View) string {
	if v.Mark == nil {
		return ""
	}
	text := fmt.Sprintf("%v, %s", v.Mark.True, v.Mark.At.Local().Format(time.DateTime))
	if v.Mark.By != "" {
		text += ", by " + v.Mark.By
	}
	if v.Mark.Note != "" {
		text += ": " + v.Mark.Note
	}
	return text
}

// judged adds what people said of an alert, and of others of its label.
func (p *pastAlerts) judged(ctx context.Context, v alertlog.View) (alertlog.View, error) {
	said, err := p.Marks(ctx)
	if err != nil {
		return v, err
	}
	if m, is := said[v.ID]; is {
		v.Mark = &m
	}
	v.Probability = calibrate.Probability(said, v.Alert)
	return v, nil
}

// putMark writes a mark to the partition of its camera.
func (p *pastAlerts) putMark(ctx context.Context, m topics.Mark) error {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	_, err := p.PutMarks(ctx, m)
	return err
}

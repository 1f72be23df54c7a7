package commands

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/notify"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) notifyCommand() *cobra.Command {
	cmd := p.stageCommand("notify", "Deliver alerts to people and programs", func(pr *process.Process) ([]process.Part, error) {
		return pr.Notify()
	})
	cmd.Long = "Without a subcommand, runs the stage that delivers alerts to the receivers of the configuration (docs/notify.md).\n" +
		"`frostwatch up` runs it by itself."
	cmd.AddCommand(p.notifyTest(), p.notifyRelay())
	return cmd
}

func (p Program) notifyTest() *cobra.Command {
	t := &target{}
	cmd := &cobra.Command{
		Use: "test RECEIVER", Short: "Send a receiver a notification that says that it is a test", Args: exactly(1),
		Long:    "Delivers it from here, without Kafka, once, and reports what the receiver answers.",
		Example: "  frostwatch notify test ops --config pipeline.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := t.load()
			if err != nil {
				return err
			}
			plan, err := notify.Compile(cfg.Notify.Receivers)
			if err != nil {
				return err
			}
			if err := plan.Test(cmd.Context(), args[0], time.Now()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.Out, "%s has accepted a test notification\n", topics.Clean(args[0]))
			return err
		},
	}
	t.flags(cmd)
	return cmd
}

// notifyRelay is what the stage starts for each notification to people.
func (p Program) notifyRelay() *cobra.Command {
	return &cobra.Command{
		Use: notify.RelayCommand, Short: "Send what is on standard input, for the stage itself", Args: exactly(0), Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return notify.Relay(cmd.InOrStdin(), p.Out) },
	}
}

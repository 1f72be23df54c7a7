package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/internal/config"
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
	var verify bool
	cmd := &cobra.Command{
		Use: "test RECEIVER", Short: "Send a receiver a notification that says that it is a test",
		Long: "Delivers it from here, without Kafka, once, and reports what the receiver answers.\n" +
			"With --verify and no receiver it asks the model of notify.verify about a picture of a red square instead.",
		Example: "  frostwatch notify test ops --config pipeline.yaml\n  frostwatch notify test --verify --config pipeline.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if verify {
				return none(cmd, args)
			}
			return exactly(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := t.load()
			if err != nil {
				return err
			}
			if verify {
				return p.tryVerifier(cmd.Context(), cfg)
			}
			plan, err := notify.Compile(cfg.Notify.Receivers)
			if err != nil {
				return err
			}
			if err := plan.Test(cmd.Context(), args[0], time.Now()); err != nil {
				return err
			}
			if _, err = fmt.Fprintf(p.Out, "%s has accepted a test notification\n", topics.Clean(args[0])); err != nil {
				return err
			}
			bucket := cfg.Archive.Bucket // with `up`, an empty one is a folder in its data directory
			if plan.WantsFilms(args[0]) && (bucket == config.NoArchive || bucket == "" && t.config != "") {
				_, err = fmt.Fprintf(p.Err, "warning: %v\n", notify.ErrNoBucket)
			}
			return err
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&verify, "verify", false, "ask the model of notify.verify, instead of sending to a receiver")
	return cmd
}

// tryVerifier asks for a second opinion about a test picture.
func (p Program) tryVerifier(ctx context.Context, cfg config.Config) error {
	v, err := notify.CompileVerify(cfg.Notify.Verify)
	if err != nil {
		return err
	}
	if v == nil {
		return errors.New("notify.verify of the configuration is empty: it needs url and model at least (docs/notify.md)")
	}
	begun := time.Now()
	says, reason, err := v.Try(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Out, "%s has answered as it should after %.1f s: %s, %s\n", topics.Clean(v.Model), time.Since(begun).Seconds(), says, topics.Clean(reason))
	return err
}

// notifyRelay is what the stage starts for each notification to people.
func (p Program) notifyRelay() *cobra.Command {
	return &cobra.Command{
		Use: notify.RelayCommand, Short: "Send what is on standard input, for the stage itself", Args: exactly(0), Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return notify.Relay(cmd.InOrStdin(), p.Out) },
	}
}

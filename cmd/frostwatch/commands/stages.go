package commands

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

func (p Program) ingestCommand() *cobra.Command {
	cmd := p.stageCommand("ingest", "Read cameras and cut clips", func(pr *process.Process) ([]process.Part, error) {
		return pr.Ingest()
	})
	cmd.AddCommand(p.ingestRead(), p.ingestProbe())
	return cmd
}

// ingestProbe is what the console starts to try a camera.
func (p Program) ingestProbe() *cobra.Command {
	return &cobra.Command{
		Use: ingest.ProbeCommand, Short: "Try a camera, for the console itself", Args: exactly(0), Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ingest.ProbeFor(cmd.Context(), cmd.InOrStdin(), p.Out)
		},
	}
}

// ingestRead is what the stage starts to read cameras.
func (p Program) ingestRead() *cobra.Command {
	return &cobra.Command{
		Use: ingest.ReadCommand, Short: "Read cameras, for the stage itself", Args: exactly(0), Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return process.ReadCameras(cmd.Context(), cmd.InOrStdin(), p.Out)
		},
	}
}

func (p Program) inferCommand() *cobra.Command {
	return p.stageCommand("infer", "Recognise actions in clips", func(pr *process.Process) ([]process.Part, error) {
		return pr.Infer(pr.Bundle)
	}, "vocabulary")
}

func (p Program) alertsCommand() *cobra.Command {
	cmd := p.stageCommand("alerts", "Raise alerts by rules; list and show them", func(pr *process.Process) ([]process.Part, error) {
		return pr.Alerts()
	})
	cmd.Long = "Without a subcommand, runs the stage that evaluates the rules and raises alerts.\n`frostwatch up` runs it by itself."
	cmd.AddCommand(p.alertsList(), p.alertsShow(), p.alertsThresholds(), p.alertsMark(), p.alertsReport(), p.alertsBacktest(), p.alertsCalibrate(), p.alertsExplain(), p.alertsUnit())
	return cmd
}

func (p Program) calibrateCommand() *cobra.Command {
	cmd := p.stageCommand("calibrate", "Find the thresholds that keep budgets of false alarms", func(pr *process.Process) ([]process.Part, error) {
		return pr.Calibrate(context.Background())
	})
	cmd.Long = "Runs the stage that finds, for each rule with false_alarms and each of its cameras, the threshold that keeps\n" +
		"the budget, from what is recorded. One such process is enough; of several, one works. `frostwatch up` runs it by itself."
	return cmd
}

// stageCommand runs one stage against an external Kafka and Redis.
func (p Program) stageCommand(name, short string, build func(*process.Process) ([]process.Part, error), checks ...string) *cobra.Command {
	var at stageFlags
	cmd := &cobra.Command{
		Use: name, Short: short, Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.runStage(cmd.Context(), at, name, checks, build)
		},
	}
	cmd.Flags().StringVar(&at.config, "config", "", "configuration file (default: the built-in defaults)")
	httpFlag(cmd, &at.http)
	return cmd
}

// stageFlags are the flags of each stage.
type stageFlags struct{ config, http string }

func (p Program) runStage(ctx context.Context, at stageFlags, name string, checks []string, build func(*process.Process) ([]process.Part, error)) (err error) {
	running := false
	defer func() {
		// Whatever a stop interrupts of the start is no error.
		if !running {
			err = process.IgnoreEnd(ctx, err)
		}
	}()
	cfg, file := config.Default(), config.File{}
	if at.config != "" {
		if file, err = config.Open(at.config); err != nil {
			return err
		}
		cfg = file.Config
	}
	log, err := telemetry.NewLogger(p.Err, cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return err
	}
	pr, err := process.Open(ctx, process.Options{
		Config: cfg, File: file, Logger: log, Service: "frostwatch-" + name, Version: p.Version, Itself: p.Itself, Checks: append(slices.Clone(checks), name),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pr.Close(ctx)) }()
	stages, err := build(pr)
	if err != nil {
		return err
	}
	l, err := listenFor(name, at.http, cfg.HTTP.Listen)
	if err != nil {
		return err
	}
	facts := []any{"stage", name, "http", l.Addr().String(), "kafka", cfg.Kafka.Brokers}
	if at := pr.PageAt(); at != "" {
		facts = append(facts, "console", at)
	}
	pr.Logger().InfoContext(ctx, "started", facts...)
	running = true
	return pr.Run(ctx, l, append(stages, pr.Following()...)...)
}

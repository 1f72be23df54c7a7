package commands

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/fleet"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) simulateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "simulate", Short: "Publish the clips of cameras that do not exist"}
	cmd.AddCommand(p.simulateFleet())
	return cmd
}

func (p Program) simulateFleet() *cobra.Command {
	var t target
	var o fleet.Options
	var ledger, begin, size string
	var lasting time.Duration
	cmd := &cobra.Command{
		Use: "fleet", Short: "Publish clips of many simulated cameras, without reading or decoding video", Args: none,
		Long: "Publishes clips as ingest does, for cameras that do not exist, to the cluster of --config or of a running\n" +
			"`frostwatch up`. What they show are made pictures, which say nothing about a model's accuracy. Ends with --clips,\n" +
			"--for or Ctrl-C, and then says how many clips the broker acknowledged. They are recognised and recorded as those of\n" +
			"any camera, and rules for every camera raise alerts on them.",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if begin != "" {
				if o.Begin, err = time.Parse(time.RFC3339, begin); err != nil {
					return fmt.Errorf("--begin %q: want a time such as 2026-01-05T12:00:00Z", begin)
				}
			}
			if _, err := fmt.Sscanf(size, "%dx%d", &o.Width, &o.Height); err != nil {
				return fmt.Errorf("--size %q: want a size such as 398x224", size)
			}
			if err := topics.CheckFrameSize(o.Width, o.Height); err != nil {
				return fmt.Errorf("--size: %w", err)
			}
			done, err := ledgerTo(ledger, &o)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			cfg, err := t.load()
			if err != nil {
				return err
			}
			return p.runFleet(cmd.Context(), t, cfg, o, lasting)
		},
	}
	t.flags(cmd)
	cmd.Flags().IntVar(&o.Cameras, "cameras", 10, "how many cameras")
	cmd.Flags().StringVar(&o.Name, "name", "fleet", "what the cameras' names begin with")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "decides what each camera shows, and when; with --begin the ids of clips, too")
	cmd.Flags().IntVar(&o.Clips, "clips", 0, "windows of each camera; 0: until the command is ended")
	cmd.Flags().DurationVar(&lasting, "for", 0, "end after this time; 0: with --clips, or never")
	cmd.Flags().Float64Var(&o.Speed, "speed", 1, "how many times as often as of a real camera clips come; other than 1 needs --clips")
	cmd.Flags().IntVar(&o.Epochs, "epochs", 0, "a camera connects anew after so many clips on average; 0: never")
	cmd.Flags().StringVar(&begin, "begin", "", "when the first window begins, as 2026-01-05T12:00:00Z (default: so that the last one ends now)")
	cmd.Flags().StringVar(&size, "size", "398x224", "of the clips' pictures")
	cmd.Flags().IntVar(&o.Quality, "quality", 90, "of their JPEG")
	cmd.Flags().IntVar(&o.Senders, "senders", 16, "how many clips are sent at the same time, at most")
	cmd.Flags().StringVar(&ledger, "ledger", "", "file for what became of each clip, as JSON, one a line; one that is there is replaced")
	return cmd
}

// ledgerTo makes a fleet write a ledger, unless path is empty; done ends it.
func ledgerTo(path string, o *fleet.Options) (done func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("--ledger: %w", err)
	}
	l := fleet.NewLedger(file)
	o.Note = l.Note
	return func() error { return errors.Join(l.Close(), file.Close()) }, nil
}

// runFleet publishes until all is done, for lasting at most where that is not 0.
func (p Program) runFleet(ctx context.Context, t target, cfg config.Config, o fleet.Options, lasting time.Duration) error {
	return withClient(cfg, func(c *bus.Client) error {
		if err := t.ping(ctx, c, cfg); err != nil {
			return err
		}
		if lasting > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, lasting)
			defer cancel()
		}
		o.Send, o.Topic = c.Send, topics.Names{Prefix: cfg.Kafka.Prefix}.Of(topics.Clips)
		o.Window, o.Stride = cfg.Framer.Window, cfg.Framer.Stride
		r, err := fleet.Run(ctx, o)
		if err != nil {
			return err
		}
		return p.printSimulated(o.Cameras, r)
	})
}

func (p Program) printSimulated(cameras int, r fleet.Result) error {
	seconds := r.Lasted.Seconds()
	_, err := fmt.Fprintf(p.Out, "%d cameras, %.1f s: %d clips, %d acknowledged (%.1f a second, %.2f MB/s), the slowest after %v\n",
		cameras, seconds, r.Clips, r.Acked, float64(r.Acked)/seconds, float64(r.Bytes)/seconds/1e6, r.Slowest.Round(time.Millisecond))
	for _, reason := range slices.Sorted(maps.Keys(r.Dropped)) {
		if err == nil {
			_, err = fmt.Fprintf(p.Out, "%d not acknowledged: %s\n", r.Dropped[reason], reason)
		}
	}
	return err
}

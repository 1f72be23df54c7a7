package commands

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/console/fleet"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// watchEvery is how often status --watch reads the state.
const watchEvery = 2 * time.Second

func (p Program) statusCommand() *cobra.Command {
	t := &target{}
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use: "status", Short: "Show workers, cameras, open alerts, and what is wrong", Args: none,
		Long: "Shows workers, cameras, open alerts, and what is wrong.\n\n" +
			"PARTITIONS is how many partitions of its topic a stage reads, LAG how many records wait in them,\n" +
			"and LATE how old the oldest of these is. FOR is how long a camera has been in its state, or an alert open.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			for {
				f, err := t.fleet(cmd.Context())
				if err == nil {
					err = p.printFleet(f, asJSON, watch)
				}
				if err != nil || !watch {
					return err
				}
				if !pause.For(cmd.Context(), watchEvery) {
					return nil
				}
			}
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object; with --watch, one a line each time")
	cmd.Flags().BoolVar(&watch, "watch", false, "print the state again every two seconds, until Ctrl-C")
	return cmd
}

func (t *target) fleet(ctx context.Context) (f fleet.Fleet, err error) {
	err = t.withBus(ctx, func(ctx context.Context, b *bus.Client, n topics.Names) error {
		f, err = fleet.Read(ctx, b, n)
		return err
	})
	return f, err
}

func (p Program) printFleet(f fleet.Fleet, asJSON, watch bool) error {
	if asJSON {
		e := json.NewEncoder(p.Out)
		if !watch {
			e.SetIndent("", "  ")
		}
		return e.Encode(f)
	}
	if watch {
		begin := "\n"
		if isTerminal(p.Out) {
			begin = "\x1b[H\x1b[2J"
		}
		if _, err := fmt.Fprint(p.Out, begin, f.At.Local().Format(time.DateTime), "\n\n"); err != nil {
			return err
		}
	}
	return f.Print(p.Out)
}

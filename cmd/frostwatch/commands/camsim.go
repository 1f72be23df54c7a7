package commands

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

func (p Program) camsimCommand() *cobra.Command {
	var listen string
	var o camsim.FileOptions
	cmd := &cobra.Command{
		Use: "camsim FILE...", Short: "Serve video files as RTSP cameras, over and over", Args: some,
		RunE: func(cmd *cobra.Command, files []string) error {
			log, err := telemetry.NewLogger(p.Err, "warn", "text")
			if err != nil {
				return err
			}
			sim, err := camsim.New(camsim.Options{Addr: listen, Logger: log})
			if err != nil {
				return err
			}
			for _, file := range files {
				name := camsim.Name(file)
				if err := sim.AddFile(name, file, o); err != nil {
					return fmt.Errorf("camsim: %s: %w", file, err)
				}
				if _, err := fmt.Fprintln(p.Out, sim.URL(name)); err != nil {
					return err
				}
			}
			return process.IgnoreEnd(cmd.Context(), sim.Run(cmd.Context()))
		},
	}
	cmd.Flags().StringVar(&listen, "listen", up.DefaultEndpoints().RTSP, "address to serve on")
	cmd.Flags().IntVar(&o.Loops, "loops", 0, "how often each file is played; 0: without end")
	cmd.Flags().DurationVar(&o.LoopGap, "gap", camsim.DefaultLoopGap, "pause between two plays")
	cmd.Flags().DurationVar(&o.Shift, "shift", 0, "begin each play so much later in the file than the one before")
	cmd.Flags().BoolVar(&o.OnDemand, "on-demand", false, "begin when the first reader comes, and rest when the last has gone")
	return cmd
}

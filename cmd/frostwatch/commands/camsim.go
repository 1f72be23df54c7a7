package commands

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// loopGap is the pause between two plays of a file: long enough that no clip
// spans the end of one and the beginning of the next.
const loopGap = 2 * time.Second

func (p Program) camsimCommand() *cobra.Command {
	var listen string
	var o camsim.FileOptions
	cmd := &cobra.Command{
		Use: "camsim FILE...", Short: "Serve video files as RTSP cameras, over and over", Args: cobra.MinimumNArgs(1),
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
				name := cameraName(file)
				if err := sim.AddFile(name, file, o); err != nil {
					return err
				}
				if _, err := fmt.Fprintln(p.Out, sim.URL(name)); err != nil {
					return err
				}
			}
			return ignoreEnd(cmd.Context(), sim.Run(cmd.Context()))
		},
	}
	cmd.Flags().StringVar(&listen, "listen", defaultEndpoints().RTSP, "address to serve on")
	cmd.Flags().IntVar(&o.Loops, "loops", 0, "how often each file is played; 0: without end")
	cmd.Flags().DurationVar(&o.LoopGap, "gap", loopGap, "pause between two plays")
	cmd.Flags().DurationVar(&o.Shift, "shift", 0, "begin each play so much later in the file than the one before")
	cmd.Flags().BoolVar(&o.OnDemand, "on-demand", false, "begin when the first reader comes, and rest when the last has gone")
	return cmd
}

// ignoreEnd is nil where an error is only that of the ended context.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// cameraName makes a camera's name of a file's.
func cameraName(file string) string {
	base := filepath.Base(file)
	name := strings.Trim(notInNames.ReplaceAllString(strings.TrimSuffix(base, filepath.Ext(base)), "-"), "-._")
	if name == "" {
		return "video"
	}
	return name[:min(len(name), 64)]
}

package commands

import (
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/up"
)

func (p Program) upCommand() *cobra.Command {
	o := up.Options{Out: p.Out, Err: p.Err, Version: p.Version, Itself: p.Itself}
	var models string
	cmd := &cobra.Command{
		Use: "up", Short: "Run everything on this machine: broker, Redis, cameras, all stages", Args: none,
		Long: "Runs everything on loopback. Without --camera and --video it watches demo cameras,\nserved over RTSP from rendered clips. Ctrl-C stops it; started again with the\nsame --data, it continues where it stopped.",
		Example: "  frostwatch up\n  frostwatch up --camera 'door=rtsp://viewer:${DOOR_PASSWORD}@10.0.0.7/stream1'\n" +
			"  frostwatch up --video recording.mp4 --model models/froster-b16\n" +
			"  frostwatch up --model pe-core-b16 --camera 'door=rtsp://10.0.0.7/stream1'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Model, err = p.modelNamed(cmd.Context(), models, o.Model); err != nil {
				return err
			}
			return up.Run(cmd.Context(), o)
		},
	}
	modelsFlag(cmd, &models)
	cmd.Flags().StringVar(&o.Data, "data", up.DefaultData, "directory in which everything is stored")
	cmd.Flags().Var(amount{&o.Size}, "size", "how large the data directory may grow, such as 50GB, at least 4GB; the oldest clips make room, then recognitions and pictures of alerts (to be given at each start; default: no bound)")
	cmd.Flags().StringVar(&o.Config, "config", "", "configuration file (default: pipeline.yaml in the data directory, written at first start)")
	cmd.Flags().StringVar(&o.Ports, "ports", "fixed", "fixed: 19092 Kafka, 16379 Redis, 18554 RTSP, 18080 HTTP; auto: free ones")
	cmd.Flags().StringVar(&o.Model, "model", "", "model to recognise with: a folder, one in --models, or a name that 'frostwatch model pull' lists, which is downloaded if it is not there (default: infer.bundle of the configuration, or the demo model)")
	cmd.Flags().StringArrayVar(&o.Cameras, "camera", nil, "NAME=URL of a camera in place of the demo's; repeatable")
	cmd.Flags().StringArrayVar(&o.Videos, "video", nil, "file to serve as a camera in place of the demo's, over and over with a pause of 4 s; repeatable")
	cmd.Flags().BoolVarP(&o.Verbose, "verbose", "v", false, "log at the configured level, not only errors")
	return cmd
}

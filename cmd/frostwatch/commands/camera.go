package commands

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

func (p Program) cameraCommand() *cobra.Command {
	t := &target{}
	cmd := &cobra.Command{Use: "camera", Short: "Add, remove and list cameras while everything runs"}
	t.flags(cmd)
	cmd.AddCommand(p.cameraAdd(t), p.cameraRemove(t), p.cameraList(t))
	return cmd
}

func (p Program) cameraAdd(t *target) *cobra.Command {
	var c topics.Camera
	var window time.Duration
	cmd := &cobra.Command{
		Use: "add NAME URL", Short: "Add a camera, or change the one of that name", Args: cobra.ExactArgs(2),
		Example: `  frostwatch camera add lobby 'rtsp://viewer:${LOBBY_PASSWORD}@10.0.0.7/stream1' --tag indoor`,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.Name, c.URL = args[0], args[1]
			c.Window = topics.Duration(window)
			value, err := topics.EncodeCamera(c)
			if err != nil {
				return err
			}
			return t.withBus(cmd.Context(), func(ctx context.Context, b *bus.Client, n topics.Names) error {
				_, err := b.Send(ctx, bus.Message{Topic: n.Of(topics.Cameras), Key: []byte(c.Name), Value: value})
				return err
			})
		},
	}
	cmd.Flags().StringSliceVar(&c.Tags, "tag", nil, "tag for rules; repeatable")
	cmd.Flags().StringVar(&c.Transport, "transport", "", "tcp or udp, for RTSP")
	cmd.Flags().TextVar(&c.Stride, "stride", topics.Stride{}, "between the starts of two clips: a time, or steps such as '4 steps'")
	cmd.Flags().DurationVar(&window, "window", 0, "length of a clip")
	return cmd
}

func (p Program) cameraRemove(t *target) *cobra.Command {
	return &cobra.Command{
		Use: "rm NAME...", Short: "Remove cameras", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			return t.withBus(cmd.Context(), func(ctx context.Context, b *bus.Client, n topics.Names) error {
				known, _, err := readCameras(ctx, b, n)
				if err != nil {
					return err
				}
				for _, name := range names {
					if _, ok := known[name]; !ok {
						return fmt.Errorf("remove camera: there is none named %q", name)
					}
				}
				return process.RemoveCameras(ctx, b, n, names)
			})
		},
	}
}

func (p Program) cameraList(t *target) *cobra.Command {
	return &cobra.Command{
		Use: "ls", Short: "List cameras and what their streams are doing", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.withBus(cmd.Context(), func(ctx context.Context, b *bus.Client, n topics.Names) error {
				cameras, statuses, err := readCameras(ctx, b, n)
				if err != nil {
					return err
				}
				for _, name := range slices.Sorted(maps.Keys(cameras)) {
					c, s := cameras[name], statuses[name]
					_, err := fmt.Fprintf(p.Out, "%-20s  %-10s  %s  %s  %s\n", name, s.State, telemetry.RedactURL(c.URL), strings.Join(c.Tags, ","), s.Reason)
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

// readCameras reads the table of cameras and their latest states.
func readCameras(ctx context.Context, b *bus.Client, n topics.Names) (map[string]topics.Camera, map[string]topics.StreamStatus, error) {
	cameras, statuses := map[string]topics.Camera{}, map[string]topics.StreamStatus{}
	err := b.ReadAll(ctx, n.Of(topics.Cameras), time.Time{}, false, func(m bus.Message) error {
		delete(cameras, string(m.Key))
		if c, err := topics.DecodeCamera(m.Value); err == nil {
			cameras[c.Name] = c
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	err = b.ReadAll(ctx, n.Of(topics.Status), time.Time{}, false, func(m bus.Message) error {
		if s, err := topics.DecodeStatus(m.Value); err == nil {
			statuses[s.Camera] = s
		}
		return nil
	})
	return cameras, statuses, err
}

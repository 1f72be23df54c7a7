package commands

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func (p Program) cameraCommand() *cobra.Command {
	t := &target{}
	cmd := &cobra.Command{Use: "camera", Short: "Add, change, remove, list, find and try cameras while everything runs"}
	t.flags(cmd)
	cmd.AddCommand(p.cameraAdd(t), p.cameraSet(t), p.cameraRemove(t), p.cameraList(t), p.cameraProbe(t), p.cameraDiscover(t))
	return cmd
}

func (t *target) withCameras(ctx context.Context, do func(context.Context, cameraedit.Editor) error) error {
	cfg, err := t.load()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	return t.onKafka(ctx, cfg, func(ctx context.Context, b *bus.Client, n topics.Names) error {
		table, err := cameras.Open(b, n, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		return do(ctx, cameraedit.Editor{
			Table: table, Limits: cameraedit.LimitsOf(cfg), Trust: cameraedit.TrustOf(cfg), File: t.file(), Lacking: t.lacksLabels,
		})
	})
}

func (p Program) cameraAdd(t *target) *cobra.Command {
	var flags cameraFlags
	cmd := &cobra.Command{
		Use: "add NAME URL", Short: "Add a camera, or replace the one of that name",
		Example: `  frostwatch camera add lobby 'rtsp://viewer:${LOBBY_PASSWORD}@10.0.0.7/stream1' --tag indoor`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 1:
				return errors.New("camera add: want NAME and URL; to change the tags of a camera alone, use `camera set NAME --tag TAG`")
			case len(args) != 2:
				return errors.New("camera add: want NAME and URL (in quotes, where it holds & or $)")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c := topics.Camera{Name: args[0], URL: args[1], Source: topics.SourcePerson}
			if err := flags.apply(cmd, &c); err != nil {
				return err
			}
			return t.withCameras(cmd.Context(), func(ctx context.Context, table cameraedit.Editor) error {
				if err := table.Limits.Validate(c); err != nil {
					return err
				}
				was, err := table.Get(ctx, c.Name)
				if errors.Is(err, cameras.ErrUnknown) {
					return p.writeEdit(table.Add(ctx, c))
				}
				if err != nil {
					return err
				}
				if err := p.writeEdit(table.Change(ctx, was, c)); err != nil {
					return err
				}
				if len(was.Tags) > 0 && len(c.Tags) == 0 {
					_, err = fmt.Fprintf(p.Err, "note: camera %s had tags %s, which are gone: `camera set` changes only the given properties\n", c.Name, strings.Join(was.Tags, ", "))
				}
				return err
			})
		},
	}
	flags.add(cmd)
	return cmd
}

func (p Program) cameraSet(t *target) *cobra.Command {
	var flags cameraFlags
	var url string
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Change the given properties of a camera; its stream goes on if only tags or the vocabulary change", Args: oneName,
		Example: "  frostwatch camera set lobby --tag indoor --tag ward\n  frostwatch camera set lobby --tag ''",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("tag") && !beyondTags(cmd) {
				return errors.New("camera set: nothing to change: want --tag, --url, --watch, --transport, --stride, --window, --views, --mask, --zone, --decode, --record, --disable, --pre, --post, --poll, --tls-verify, --tls-fingerprint or --vocab")
			}
			return t.withCameras(cmd.Context(), func(ctx context.Context, table cameraedit.Editor) error {
				was, err := table.Get(ctx, args[0])
				if err != nil {
					return err
				}
				c := was
				if err := flags.apply(cmd, &c); err != nil {
					return err
				}
				if cmd.Flags().Changed("url") {
					c.URL = url
				}
				return p.writeEdit(table.Change(ctx, was, cameraedit.Own(c, beyondTags(cmd))))
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&url, "url", "", "where the stream is")
	return cmd
}

func oneName(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("camera %s: want one NAME", cmd.Name())
	}
	return nil
}

// writeEdit prints what an edit has done, and warnings about it.
func (p Program) writeEdit(o cameraedit.Outcome, err error) error {
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(p.Out, o.Line); err != nil {
		return err
	}
	for _, warning := range o.Warnings {
		if _, err := fmt.Fprintln(p.Err, "warning: "+warning); err != nil {
			return err
		}
	}
	for _, note := range o.Notes {
		if _, err := fmt.Fprintln(p.Err, "note: "+note); err != nil {
			return err
		}
	}
	return nil
}

// lacksLabels says that a vocabulary that a camera names has no labels, if that is known.
func (t *target) lacksLabels(ctx context.Context, name string) (advice string) {
	if name == "" {
		return ""
	}
	_ = t.withRedis(ctx, func(ctx context.Context, c *redis.Client, cfg config.Config) error {
		v, err := vocab.NewStore(c, cfg.Redis.Prefix).List(ctx, name)
		if err == nil && len(v.Labels) == 0 {
			advice = fmt.Sprintf("the vocabulary %s has no labels yet: nothing is recognised on the camera until one is added: frostwatch vocab add --vocab %s LABEL", name, name)
		}
		return err
	})
	return advice
}

func (p Program) cameraRemove(t *target) *cobra.Command {
	return &cobra.Command{
		Use: "rm NAME...", Short: "Remove cameras", Args: some,
		RunE: func(cmd *cobra.Command, names []string) error {
			return t.withCameras(cmd.Context(), func(ctx context.Context, table cameraedit.Editor) error {
				for _, name := range names {
					if _, err := table.Get(ctx, name); err != nil {
						if len(names) > 1 {
							return fmt.Errorf("%w; none was removed", err)
						}
						return err
					}
				}
				for _, name := range names {
					if err := table.Remove(ctx, name); err != nil {
						return err
					}
					if _, err := fmt.Fprintf(p.Out, "camera %s removed\n", name); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

package commands

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/ingest"
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

// cameraTable is the table of cameras, with the limits and the trust that the
// configuration sets.
type cameraTable struct {
	*cameras.Table
	limits cameras.Limits
	trust  ingest.Trust
	file   string // the configuration file; empty: not known
	target *target
}

func (t *target) withCameras(ctx context.Context, do func(context.Context, cameraTable) error) error {
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
		return do(ctx, cameraTable{table, process.CameraLimits(cfg), process.CameraTrust(cfg), t.file(), t})
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
			return t.withCameras(cmd.Context(), func(ctx context.Context, table cameraTable) error {
				if err := table.limits.Validate(c); err != nil {
					return err
				}
				was, err := table.Get(ctx, c.Name)
				if errors.Is(err, cameras.ErrUnknown) {
					return p.putCamera(ctx, table, c, "added", true)
				}
				if err != nil {
					return err
				}
				if err := p.changeCamera(ctx, table, was, c); err != nil {
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
			return t.withCameras(cmd.Context(), func(ctx context.Context, table cameraTable) error {
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
				c = own(c, beyondTags(cmd))
				if err := table.limits.Validate(c); err != nil {
					return err
				}
				return p.changeCamera(ctx, table, was, c)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&url, "url", "", "where the stream is")
	return cmd
}

// own makes a camera that a person changes that person's. If only its tags change,
// the camera still belongs to the file or the `up` that put it, and only the tags
// are the person's.
func own(c topics.Camera, beyondTags bool) topics.Camera {
	if beyondTags || c.Source == "" || c.Source == topics.SourcePerson {
		c.Source, c.OwnTags = topics.SourcePerson, false
	} else {
		c.OwnTags = true
	}
	return c
}

func oneName(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("camera %s: want one NAME", cmd.Name())
	}
	return nil
}

// changeCamera replaces a camera, unless nothing would change.
func (p Program) changeCamera(ctx context.Context, table cameraTable, was, c topics.Camera) error {
	was.Source, was.OwnTags = c.Source, c.OwnTags
	before, err := topics.EncodeCamera(was)
	if err != nil {
		return p.putCamera(ctx, table, c, "changed", true)
	}
	if after, err := topics.EncodeCamera(c); err == nil && bytes.Equal(before, after) {
		_, err := fmt.Fprintf(p.Out, "camera %s is already like this: nothing changed\n", c.Name)
		return err
	}
	moved := was.URL != c.URL || was.Watch != c.Watch || was.TLSFingerprint != c.TLSFingerprint || was.TLSVerify != c.TLSVerify
	if err := p.putCamera(ctx, table, c, "changed", moved); err != nil || len(c.Masks) == 0 || reflect.DeepEqual(was.Masks, c.Masks) {
		return err
	}
	_, err = fmt.Fprintf(p.Err, "note: camera %s: clips and evidence that were recorded before show what is masked now\n", c.Name)
	return err
}

// putCamera writes a camera, and prints that and warnings about it. moved is whether it
// connects to something else than before: what `up` serves it allows by itself, which
// is not known here, and whether the workers refuse the camera does not change otherwise.
func (p Program) putCamera(ctx context.Context, table cameraTable, c topics.Camera, word string, moved bool) error {
	if err := table.Put(ctx, c); err != nil {
		return err
	}
	line := fmt.Sprintf("camera %s %s: %s", c.Name, word, cameras.RedactURL(c.URL))
	if c.Watch != "" {
		line += ", looked at by " + cameras.RedactURL(c.Watch)
	}
	if len(c.Tags) > 0 {
		line += ", tags " + strings.Join(c.Tags, ", ")
	}
	if c.Vocabulary != "" {
		line += ", vocabulary " + c.Vocabulary
	}
	if len(c.Views) > 0 {
		line += ", views " + topics.ViewNames(c.Views)
	}
	if c.Decode != "" {
		line += ", decode " + string(c.Decode)
	}
	if c.Record != "" {
		line += ", record " + string(c.Record)
	}
	if n := len(c.Masks); n > 0 {
		line += fmt.Sprintf(", %d masked", n)
	}
	if len(c.Zones) > 0 {
		line += ", zones " + strings.Join(slices.Sorted(maps.Keys(c.Zones)), ", ")
	}
	if _, err := fmt.Fprintln(p.Out, line); err != nil {
		return err
	}
	advices := cameras.Advice(c)
	if err := table.trust.Refusal(c); err != nil && moved {
		advices = append(advices, fmt.Sprintf("camera %s: the ingest workers refuse it: %v", c.Name, err))
	}
	if advice := table.target.lacksLabels(ctx, c.Vocabulary); advice != "" {
		advices = append(advices, fmt.Sprintf("camera %s: %s", c.Name, advice))
	}
	withheld := table.trust.Withheld(c)
	if len(withheld) > 0 {
		advices = append(advices, refusesNames(c.Name, withheld, table.file))
	}
	for _, advice := range advices {
		if _, err := fmt.Fprintln(p.Err, "warning: "+advice); err != nil {
			return err
		}
	}
	if names := referred(c); len(names) > 0 && len(withheld) == 0 {
		_, err := fmt.Fprintf(p.Err, "note: each ingest worker needs %s in its environment, and under ingest.env of its configuration file\n", strings.Join(names, ", "))
		return err
	}
	return nil
}

// referred are the variables that a camera's URLs refer to, each once.
func referred(c topics.Camera) (names []string) {
	for _, name := range append(cameras.References(c.URL), cameras.References(c.Watch)...) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
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

// refusesNames is the warning about a camera whose URL refers to variables that are not
// in ingest.env of a configuration file.
func refusesNames(camera string, names []string, file string) string {
	var refs []string
	for _, name := range names {
		refs = append(refs, "${"+name+"}")
	}
	list := strings.Join(names, ", ")
	return fmt.Sprintf("camera %s: the ingest workers refuse it: its URL uses %s: add %s to ingest.env in %s, and restart the workers with %s in their environment",
		camera, strings.Join(refs, ", "), list, cmp.Or(file, "their configuration file"), list)
}

func (p Program) cameraRemove(t *target) *cobra.Command {
	return &cobra.Command{
		Use: "rm NAME...", Short: "Remove cameras", Args: some,
		RunE: func(cmd *cobra.Command, names []string) error {
			return t.withCameras(cmd.Context(), func(ctx context.Context, table cameraTable) error {
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

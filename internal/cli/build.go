package cli

import (
	"context"
	"fmt"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/infer"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// ingestStages read cameras and cut clips.
func (p *process) ingestStages() ([]stage, error) {
	c := p.cfg.Ingest
	f, err := framer.New(framer.Options{
		Send: p.bus.Send, Names: p.names,
		Window: p.cfg.Framer.Window, Stride: p.cfg.Framer.Stride, ShortSide: p.cfg.Framer.ShortSide,
		Quality: p.cfg.Framer.JPEGQuality, Queue: p.cfg.Framer.Queue,
		Logger: p.log, Tracer: p.tel.Tracer("framer"), Meter: p.tel.Meter("framer"), Propagator: p.tel.Propagator(),
	})
	if err != nil {
		return nil, err
	}
	s, err := ingest.New(ingest.Options{
		Bus: p.bus, Names: p.names, Group: c.Group, Worker: p.worker, NewSink: func(c topics.Camera) (ingest.Sink, error) { return f.Stream(c) },
		Transport: c.Transport, Protocols: c.Protocols, OpenTimeout: c.OpenTimeout, ReadTimeout: c.ReadTimeout,
		Watchdog: c.Watchdog, DecodeThreads: c.DecodeThreads,
		Backoff: ingest.Backoff{Min: c.Backoff.Min, Max: c.Backoff.Max, ResetAfter: c.Backoff.ResetAfter},
		Logger:  p.log, Meter: p.tel.Meter("ingest"),
	})
	if err != nil {
		return nil, err
	}
	cameras := make([]topics.Camera, len(p.cfg.Cameras))
	for i, cam := range p.cfg.Cameras {
		cameras[i] = cam.Record()
	}
	p.health.Set("ingest", nil)
	return []stage{{"ingest", func(ctx context.Context) error {
		if err := p.writeCameras(ctx, cameras); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		return s.Run(ctx)
	}}}, nil
}

// writeCameras puts the configured cameras on the topic; the record of one that
// is there already changes nothing.
func (p *process) writeCameras(ctx context.Context, cameras []topics.Camera) error {
	for _, c := range cameras {
		value, err := topics.EncodeCamera(c)
		if err != nil {
			return err
		}
		if err := p.bus.Send(ctx, bus.Message{Topic: p.names.Of(topics.Cameras), Key: []byte(c.Name), Value: value}); err != nil {
			return fmt.Errorf("write camera %s: %w", c.Name, err)
		}
	}
	return nil
}

// inferStages follow the vocabulary and recognise. The returned function frees
// the model once they have ended.
func (p *process) inferStages() ([]stage, func() error, error) {
	c := p.cfg.Infer
	bundle, err := froster.OpenBundle(c.Bundle)
	if err != nil {
		return nil, nil, err
	}
	rt, err := froster.OpenRuntime(froster.RuntimeOptions{Library: c.Runtime, Provider: c.Provider, Threads: c.Threads})
	if err != nil {
		return nil, nil, err
	}
	model, err := rt.Load(bundle)
	if err != nil {
		return nil, nil, err
	}
	watcher, err := vocab.NewWatcher(vocab.Options{
		Client: p.redis, Prefix: p.cfg.Redis.Prefix, Name: p.cfg.Vocab.Name, Embedder: model,
		BaseClasses: bundle.BaseClasses, Poll: p.cfg.Vocab.Poll, Logger: p.log, Meter: p.tel.Meter("vocab"),
		OnHealth: func(err error) { p.health.Set("vocabulary", err) },
	})
	if err != nil {
		return nil, nil, err
	}
	s, err := infer.New(infer.Options{
		Bus: p.bus, Names: p.names, Group: c.Group, Model: model, Vocabulary: watcher,
		Frames: bundle.Dims.Frames, Side: bundle.Dims.ImageSize,
		MaxBatch: c.MaxBatch, MaxWait: c.MaxWait, MaxAge: c.MaxAge, TopK: c.TopK,
		Logger: p.log, Tracer: p.tel.Tracer("infer"), Meter: p.tel.Meter("infer"), Propagator: p.tel.Propagator(),
		OnHealth: func(err error) { p.health.Set("infer", err) },
	})
	if err != nil {
		return nil, nil, err
	}
	return []stage{{"vocabulary", watcher.Run}, {"infer", s.Run}}, model.Close, nil
}

// alertsStages evaluate the rules, which are followed in the file they came
// from; an empty path has none to follow.
func (p *process) alertsStages(path string) ([]stage, error) {
	s, err := alerts.New(alerts.Options{
		Bus: p.bus, Names: p.names, Group: p.cfg.Alerts.Group, Rules: p.cfg.Rules,
		Logger: p.log, Tracer: p.tel.Tracer("alerts"), Meter: p.tel.Meter("alerts"), Propagator: p.tel.Propagator(),
	})
	if err != nil {
		return nil, err
	}
	p.health.Set("alerts", nil)
	stages := []stage{{"alerts", s.Run}}
	if path != "" {
		stages = append(stages, stage{"rules", func(ctx context.Context) error {
			return followRules(ctx, path, p.log, func() error {
				c, err := config.Load(path)
				if err != nil {
					return err
				}
				return s.SetRules(c.Rules)
			})
		}})
	}
	return stages, nil
}

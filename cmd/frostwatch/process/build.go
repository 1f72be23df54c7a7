package process

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/infer"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// NewIngest is ingest with a framer whose clips go to send; wrap may stand
// between the two.
func (p *Process) NewIngest(send bus.SendFunc, wrap func(*framer.Stream) ingest.Sink) (*ingest.Stage, error) {
	fc, c := p.Config.Framer, p.Config.Ingest
	f, err := framer.New(framer.Options{
		Names: p.Names, Window: fc.Window, Stride: fc.Stride,
		ShortSide: fc.ShortSide, Quality: fc.JPEGQuality, Queue: fc.Queue,
		Logger: p.log, Tracer: p.tel.Tracer("framer"), Meter: p.tel.Meter("framer"), Propagator: p.tel.Propagator(),
		Reporter: p.reporter,
	})
	if err != nil {
		return nil, err
	}
	return ingest.New(ingest.Options{
		Bus: p.Bus, Names: p.Names, Group: c.Group, Worker: p.worker,
		NewSink: func(c topics.Camera) (ingest.Sink, error) {
			s, err := f.Stream(c, send)
			if err != nil {
				return nil, err
			}
			return wrap(s), nil
		},
		Transport: c.Transport, Protocols: c.Protocols, OpenTimeout: c.OpenTimeout, ReadTimeout: c.ReadTimeout,
		Watchdog: c.Watchdog, DecodeThreads: c.DecodeThreads,
		Backoff: ingest.Backoff{Min: c.Backoff.Min, Max: c.Backoff.Max, ResetAfter: c.Backoff.ResetAfter},
		Logger:  p.log, Meter: p.tel.Meter("ingest"),
	})
}

// Ingest is the stage that reads cameras and cuts clips.
func (p *Process) Ingest() ([]Part, error) {
	s, err := p.NewIngest(p.Bus.Send, func(s *framer.Stream) ingest.Sink { return s })
	if err != nil {
		return nil, err
	}
	cameras := make([]topics.Camera, len(p.Config.Cameras))
	for i, cam := range p.Config.Cameras {
		cameras[i] = cam.Record()
	}
	p.stages = append(p.stages, "ingest")
	return []Part{{Name: "ingest", Run: func(ctx context.Context) error {
		if err := p.WriteCameras(ctx, cameras); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		return s.Run(ctx)
	}}}, nil
}

// WriteCameras puts the configured cameras on the topic; the record of one that
// is there already changes nothing.
func (p *Process) WriteCameras(ctx context.Context, cameras []topics.Camera) error {
	for _, c := range cameras {
		value, err := topics.EncodeCamera(c)
		if err != nil {
			return err
		}
		if _, err := p.Bus.Send(ctx, bus.Message{Topic: p.Names.Of(topics.Cameras), Key: []byte(c.Name), Value: value}); err != nil {
			return fmt.Errorf("write camera %s: %w", c.Name, err)
		}
	}
	return nil
}

// RemoveCameras writes the tombstones of cameras.
func RemoveCameras(ctx context.Context, b *bus.Client, n topics.Names, cameras []string) error {
	for _, name := range cameras {
		if _, err := b.Send(ctx, bus.Message{Topic: n.Of(topics.Cameras), Key: []byte(name)}); err != nil {
			return fmt.Errorf("remove camera %s: %w", name, err)
		}
	}
	return nil
}

// Infer is the stage that recognises with the bundle that choose reads from a
// configuration, also from one that is read anew.
func (p *Process) Infer(choose func(config.Config) string) ([]Part, error) {
	c := p.Config.Infer
	b, err := p.openBundles(choose(p.Config))
	if err != nil {
		return nil, err
	}
	b.stage, err = infer.New(infer.Options{
		Bus: p.Bus, Names: p.Names, Group: c.Group, First: b.current.serving,
		MaxBatch: c.MaxBatch, MaxWait: c.MaxWait, MaxAge: c.MaxAge, TopK: c.TopK,
		Logger: p.log, Tracer: p.tel.Tracer("infer"), Meter: p.tel.Meter("infer"), Propagator: p.tel.Propagator(),
		Reporter: p.reporter,
	})
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	// A bundle takes its time to load: what comes of it, bundles log and count.
	p.onReload(func(c config.Config) (func() []string, error) {
		return func() []string {
			b.want(choose(c))
			return nil
		}, nil
	}, "infer.bundle")
	p.onClose(b.close)
	p.stages = append(p.stages, "infer")
	return []Part{{Name: "infer", Run: b.stage.Run}, {Name: "bundle", Run: b.run}}, nil
}

// openBundles loads the first bundle.
func (p *Process) openBundles(dir string) (*bundles, error) {
	c := p.Config.Infer
	runtime, err := froster.OpenRuntime(froster.RuntimeOptions{Library: c.Runtime, Provider: c.Provider, Threads: c.Threads})
	if err != nil {
		return nil, err
	}
	refused, err := p.tel.Meter("infer").Int64Gauge("frostwatch.infer.bundle_refused",
		metric.WithDescription("1 while the bundle that is named can't be served and the one before is"))
	if err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	b := &bundles{Process: p, runtime: runtime, refused: refused, wanted: make(chan string, 1), dir: dir, tried: folderStamp(dir)}
	if b.unwatch, err = b.watch(); err != nil {
		return nil, err
	}
	if b.current, err = b.load(dir); err != nil {
		return nil, errors.Join(err, b.unwatch())
	}
	b.current.inForce.Store(true)
	refused.Record(context.Background(), 0)
	return b, nil
}

// Alerts is the stage that evaluates the rules.
func (p *Process) Alerts() ([]Part, error) {
	rules, err := alerts.Compile(p.Config.Rules)
	if err != nil {
		return nil, err
	}
	s, err := alerts.New(alerts.Options{
		Bus: p.Bus, Names: p.Names, Group: p.Config.Alerts.Group, Rules: rules,
		Logger: p.log, Tracer: p.tel.Tracer("alerts"), Meter: p.tel.Meter("alerts"), Propagator: p.tel.Propagator(),
		Reporter: p.reporter,
	})
	if err != nil {
		return nil, err
	}
	p.stages = append(p.stages, "alerts")
	p.onReload(func(c config.Config) (func() []string, error) {
		next, err := alerts.Compile(c.Rules)
		return func() []string {
			changes := next.Since(rules)
			rules = next
			s.SetRules(next)
			return ruleLines(changes)
		}, err
	}, "rules")
	return []Part{{Name: "alerts", Run: s.Run}}, nil
}

// ruleLines is how rules differ, as a person reads it.
func ruleLines(c alerts.Changes) (lines []string) {
	for _, of := range []struct {
		names []string
		what  string
	}{{c.Added, "added"}, {c.Changed, "changed"}, {c.Removed, "removed"}} {
		for _, name := range of.names {
			lines = append(lines, fmt.Sprintf("rule %s %s", name, of.what))
		}
	}
	return lines
}

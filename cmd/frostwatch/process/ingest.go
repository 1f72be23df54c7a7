package process

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/topics"
)

// IngestOptions are what differs between the stage's uses. The zero value is the
// stage as it serves.
type IngestOptions struct {
	// Own are cameras of the operator beside those of the configuration: of flags.
	Own []topics.Camera
	// Send takes the clips in place of Kafka.
	Send bus.SendFunc
	// Wrap stands between the stage and the framer.
	Wrap func(*framer.Stream) ingest.Sink
}

// NewIngest is the stage that reads cameras, with the framer that cuts clips.
func (p *Process) NewIngest(o IngestOptions) (*ingest.Stage, error) {
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
		Bus: p.Bus, Names: p.Names, Group: p.Names.Group(c.Group), Worker: p.worker,
		NewSink: func(c topics.Camera, send bus.SendFunc) (ingest.Sink, error) { return o.sink(f, c, send) },
		Window:  fc.Window, Stride: fc.Stride,
		Transport: c.Transport, Protocols: c.Protocols, OpenTimeout: c.OpenTimeout, ReadTimeout: c.ReadTimeout,
		Watchdog: c.Watchdog, DecodeThreads: c.DecodeThreads,
		Backoff: ingest.Backoff{Min: c.Backoff.Min, Max: c.Backoff.Max, ResetAfter: c.Backoff.ResetAfter},
		Logger:  p.log, Meter: p.tel.Meter("ingest"), Reporter: p.reporter,
		Trust: ingest.Trust{Own: append(p.fileCameras(), o.Own...), Env: c.Env, Allow: c.Allow},
	})
}

func (o IngestOptions) sink(f *framer.Framer, c topics.Camera, send bus.SendFunc) (ingest.Sink, error) {
	if o.Send != nil {
		send = o.Send
	}
	s, err := f.Stream(c, send)
	if err != nil {
		return nil, err
	}
	if o.Wrap != nil {
		return o.Wrap(s), nil
	}
	return s, nil
}

// fileCameras are those of the configuration.
func (p *Process) fileCameras() []topics.Camera {
	all := make([]topics.Camera, len(p.Config.Cameras))
	for i, c := range p.Config.Cameras {
		all[i] = c.Record()
	}
	return all
}

// Limits are what the configuration says of every camera.
func (p *Process) Limits() cameras.Limits {
	return cameras.Limits{Protocols: p.Config.Ingest.Protocols, Window: p.Config.Framer.Window, Stride: p.Config.Framer.Stride}
}

// Ingest is the stage that reads cameras and cuts clips. It takes the cameras of
// the configuration over first. own are further cameras of the operator, of flags.
func (p *Process) Ingest(own ...topics.Camera) ([]Part, error) {
	for _, c := range p.fileCameras() {
		if err := p.Limits().Validate(c); err != nil {
			return nil, fmt.Errorf("%s: %w", p.file.Path, err)
		}
	}
	s, err := p.NewIngest(IngestOptions{Own: own})
	if err != nil {
		return nil, err
	}
	p.stages = append(p.stages, "ingest")
	return []Part{{Name: "ingest", Run: func(ctx context.Context) error {
		if err := p.syncFile(ctx); err != nil {
			return IgnoreEnd(ctx, err)
		}
		return s.Run(ctx)
	}}}, nil
}

// syncFile brings the configuration's cameras to the table, where there is a
// file.
func (p *Process) syncFile(ctx context.Context) error {
	if p.file.Path == "" {
		return nil
	}
	path, err := filepath.Abs(p.file.Path)
	if err != nil {
		return fmt.Errorf("find the configuration: %w", err)
	}
	return p.SyncCameras(ctx, cameras.Owner{Source: topics.SourceFile, ID: path}, p.fileCameras())
}

// SyncCameras takes over the cameras that an owner brings, and logs what was done
// and what was not.
func (p *Process) SyncCameras(ctx context.Context, owner cameras.Owner, all []topics.Camera) error {
	for _, c := range all {
		for _, advice := range cameras.Advice(c) {
			p.warn(ctx, advice)
		}
	}
	t, err := p.Cameras()
	if err != nil {
		return err
	}
	done, left, err := t.Sync(ctx, owner, all)
	for _, line := range done {
		p.log.InfoContext(ctx, line, "by", owner.String())
	}
	for _, line := range left {
		p.warn(ctx, line)
	}
	return err
}

// warn logs what an operator should know of an edit, and says it where a
// person reads along.
func (p *Process) warn(ctx context.Context, line string) {
	p.log.WarnContext(ctx, line)
	if p.onTrouble != nil {
		p.onTrouble(Caution, line)
	}
}

// Cameras is the table of cameras.
func (p *Process) Cameras() (*cameras.Table, error) { return cameras.Open(p.Bus, p.Names, p.log) }

package process

import (
	"context"
	"log/slog"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// IngestOptions adapt the stage to the benchmark and to `up`. The zero value is
// the stage as a worker runs it.
type IngestOptions struct {
	// Own are cameras that the operator has given by flags, beside those of the
	// configuration.
	Own []topics.Camera
	// Send receives the clips in place of Kafka.
	Send bus.SendFunc
	// Turns are the stage's (ingest.Options); nil: its own.
	Turns *media.Turns
	// Wrap replaces the sink to which the stage hands frames. Cameras are then read by
	// this process.
	Wrap func(topics.Camera, *framer.Stream) ingest.Sink
}

// NewIngest builds the stage that reads cameras, with the framer that cuts clips.
func (p *Process) NewIngest(o IngestOptions) (*ingest.Stage, error) {
	catalog := telemetry.NewCatalog()
	f, err := framer.New(framerOptions(p.Config.Framer, framer.Options{
		Names: p.Names, Logger: p.log, Tracer: p.tel.Tracer("framer"), Meter: catalog.Meter(p.tel.Meter("framer")),
		Propagator: p.tel.Propagator(), Reporter: p.reporter,
	}))
	if err != nil {
		return nil, err
	}
	all, err := ingestOptions(p.Config.Ingest, p.Config.Framer)
	if err != nil {
		return nil, err
	}
	if all.Films, err = p.films(); err != nil {
		return nil, err
	}
	if o.Wrap == nil {
		if all.Readers, err = p.readers(catalog, all.Films != nil); err != nil {
			return nil, err
		}
		if all.Readers != nil {
			all.Readers.Send = o.Send
		}
	}
	all.Bus, all.Names, all.Group, all.Worker = stageBus{p.Bus, p, "ingest"}, p.Names, p.Names.Group(p.Config.Ingest.Group), p.worker
	all.NewSink = func(c topics.Camera, send bus.SendFunc) (ingest.Sink, error) { return o.sink(f, c, send) }
	all.Logger, all.Meter, all.Reporter = p.log, catalog.Meter(p.tel.Meter("ingest")), p.reporter
	all.Trust = cameraedit.TrustOf(p.Config)
	all.Trust.Own = append(all.Trust.Own, o.Own...)
	all.Turns = o.Turns
	return ingest.New(all)
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
		return o.Wrap(c, s), nil
	}
	return s, nil
}

// Ingest builds the stage that reads cameras and cuts clips. Before it starts, the
// cameras of the configuration file are brought to the table. own are further
// cameras that the operator has given by flags.
func (p *Process) Ingest(own ...topics.Camera) ([]Part, error) {
	p.fitFrames()
	p.followModel()
	s, err := p.NewIngest(IngestOptions{Own: own})
	if err != nil {
		return nil, err
	}
	p.stages = append(p.stages, "ingest")
	file, err := p.newFileSync(s, own)
	if err != nil {
		return nil, err
	}
	if file == nil {
		return []Part{{Name: "ingest", Run: s.Run}}, nil
	}
	return []Part{{Name: "ingest", Run: func(ctx context.Context) error {
		select {
		case <-file.first:
			return s.Run(ctx)
		case <-ctx.Done():
			return nil
		}
	}}, {Name: partFileCameras, Run: file.run}}, nil
}

// SyncCameras brings an owner's cameras to the table (cameras.Table.Sync), and logs
// what was done and what was not. It returns the entries that are not in force.
func (p *Process) SyncCameras(ctx context.Context, owner cameras.Owner, all []topics.Camera) (left []string, err error) {
	for _, c := range all {
		for _, advice := range cameras.Advice(c) {
			p.warn(ctx, advice)
		}
	}
	t, err := p.silentCameras()
	if err != nil {
		return nil, err
	}
	done, left, err := t.Sync(ctx, owner, all)
	for _, line := range done {
		p.log.InfoContext(ctx, line, "by", owner.String())
	}
	for _, line := range left {
		p.warn(ctx, line)
	}
	return left, err
}

// warn logs what an operator should know about an edit, and prints it where a
// person watches.
func (p *Process) warn(ctx context.Context, line string) {
	p.log.WarnContext(ctx, line)
	if p.onTrouble != nil {
		p.onTrouble(Caution, line)
	}
}

// silentCameras opens the table without its own log, for those who log what they do
// to it.
func (p *Process) silentCameras() (*cameras.Table, error) {
	return cameras.Open(p.Bus, p.Names, slog.New(slog.DiscardHandler))
}

// Cameras opens the table of cameras.
func (p *Process) Cameras() (*cameras.Table, error) { return cameras.Open(p.Bus, p.Names, p.log) }

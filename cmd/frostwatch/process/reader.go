package process

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/internal/tlsfiles"
	"github.com/frostwatch/frostwatch/topics"
)

// readerSetup is what a process that reads cameras is built from. It knows neither how
// Kafka, Redis and the bucket are reached nor the cameras of the file.
type readerSetup struct {
	Prefix string        `json:"prefix"`
	Worker string        `json:"worker"`
	Ingest config.Ingest `json:"ingest"`
	Framer config.Framer `json:"framer"`
	Films  bool          `json:"films"`
}

// readers says by which processes cameras are read; nil: by this one.
func (p *Process) readers(catalog *telemetry.Catalog, films bool) (*ingest.Readers, error) {
	c := p.Config.Ingest
	if c.Processes == 0 || !p.itself {
		return nil, nil
	}
	const least = 1_000_000 // that a process can work with
	c.Packets.Total = max(c.Packets.Total/config.Bytes(c.Processes), least)
	setup, err := json.Marshal(readerSetup{Prefix: p.Names.Prefix, Worker: p.worker, Ingest: c, Framer: p.Config.Framer, Films: films})
	if err != nil {
		return nil, fmt.Errorf("set up the processes that read cameras: %w", err)
	}
	return &ingest.Readers{
		Most: c.Processes, Setup: setup, Catalog: catalog, Tracer: p.tel.Tracer("framer"), Propagator: p.tel.Propagator(),
	}, nil
}

// ReadCameras is a process that reads cameras for an ingest worker, which is at the other
// end of in and out.
func ReadCameras(ctx context.Context, in io.Reader, out io.Writer) error {
	return ingest.Read(ctx, in, out, func(raw json.RawMessage, e ingest.Ends) (ingest.Options, error) {
		var s readerSetup
		if err := json.Unmarshal(raw, &s); err != nil {
			return ingest.Options{}, fmt.Errorf("decode its setup: %w", err)
		}
		return s.options(e)
	})
}

func (s readerSetup) options(e ingest.Ends) (o ingest.Options, err error) {
	names := topics.Names{Prefix: s.Prefix}
	f, err := framer.New(framerOptions(s.Framer, framer.Options{
		Names: names, Logger: e.Logger, Meter: e.Meter, Tracer: e.Tracer, Propagator: e.Propagator, Reporter: e.Reporter,
	}))
	if err != nil {
		return o, err
	}
	o, err = ingestOptions(s.Ingest, s.Framer)
	if err != nil {
		return o, err
	}
	o.Names, o.Group, o.Worker = names, names.Group(s.Ingest.Group), s.Worker
	o.NewSink = func(c topics.Camera, send bus.SendFunc) (ingest.Sink, error) { return f.Stream(c, send) }
	o.Logger, o.Meter, o.Reporter, o.Getenv = e.Logger, e.Meter, e.Reporter, e.Getenv
	o.Trust = ingest.Trust{Env: s.Ingest.Env, Allow: s.Ingest.Allow}
	if s.Films {
		o.Films = filmOptions(s.Ingest, e.Keep, e.Open)
	}
	return o, nil
}

// framerOptions adds to the options what the configuration says.
func framerOptions(c config.Framer, o framer.Options) framer.Options {
	o.Window, o.Stride, o.Views = c.Window, c.Stride, c.Views
	o.ShortSide, o.Quality, o.Queue, o.AcceptView = c.ShortSide, c.JPEGQuality, c.Queue, c.AcceptView
	return o
}

// ingestOptions are those that the configuration says.
func ingestOptions(c config.Ingest, f config.Framer) (ingest.Options, error) {
	authorities, err := tlsfiles.Authorities(c.TLSCA, "ingest.tls_ca")
	if err != nil {
		return ingest.Options{}, err
	}
	return ingest.Options{
		Window: f.Window, Stride: f.Stride,
		Transport: c.Transport, Protocols: c.Protocols, OpenTimeout: c.OpenTimeout, ReadTimeout: c.ReadTimeout,
		Watchdog: c.Watchdog, Decode: c.Decode, DecodeThreads: c.DecodeThreads,
		Backoff:        ingest.Backoff{Min: c.Backoff.Min, Max: c.Backoff.Max, ResetAfter: c.Backoff.ResetAfter},
		AnyCertificate: !c.TLSVerify, Authorities: authorities,
	}, nil
}

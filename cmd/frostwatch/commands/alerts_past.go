package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
)

// pastTime bounds a command that may read a year of the archive.
const pastTime = 10 * time.Minute

// pastAlerts reads alerts, and what else commands ask the past.
type pastAlerts struct{ *alertlog.Log }

// withPast calls do with the alerts of the configuration, or of the `up` on the
// data directory. Where there is an archive that can't be opened, notes gets the
// reason, and Kafka alone is read.
func (t *target) withPast(ctx context.Context, notes io.Writer, do func(context.Context, *pastAlerts) error) error {
	cfg, err := t.load()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, pastTime)
	defer cancel()
	return t.onKafka(ctx, cfg, func(ctx context.Context, c *bus.Client, n topics.Names) error {
		bucket, err := t.openArchive(ctx)
		if err != nil {
			_, _ = fmt.Fprintf(notes, "only alerts that Kafka still has are read: %s\n", topics.Clean(err.Error()))
		}
		r, err := archive.NewReader(archive.ReaderOptions{Log: c, Bucket: bucket, Names: n})
		if err != nil {
			return err
		}
		p := &pastAlerts{alertlog.New(alertlog.Options{Bus: c, Names: n, Reader: r, Bucket: bucket})}
		err = do(ctx, p)
		if err == nil {
			p.note(notes)
		}
		if bucket != nil {
			err = errors.Join(err, bucket.Close())
		}
		return err
	})
}

// openArchive opens the archive; nil: there is none.
func (t *target) openArchive(ctx context.Context) (*archive.Bucket, error) {
	location, err := t.archive()
	if err != nil || location == "" {
		return nil, err
	}
	return archive.OpenBucket(ctx, location)
}

// note writes what could not be read.
func (p *pastAlerts) note(notes io.Writer) {
	if b := p.Broken(); b.Broken+b.Unreadable > 0 {
		_, _ = fmt.Fprintf(notes, "%s and %s of the archive can't be read (see `frostwatch archive check`): %s\n", counted(b.Broken, "file"), counted(b.Unreadable, "record"), b.Reasons[0])
	}
}

// cameras are those of the table of cameras, by name.
func (p *pastAlerts) cameras(ctx context.Context) (map[string]topics.Camera, error) {
	rows, err := p.Bus.Table(p.Names.Of(topics.Cameras)).List(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the table of cameras: %w", err)
	}
	out := map[string]topics.Camera{}
	for name, m := range rows {
		if c, err := topics.DecodeCamera(m.Value); err == nil {
			out[name] = c
		}
	}
	return out, nil
}

// zones are those of the cameras now. That the table can't be read leaves them unknown.
func (p *pastAlerts) zones(ctx context.Context) calibrate.Zones {
	all, err := p.cameras(ctx)
	if err != nil {
		return nil
	}
	return func(camera string) map[string]topics.Polygon { return all[camera].Zones }
}

// find reads the records of an alert.
func (p *pastAlerts) find(ctx context.Context, id string) (alertlog.View, error) {
	v, err := p.Find(ctx, id)
	if errors.Is(err, alertlog.ErrUnknown) {
		err = p.notFound(id)
	}
	return v, err
}

func (p *pastAlerts) notFound(id string) error {
	kept := "Kafka keeps them for 90 days, and there is no archive"
	if p.Bucket != nil {
		kept = "the archive keeps them for archive.retention.alerts"
	}
	return fmt.Errorf("no alert has the id %q: `frostwatch alerts ls` lists alerts; %s", topics.Clean(id), kept)
}

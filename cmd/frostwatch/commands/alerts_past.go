package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/fleet"
	"github.com/frostwatch/frostwatch/topics"
)

// pastTime bounds a command that may read a year of the archive.
const pastTime = 10 * time.Minute

// lateAlerts is how long after its own time an alert's record may have reached
// Kafka: the clear of a camera that sends no clips carries the time of its last.
const lateAlerts = 24 * time.Hour

// pastAlerts reads alerts: older ones from the archive, the newest from Kafka.
type pastAlerts struct {
	bus    *bus.Client
	names  topics.Names
	reader *archive.Reader
	bucket *archive.Bucket // nil: there is none, or it can't be opened
	now    time.Time
	// archived is whether there is an archive that can be read.
	archived bool
	broken   archive.Counts // what could not be read
}

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
		p := &pastAlerts{bus: c, names: n, reader: r, bucket: bucket, now: time.Now(), archived: bucket != nil}
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
	if b := p.broken; b.Broken+b.Unreadable > 0 {
		_, _ = fmt.Fprintf(notes, "%s and %s of the archive can't be read (see `frostwatch archive check`): %s\n", counted(b.Broken, "file"), counted(b.Unreadable, "record"), b.Reasons[0])
	}
}

// each calls fn for each raise and clear of a range, those of a camera in order.
func (p *pastAlerts) each(ctx context.Context, g archive.Range, fn func(topics.Alert)) error {
	g.Late = lateAlerts
	c, err := p.reader.Alerts(ctx, g, func(r archive.Record[topics.Alert]) error {
		fn(r.Value)
		return nil
	})
	p.broken.Broken += c.Broken
	p.broken.Unreadable += c.Unreadable
	p.broken.Reasons = append(p.broken.Reasons, c.Reasons...)
	return err
}

// open returns the alerts of the table of open alerts, by id.
func (p *pastAlerts) open(ctx context.Context) (map[string]topics.Alert, error) {
	return fleet.OpenAlerts(ctx, p.bus, p.names)
}

// cameras are those of the table of cameras, by name.
func (p *pastAlerts) cameras(ctx context.Context) (map[string]topics.Camera, error) {
	rows, err := p.bus.Table(p.names.Of(topics.Cameras)).List(ctx)
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

// list returns the alerts of a filter's time, and those that are open however old
// they are.
func (p *pastAlerts) list(ctx context.Context, f alertFilter) (*alertList, error) {
	open, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	l := newAlertList(f, open)
	g := archive.Range{Since: f.since, Until: f.until} // of all cameras: an alert may be of several
	if err := p.each(ctx, g, l.add); err != nil {
		return l, err
	}
	if err := p.precede(ctx, l); err != nil || f.until.IsZero() {
		return l, err
	}
	return l, p.conclude(ctx, l)
}

// precedes bounds how long before the range raises are looked for.
const precedes = 24 * time.Hour

// precede looks for the raises, before the range, of alerts that were cleared in it: a
// clear has other values, or none.
func (p *pastAlerts) precede(ctx context.Context, l *alertList) error {
	cameras := map[string]bool{}
	from := l.since
	for _, v := range l.views {
		if v.RaisedAt != nil || !v.Onset.Before(l.since) || v.Onset.Before(l.since.Add(-precedes)) {
			continue
		}
		cameras[v.Camera] = true
		if v.Onset.Before(from) {
			from = v.Onset
		}
	}
	if len(cameras) == 0 {
		return nil
	}
	g := archive.Range{Since: from, Until: l.since, Cameras: slices.Sorted(maps.Keys(cameras))}
	return p.each(ctx, g, func(a topics.Alert) {
		if _, known := l.views[a.ID]; known {
			l.add(a)
		}
	})
}

// conclude looks for the clears, after the range, of alerts that were raised in it
// and are not open any more.
func (p *pastAlerts) conclude(ctx context.Context, l *alertList) error {
	return p.onwards(l.until, func(g archive.Range) (bool, error) {
		cameras := map[string]bool{}
		for id, v := range l.views {
			if _, still := l.listed[id]; v.State == topics.AlertRaised && !still && !cameras[v.Camera] {
				cameras[v.Camera], g.Cameras = true, append(g.Cameras, v.Camera)
			}
		}
		if len(cameras) == 0 {
			return true, nil
		}
		return false, p.each(ctx, g, func(a topics.Alert) {
			if _, known := l.views[a.ID]; known {
				l.add(a)
			}
		})
	})
}

// onwards calls look for stretches of time that follow each other, from a time to
// the newest record, each four times as long as the one before, until it is done:
// most alerts are cleared soon.
func (p *pastAlerts) onwards(from time.Time, look func(archive.Range) (done bool, err error)) error {
	for length := time.Hour; ; length *= 4 {
		g := archive.Range{Since: from, Until: from.Add(length)}
		last := g.Until.After(p.now)
		if last {
			g.Until = time.Time{}
		}
		if done, err := look(g); done || last || err != nil {
			return err
		}
		from = g.Until
	}
}

// ourID is an alert's id as Frostwatch makes it: its rule, then the camera, stream
// epoch and start of the clip of its onset, in milliseconds (topics.ClipID). An alert of
// several cameras may be recorded under another one.
var ourID = regexp.MustCompile(`^[^/]+/[A-Za-z0-9._-]+-(\d{1,13})-(\d{1,13})$`)

// find reads the records of an alert: those from its onset on, which its id names, or
// all where the id has another form.
func (p *pastAlerts) find(ctx context.Context, id string) (alertView, error) {
	views := alertViews{}
	take := func(a topics.Alert) {
		if a.ID == id {
			views.add(a)
		}
	}
	open, err := p.open(ctx)
	if err != nil {
		return alertView{}, err
	}
	if a, is := open[id]; is {
		take(a)
	}
	if m := ourID.FindStringSubmatch(id); m != nil {
		epoch, _ := strconv.ParseInt(m[1], 10, 64) // the pattern lets only digits through
		start, _ := strconv.ParseInt(m[2], 10, 64)
		err = p.onwards(time.UnixMilli(epoch+start), func(g archive.Range) (bool, error) {
			if v, found := views[id]; found {
				g.Cameras = []string{v.Camera}
			}
			err := p.each(ctx, g, take)
			return views[id].ClearedAt != nil, err
		})
	} else {
		err = p.each(ctx, archive.Range{}, take)
	}
	if err != nil {
		return alertView{}, err
	}
	v, ok := views[id]
	if !ok {
		return v, p.notFound(id)
	}
	return v, nil
}

func (p *pastAlerts) notFound(id string) error {
	kept := "Kafka keeps them for 90 days, and there is no archive"
	if p.archived {
		kept = "the archive keeps them for archive.retention.alerts"
	}
	return fmt.Errorf("no alert has the id %q: `frostwatch alerts ls` lists alerts; %s", topics.Clean(id), kept)
}

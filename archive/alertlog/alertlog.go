// Package alertlog reads the alerts of the past as one log: older ones from the archive,
// the newest from Kafka, each raise joined with its escalation and its clear, with what
// people and second opinions said of it. It also records what people say.
package alertlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Options of a Log. Bus, Names and Reader are required.
type Options struct {
	Bus    *bus.Client
	Names  topics.Names
	Reader *archive.Reader
	Bucket *archive.Bucket  // nil: there is no archive, or it can't be opened
	Now    func() time.Time // nil: time.Now
}

// Log is the alerts of the past. Safe for concurrent use.
type Log struct {
	Options
	mu     sync.Mutex
	broken archive.Counts
}

// New returns the log, which reads nothing before its first call.
func New(o Options) *Log {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Log{Options: o}
}

// late is how long after its own time an alert's record may have reached Kafka: the
// clear of a camera that sends no clips carries the time of its last.
const late = 24 * time.Hour

// Each calls fn for each raise, escalation and clear of a range, one call at a time, those
// of a camera in order.
func (l *Log) Each(ctx context.Context, g archive.Range, fn func(topics.Alert)) error {
	g.Late = late
	c, err := l.Reader.Alerts(ctx, g, func(r archive.Record[topics.Alert]) error {
		fn(r.Value)
		return nil
	})
	l.Unread(c)
	return err
}

// maxReasons bounds the reasons that are kept.
const maxReasons = 5

// Unread notes what could not be read.
func (l *Log) Unread(c archive.Counts) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken.Broken += c.Broken
	l.broken.Unreadable += c.Unreadable
	room := max(maxReasons-len(l.broken.Reasons), 0)
	l.broken.Reasons = append(l.broken.Reasons, c.Reasons[:min(room, len(c.Reasons))]...)
}

// Broken is what could not be read so far.
func (l *Log) Broken() archive.Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// OpenAlerts are the alerts of the table of open alerts, by id. Records that are no entry
// of it are left out: anyone may write to the topic.
func OpenAlerts(ctx context.Context, c *bus.Client, n topics.Names) (map[string]topics.Alert, error) {
	rows, err := c.Table(n.Of(topics.OpenAlerts)).List(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the open alerts: %w", err)
	}
	out := map[string]topics.Alert{}
	for key, row := range rows {
		if a, err := topics.DecodeOpenAlert([]byte(key), row.Value); err == nil {
			out[a.ID] = a
		}
	}
	return out, nil
}

// ErrUnknown is of an id that no alert has.
var ErrUnknown = errors.New("no alert has the id")

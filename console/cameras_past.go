package console

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// pastRecords bounds the records of the statuses' topic that are looked through, pastMost
	// the changes that are shown, pastTime how long that may take.
	pastRecords = 20_000
	pastMost    = 100
	pastTime    = 20 * time.Second
)

// StreamChange is what a camera's stream began to do. Its texts are cleaned.
type StreamChange struct {
	At     time.Time `json:"at"`
	State  string    `json:"state"`
	Reason string    `json:"reason,omitempty"`
	Worker string    `json:"worker,omitempty" doc:"only for who sees every camera"`
}

type cameraHistoryOutput struct {
	Body struct {
		Changes []StreamChange `json:"changes" doc:"the newest first"`
		More    bool           `json:"more,omitempty" doc:"there are older ones"`
	}
}

// getHistory reads the statuses that Kafka still has: it keeps all of them for a while, and
// then the newest of each camera.
func (c *Console) getHistory(ctx context.Context, in *cameraInput) (*cameraHistoryOutput, error) {
	t, _, known := c.tile(ctx, in.Camera)
	if !known {
		return nil, noCamera(in.Camera)
	}
	ctx, cancel := context.WithTimeout(ctx, pastTime)
	defer cancel()
	back, err := c.share(ctx, c.looks)
	if err != nil {
		return nil, err
	}
	defer back()
	select {
	case c.finding <- struct{}{}:
		defer func() { <-c.finding }()
	case <-ctx.Done():
		return nil, huma.Error503ServiceUnavailable("others look through the log: try again")
	}
	p := history{camera: t.Camera, workers: c.whoOf(ctx).All}
	if err := c.readHistory(ctx, &p); err != nil {
		return nil, huma.Error503ServiceUnavailable("what the stream did can't be read: " + topics.Clean(err.Error()))
	}
	out := &cameraHistoryOutput{}
	out.Body.Changes, out.Body.More = p.newestFirst(), p.more
	return out, nil
}

func (c *Console) historyOf(ctx context.Context, p *history) error {
	topic := c.Names.Of(topics.Status)
	partition, err := c.Bus.PartitionOf(ctx, topic, []byte(p.camera))
	if err != nil {
		return err
	}
	first, next, err := c.Bus.Bounds(ctx, topic, partition)
	if err != nil {
		return err
	}
	from := max(first, next-pastRecords)
	p.more = from > first
	return c.Bus.Replay(ctx, topic, partition, from, next, p.take)
}

// history is what a camera's stream did.
type history struct {
	camera  string
	workers bool // are named
	changes []StreamChange
	more    bool
}

// take takes over a status, unless it repeats the one before.
func (p *history) take(m bus.Message) error {
	if string(m.Key) != p.camera || len(m.Value) == 0 {
		return nil
	}
	s, err := topics.DecodeStatus(m.Value)
	if err != nil || s.Camera != p.camera {
		return nil //nolint:nilerr // anybody may have written it
	}
	next := StreamChange{At: m.Time, State: string(s.State), Reason: s.Why()}
	if p.workers {
		next.Worker = s.Worker
	}
	if n := len(p.changes); n > 0 && p.changes[n-1].State == next.State && p.changes[n-1].Reason == next.Reason {
		return nil
	}
	if p.changes = append(p.changes, next); len(p.changes) > pastMost {
		p.changes, p.more = p.changes[1:], true
	}
	return nil
}

func (p *history) newestFirst() []StreamChange {
	out := append([]StreamChange{}, p.changes...)
	slices.Reverse(out)
	return out
}

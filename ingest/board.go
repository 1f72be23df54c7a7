package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// board publishes the latest status of each camera of a partition, under the
// partition's lease: once it is another worker's, nothing is published any more.
// Posting never blocks: a status that was not sent yet is replaced by a later
// one of its camera, so that the board is bounded by the number of cameras.
type board struct {
	topic string
	p     partition
	log   *slog.Logger

	mu      sync.Mutex
	pending map[string]*topics.StreamStatus // nil: the status is to be removed, as its camera was
	wake    chan struct{}                   // holds one
	idle    chan struct{}                   // closed while nothing is to be sent
}

func newBoard(topic string, p partition, log *slog.Logger) *board {
	b := &board{
		topic: topic, p: p, log: log,
		pending: map[string]*topics.StreamStatus{}, wake: make(chan struct{}, 1), idle: make(chan struct{}),
	}
	close(b.idle)
	return b
}

func (b *board) post(s topics.StreamStatus) { b.put(s.Camera, &s) }

// clear removes a camera's status.
func (b *board) clear(camera string) { b.put(camera, nil) }

func (b *board) put(camera string, s *topics.StreamStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending[camera] = s
	select {
	case <-b.idle:
		b.idle = make(chan struct{})
	default:
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run sends until ctx ends.
func (b *board) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		}
		_, err := b.p.Send(ctx, b.take(ctx)...)
		if err != nil && ctx.Err() == nil && !errors.Is(err, bus.ErrMoved) {
			b.log.ErrorContext(ctx, "statuses are lost", "error", err)
		}
		b.settle()
	}
}

// take empties the board into messages.
func (b *board) take(ctx context.Context) []bus.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	var msgs []bus.Message
	for camera, s := range b.pending {
		m := bus.Message{Topic: b.topic, Key: []byte(camera)}
		if s != nil {
			s.Generation = b.p.Generation()
			value, err := topics.EncodeStatus(*s)
			if err != nil {
				b.log.ErrorContext(ctx, "status is lost", "camera", camera, "error", err)
				continue
			}
			m.Value = value
		}
		msgs = append(msgs, m)
	}
	clear(b.pending)
	return msgs
}

func (b *board) settle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pending) > 0 {
		return
	}
	select {
	case <-b.idle:
	default:
		close(b.idle)
	}
}

// flush waits until everything posted is sent, or ctx ends.
func (b *board) flush(ctx context.Context) {
	b.mu.Lock()
	idle := b.idle
	b.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// board publishes the latest status of each camera. Posting never blocks: a
// status that was not sent yet is replaced by a later one of its camera, so
// that the board is bounded by the number of cameras.
type board struct {
	topic string
	send  bus.SendFunc
	log   *slog.Logger

	mu      sync.Mutex
	pending map[string]topics.StreamStatus
	wake    chan struct{} // holds one
	idle    chan struct{} // closed while nothing is to be sent
}

func newBoard(topic string, send bus.SendFunc, log *slog.Logger) *board {
	b := &board{
		topic: topic, send: send, log: log,
		pending: map[string]topics.StreamStatus{}, wake: make(chan struct{}, 1), idle: make(chan struct{}),
	}
	close(b.idle)
	return b
}

func (b *board) post(s topics.StreamStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pending[s.Camera] = s
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
		b.mu.Lock()
		var msgs []bus.Message
		for name, s := range b.pending {
			m, err := b.message(s)
			if err != nil {
				b.log.ErrorContext(ctx, "status is lost", "camera", name, "error", err)
				continue
			}
			msgs = append(msgs, m)
		}
		clear(b.pending)
		b.mu.Unlock()
		if _, err := b.send(ctx, msgs...); err != nil && ctx.Err() == nil {
			b.log.ErrorContext(ctx, "statuses are lost", "error", err)
		}
		b.mu.Lock()
		if len(b.pending) == 0 {
			select {
			case <-b.idle:
			default:
				close(b.idle)
			}
		}
		b.mu.Unlock()
	}
}

func (b *board) message(s topics.StreamStatus) (bus.Message, error) {
	value, err := topics.EncodeStatus(s)
	if err != nil {
		return bus.Message{}, fmt.Errorf("encode status of %s: %w", s.Camera, err)
	}
	return bus.Message{Topic: b.topic, Key: []byte(s.Camera), Value: value}, nil
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

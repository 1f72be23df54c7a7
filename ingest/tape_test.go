package ingest

import (
	"context"
	"sync"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// tape is a partition whose records the test writes.
type tape struct {
	send      bus.SendFunc
	committed int64
	mu        sync.Mutex
	records   []bus.Message // the offset is the index; one without a key was compacted away
	at        int
	grown     chan struct{}
	moved     bool // to another worker
}

func newTape(committed int64) *tape { return &tape{committed: committed, grown: make(chan struct{})} }

func (p *tape) write(key, value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records = append(p.records, bus.Message{Topic: "t.cameras", Offset: int64(len(p.records)), Key: []byte(key), Value: []byte(value)})
	close(p.grown)
	p.grown = make(chan struct{})
}

func (p *tape) ID() int          { return 0 }
func (p *tape) Generation() int  { return 7 }
func (p *tape) Committed() int64 { return p.committed }

func (p *tape) ReadToEnd(ctx context.Context, from int64, fn func(bus.Message) error) error {
	p.mu.Lock()
	end := len(p.records)
	p.mu.Unlock()
	for p.at = int(from); p.at < end; {
		m, err := p.Fetch(ctx)
		if err != nil {
			return err
		}
		if err := fn(m); err != nil {
			return err
		}
	}
	return nil
}

func (p *tape) Fetch(ctx context.Context) (bus.Message, error) {
	for {
		p.mu.Lock()
		for p.at < len(p.records) && len(p.records[p.at].Key) == 0 {
			p.at++
		}
		if p.at < len(p.records) {
			m := p.records[p.at]
			p.at++
			p.mu.Unlock()
			return m, nil
		}
		grown := p.grown
		p.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
			return bus.Message{}, ctx.Err()
		}
	}
}

func (p *tape) Commit(_ context.Context, next int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.committed = next
	return nil
}

func (p *tape) Send(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
	p.mu.Lock()
	moved := p.moved
	p.mu.Unlock()
	if moved {
		return nil, bus.ErrMoved
	}
	return p.send(ctx, msgs...)
}

// move gives the partition to another worker, before this one knows.
func (p *tape) move() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved = true
}

func (p *tape) done() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.committed
}

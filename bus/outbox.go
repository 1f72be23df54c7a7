package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// produceTime bounds one attempt to send a batch.
	produceTime = 5 * time.Second
	// batchRecords bounds the records of one request.
	batchRecords = 500
	// batchOverhead is what a batch adds to its records on the wire.
	batchOverhead = 61 // bytes
)

// parcel is one message that is being sent.
type parcel struct {
	msg     Message
	size    int
	by      *permit
	givenUp <-chan struct{} // closed when its caller waits no longer
	why     func() error    // why it was given up

	done   chan struct{} // closed when offset and err are set
	offset int64
	err    error

	mu   sync.Mutex
	last error // of the latest attempt
}

func newParcel(ctx context.Context, m Message, by *permit) *parcel {
	size := batchOverhead + 21 + len(m.Key) + len(m.Value) // 21: the most that a record's numbers take
	for _, h := range m.Headers {
		size += 6 + len(h.Key) + len(h.Value)
	}
	if !m.Since.IsZero() {
		size += 6 + len(topics.HeaderQueued) + 20
	}
	return &parcel{msg: m, size: size, by: by, givenUp: ctx.Done(), why: ctx.Err, done: make(chan struct{})}
}

func (p *parcel) finished() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *parcel) finish(offset int64, err error) {
	p.offset, p.err = offset, err
	close(p.done)
	if p.by != nil {
		p.by.leave(1)
	}
}

func (p *parcel) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = err
}

func (p *parcel) lastError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// unsent is the error of a message whose sending was ended by why before it was
// acknowledged.
func (p *parcel) unsent(why error) error {
	last := p.lastError()
	switch {
	case !errors.Is(why, context.DeadlineExceeded) && !errors.Is(why, context.Canceled):
		return fmt.Errorf("send to topic %s: %w", p.msg.Topic, errors.Join(why, last))
	case last != nil: // says what was asked, of which broker
		return &callError{last.Error(), errors.Join(why, last)}
	}
	return &callError{fmt.Sprintf("send to topic %s: not acknowledged in time", p.msg.Topic), why}
}

// place is a partition of a topic.
type place struct {
	topic     string
	partition int
}

// outbox sends the records of one partition in order: one request is in flight at a
// time, and one that fails is repeated before the next. Messages that arrive
// meanwhile are sent together in the next request. The queue is bounded because its
// callers wait for their messages.
type outbox struct {
	place
	queue []*parcel // guarded by Client.mu
}

// post queues the parcels of one call, next to each other.
func (c *Client) post(all []*parcel) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errors.New("send to kafka: the client is closed")
	}
	for _, p := range all {
		at := place{p.msg.Topic, p.msg.Partition}
		o := c.outboxes[at]
		if o == nil {
			o = &outbox{place: at}
			c.outboxes[at] = o
			c.sending.Go(func() { c.run(o) })
		}
		o.queue = append(o.queue, p)
	}
	return nil
}

// run sends until the outbox is empty.
func (c *Client) run(o *outbox) {
	for {
		batch := c.take(o)
		if batch == nil {
			return
		}
		c.deliver(o, batch)
	}
}

// take returns what goes into the next request; nil if there is nothing, and the
// outbox is removed.
func (c *Client) take(o *outbox) []*parcel {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(o.queue) == 0 {
		delete(c.outboxes, o.place)
		return nil
	}
	n, size := 0, 0
	for ; n < len(o.queue) && n < batchRecords; n++ {
		if size += o.queue[n].size; n > 0 && size > c.MaxRecordBytes {
			break
		}
	}
	batch := o.queue[:n:n]
	o.queue = o.queue[n:]
	return batch
}

// deliver sends a batch again and again until it is acknowledged, refused for good,
// or no caller waits for it any more.
func (c *Client) deliver(o *outbox, batch []*parcel) {
	wait := 50 * time.Millisecond
	var logged time.Time
	for {
		if batch = c.wanted(batch); len(batch) == 0 {
			return
		}
		base, err := c.produce(o, batch)
		switch {
		case err == nil:
			for i, p := range batch {
				p.finish(base+int64(i), nil)
			}
			return
		case permanent(err) && len(batch) > 1:
			// Kafka refuses a request as a whole: try each message alone.
			for i := range batch {
				c.deliver(o, batch[i:i+1])
			}
			return
		case permanent(err):
			batch[0].finish(0, err)
			return
		}
		for _, p := range batch {
			p.note(err)
		}
		if time.Since(logged) > time.Minute {
			c.Logger.Warn("kafka: sending failed, trying again", "topic", o.topic, "partition", o.partition, "error", err)
			logged = time.Now()
		}
		pause.For(c.life, wait/2+rand.N(wait))
		wait = min(2*wait, 500*time.Millisecond)
	}
}

// wanted leaves out messages that must not be sent any more.
func (c *Client) wanted(batch []*parcel) []*parcel {
	kept := batch[:0]
	for _, p := range batch {
		var err error
		select {
		case <-c.life.Done():
			err = errors.New("the client is closed")
		case <-p.givenUp:
			err = p.why()
		default:
			if p.by != nil {
				err = p.by.may()
			}
		}
		if err != nil {
			p.finish(0, p.unsent(err))
			continue
		}
		kept = append(kept, p)
	}
	return kept
}

// produce sends a batch once and returns the first record's offset.
func (c *Client) produce(o *outbox, batch []*parcel) (int64, error) {
	if len(batch) == 1 && batch[0].size > c.MaxRecordBytes {
		text := fmt.Sprintf("send to topic %s: the record is %d bytes long, at most %d are allowed", o.topic, batch[0].size, c.MaxRecordBytes)
		return 0, &callError{text, kafka.MessageSizeTooLarge}
	}
	ctx, cancel := context.WithTimeout(c.life, produceTime)
	defer cancel()
	records := make([]kafka.Record, len(batch))
	now := time.Now()
	for i, p := range batch {
		records[i] = kafka.Record{Time: p.msg.Time, Headers: toHeaders(p.msg.queued(now)), Value: kafka.NewBytes(p.msg.Value)}
		if p.msg.Time.IsZero() {
			records[i].Time = now
		}
		if p.msg.Key != nil {
			records[i].Key = kafka.NewBytes(p.msg.Key)
		}
	}
	resp, err := c.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: o.topic, Partition: o.partition, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
	})
	if err == nil {
		err = resp.Error
	}
	if err != nil {
		return 0, c.inWords("send to topic "+o.topic, "", err)
	}
	c.clock.note(time.Since(now), resp.LogAppendTime)
	return resp.BaseOffset, nil
}

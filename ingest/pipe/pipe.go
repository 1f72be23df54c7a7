// Package pipe carries messages between an ingest worker and the processes that read
// cameras for it (docs/design.md, "What is not obvious"). What comes is bounded before it
// is taken: the process at the other end parses what cameras send.
package pipe

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/frostwatch/frostwatch/topics"
)

const (
	maxHead = 4 << 20 // a setup, or counts of many cameras
	maxBody = topics.MaxRecordBytes
	// roomy is how many messages may wait before Post waits.
	roomy = 256
	// most is how many may wait in all: the other end reads nothing any more.
	most = 1 << 16
	// mostBytes bounds their bodies.
	mostBytes = 64 << 20
)

// ErrClosed is returned once the other end is gone.
var ErrClosed = errors.New("the other process has ended")

// Conn is one end. Any goroutine may send; one receives.
type Conn struct {
	in  *bufio.Reader
	out io.Writer

	mu      sync.Mutex
	waiting []Message // oldest first
	bytes   int       // of their bodies
	fed     chan struct{}
	drained chan struct{} // closed and replaced whenever messages were taken
	closed  chan struct{}
	over    bool
	ending  bool

	calls map[uint64]chan Message
	next  uint64
}

// New makes an end; Run sends what is put into it.
func New(in io.Reader, out io.Writer) *Conn {
	return &Conn{
		in: bufio.NewReaderSize(in, 64<<10), out: out,
		fed: make(chan struct{}, 1), drained: make(chan struct{}), closed: make(chan struct{}), calls: map[uint64]chan Message{},
	}
}

// Close ends all that waits for the other end; what was put and not sent is dropped.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.over = true
		close(c.closed)
	}
}

// End lets Run return once all that was put is sent.
func (c *Conn) End() {
	c.mu.Lock()
	c.ending = true
	c.mu.Unlock()
	c.feed()
}

// Put queues a message and never waits. Where the other end has read nothing for so long
// that too many wait, the connection is closed.
func (c *Conn) Put(m Message) {
	c.mu.Lock()
	full := len(c.waiting) >= most || c.bytes+len(m.Body) > mostBytes
	if !full && !c.over {
		c.waiting = append(c.waiting, m)
		c.bytes += len(m.Body)
	}
	c.mu.Unlock()
	if full {
		c.Close()
		return
	}
	c.feed()
}

func (c *Conn) feed() {
	select {
	case c.fed <- struct{}{}:
	default:
	}
}

// Post queues a message once there is room for it.
func (c *Conn) Post(ctx context.Context, m Message) error {
	for {
		c.mu.Lock()
		room, drained := len(c.waiting) < roomy, c.drained
		c.mu.Unlock()
		if room {
			c.Put(m)
			return nil
		}
		select {
		case <-drained:
		case <-c.closed:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Run sends until Close or End is called, or the other end is gone.
func (c *Conn) Run() error {
	defer c.Close()
	w := bufio.NewWriterSize(c.out, 64<<10)
	for {
		select {
		case <-c.closed:
			return nil
		case <-c.fed:
		}
		for batch := c.take(); len(batch) > 0; batch = c.take() {
			for _, m := range batch {
				if err := write(w, m); err != nil {
					return err
				}
			}
		}
		if err := w.Flush(); err != nil {
			return fmt.Errorf("send to the other process: %w", err)
		}
		if c.sent() {
			return nil
		}
	}
}

// sent is whether all is sent that will be.
func (c *Conn) sent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending && len(c.waiting) == 0
}

func (c *Conn) take() []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch := c.waiting
	c.waiting, c.bytes = nil, 0
	if len(batch) > 0 {
		close(c.drained)
		c.drained = make(chan struct{})
	}
	return batch
}

func write(w io.Writer, m Message) error {
	head, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	var lengths [8]byte
	binary.BigEndian.PutUint32(lengths[:4], uint32(len(head)))
	binary.BigEndian.PutUint32(lengths[4:], uint32(len(m.Body)))
	for _, part := range [][]byte{lengths[:], head, m.Body} {
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("send to the other process: %w", err)
		}
	}
	return nil
}

// Receive returns the next message. Answers to calls are handed to those who wait. io.EOF
// is the end of the other process.
func (c *Conn) Receive() (Message, error) {
	for {
		m, err := c.read()
		if err != nil {
			return m, err
		}
		if m.Kind != Answer {
			return m, nil
		}
		c.mu.Lock()
		waits := c.calls[m.ID]
		delete(c.calls, m.ID)
		c.mu.Unlock()
		if waits != nil {
			waits <- m
		}
	}
}

func (c *Conn) read() (m Message, err error) {
	var lengths [8]byte
	if _, err := io.ReadFull(c.in, lengths[:]); err != nil {
		return m, err
	}
	head, body := binary.BigEndian.Uint32(lengths[:4]), binary.BigEndian.Uint32(lengths[4:])
	if head > maxHead || body > maxBody {
		return m, fmt.Errorf("a message of %d and %d bytes: want at most %d and %d", head, body, maxHead, maxBody)
	}
	raw := make([]byte, head)
	if _, err := io.ReadFull(c.in, raw); err != nil {
		return m, err
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("decode a message: %w", err)
	}
	if body > 0 {
		m.Body = make([]byte, body)
		if _, err := io.ReadFull(c.in, m.Body); err != nil {
			return m, err
		}
	}
	return m, nil
}

// Call sends a message and waits for its answer. Where ctx ends first, the other end is
// asked to stop.
func (c *Conn) Call(ctx context.Context, m Message) (Message, error) {
	answer := make(chan Message, 1)
	c.mu.Lock()
	c.next++
	m.ID = c.next
	c.calls[m.ID] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.calls, m.ID)
	}()
	c.Put(m)
	select {
	case a := <-answer:
		return a, nil
	case <-c.closed:
		return Message{}, ErrClosed
	case <-ctx.Done():
		c.Put(Message{Kind: Cancel, ID: m.ID})
		return Message{}, ctx.Err()
	}
}

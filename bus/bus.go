// Package bus is Frostwatch's one door to Kafka: topics made at start, sends
// that return when acknowledged, consumer groups that hand out partitions, and
// reads outside any group. It wraps kafka-go and rides out a broker that is
// away: calls go on trying until their context ends.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// Header is one Kafka record header.
type Header struct {
	Key   string
	Value []byte
}

// Message is one Kafka record. A record with an empty value on a compacted
// topic removes its key.
type Message struct {
	Topic      string
	Partition  int   // set on reading
	Offset     int64 // set on reading
	Key, Value []byte
	// PartitionBy, on sending, is the key to whose partition the record goes: that
	// of a camera, so that all that is of one camera stays in one partition. nil: Key.
	PartitionBy []byte
	Headers     []Header
	Time        time.Time // of the broker's or the producer's clock; zero on sending: now
	// Since, on sending, is since when what the record says has waited to be sent:
	// how long that was is written to topics.HeaderQueued at each attempt. Zero: it
	// has not waited.
	Since time.Time
}

// Options of a Client.
type Options struct {
	Brokers  []string // host:port, at least one
	ClientID string
	Logger   *slog.Logger
	// MaxRecordBytes bounds one record, both ways. 0: 4 MiB.
	MaxRecordBytes int
}

// Client speaks to one Kafka cluster. Safe for concurrent use.
type Client struct {
	Options
	transport *kafka.Transport
	client    *kafka.Client
	clock     clock
	spread    atomic.Uint64 // over the partitions, for messages without a key

	life     context.Context // of the outboxes: ends with Close
	end      context.CancelFunc
	sending  sync.WaitGroup
	mu       sync.Mutex
	outboxes map[place]*outbox
	closed   bool
}

// New makes a client; nothing is sent before its first use.
func New(o Options) (*Client, error) {
	if len(o.Brokers) == 0 {
		return nil, errors.New("kafka: no brokers are configured")
	}
	if o.Logger == nil {
		return nil, errors.New("kafka: logger is required")
	}
	if o.MaxRecordBytes == 0 {
		o.MaxRecordBytes = 4 << 20
	}
	address := kafka.TCP(o.Brokers...)
	transport := &kafka.Transport{
		ClientID:    o.ClientID,
		DialTimeout: 2 * time.Second,
		// A topic made a moment ago must be writable a moment later.
		MetadataTTL: time.Second,
	}
	c := &Client{
		Options:   o,
		transport: transport,
		client:    &kafka.Client{Addr: address, Transport: transport, Timeout: 10 * time.Second},
		outboxes:  map[place]*outbox{},
	}
	c.life, c.end = context.WithCancel(context.Background())
	return c, nil
}

// Close gives connections back; sends in flight fail.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	c.sending.Wait()
	c.transport.CloseIdleConnections()
	return nil
}

// Ping asks any broker for the cluster's brokers.
func (c *Client) Ping(ctx context.Context) error {
	dialer := &kafka.Dialer{ClientID: c.ClientID, Timeout: 2 * time.Second}
	var last error
	for _, broker := range c.Brokers {
		conn, err := dialer.DialContext(ctx, "tcp", broker)
		if err != nil {
			last = err
			continue
		}
		if deadline, ok := ctx.Deadline(); ok { // the dialer's is over
			_ = conn.SetDeadline(deadline)
		}
		_, err = conn.Brokers()
		if closing := conn.Close(); err == nil {
			err = closing
		}
		if err == nil {
			return nil
		}
		last = err
	}
	return fmt.Errorf("reach kafka: %w", last)
}

// retry calls try until it succeeds, fails for good, or ctx ends. Waits grow
// from 50 ms to 1 s with jitter, and what is being waited for is logged when
// it starts and each minute.
func (c *Client) retry(ctx context.Context, doing string, try func() error) error {
	wait := 50 * time.Millisecond
	var logged time.Time
	for {
		err := try()
		if err == nil || permanent(err) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", doing, errors.Join(ctx.Err(), err))
		}
		if time.Since(logged) > time.Minute {
			c.Logger.WarnContext(ctx, "kafka: trying again", "doing", doing, "error", err)
			logged = time.Now()
		}
		if !pause.For(ctx, wait/2+rand.N(wait)) {
			return fmt.Errorf("%s: %w", doing, errors.Join(ctx.Err(), err))
		}
		wait = min(2*wait, time.Second)
	}
}

// permanent errors are the same however often the call is repeated.
func permanent(err error) bool {
	var large kafka.MessageTooLargeError
	if errors.As(err, &large) || errors.Is(err, ErrMoved) {
		return true
	}
	for _, code := range []kafka.Error{
		kafka.MessageSizeTooLarge, kafka.InvalidTopic, kafka.TopicAuthorizationFailed,
		kafka.GroupAuthorizationFailed, kafka.ClusterAuthorizationFailed, kafka.SASLAuthenticationFailed,
		kafka.InvalidConfiguration, kafka.InvalidReplicationFactor, kafka.InvalidPartitionNumber, kafka.PolicyViolation,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// Package bus is how Frostwatch talks to Kafka: it creates topics, sends records and
// waits until they are acknowledged, shares partitions in consumer groups, and reads
// topics outside any group. It wraps kafka-go. While a broker is away, calls are
// repeated until their context ends.
package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/internal/tlsfiles"
	"github.com/frostwatch/frostwatch/topics"
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
	// PartitionBy, on sending, is the key by which the partition is chosen: that of a
	// camera, so that all records about one camera are in one partition. nil: Key.
	PartitionBy []byte
	Headers     []Header
	Time        time.Time // of the broker's or the producer's clock; zero on sending: now
	// Since, on sending, is when the record was ready to be sent. How long it has
	// waited is written to topics.HeaderQueued at each attempt. Zero: it has not
	// waited.
	Since time.Time
}

// Options of a Client.
type Options struct {
	Brokers  []string // host:port, at least one
	ClientID string
	TLS      *tlsfiles.Options // nil: none
	SASL     *SASLOptions      // nil: none
	Logger   *slog.Logger
	// MaxRecordBytes bounds a record that is sent. 0: topics.MaxRecordBytes.
	MaxRecordBytes int
	Meter          metric.Meter // nil: nothing is measured
}

// Client speaks to one Kafka cluster. Safe for concurrent use.
type Client struct {
	Options
	dialer    *dialer
	tls       *tls.Config
	sasl      sasl.Mechanism
	address   net.Addr // of all configured brokers
	transport *kafka.Transport
	client    *kafka.Client
	metrics   metrics
	clock     clock
	spread    atomic.Uint64 // counts messages without a key, which go to the partitions in turn

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
		o.MaxRecordBytes = topics.MaxRecordBytes
	}
	if o.Meter == nil {
		o.Meter = noop.NewMeterProvider().Meter("bus")
	}
	c := &Client{Options: o, address: kafka.TCP(o.Brokers...), dialer: &dialer{open: map[net.Conn]struct{}{}}, outboxes: map[place]*outbox{}}
	var errs [3]error
	c.tls, errs[0] = o.TLS.Config("kafka.tls")
	c.sasl, errs[1] = o.SASL.mechanism()
	c.metrics, errs[2] = newMetrics(o.Meter)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	c.transport = &kafka.Transport{
		ClientID: o.ClientID, Dial: c.dialer.dial, DialTimeout: dialTime, TLS: c.tls, SASL: c.sasl,
		// A topic made a moment ago must be writable a moment later.
		MetadataTTL: time.Second,
	}
	c.client = &kafka.Client{Addr: c.address, Transport: c.transport, Timeout: 2 * callTime}
	c.life, c.end = context.WithCancel(context.Background())
	return c, nil
}

// Close closes all connections; sends in flight fail.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	c.transport.CloseIdleConnections()
	c.dialer.close()
	c.sending.Wait()
	return nil
}

package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

const (
	// dialTime bounds connecting, with TLS and SASL.
	dialTime = 3 * time.Second
	// idleTime bounds a read or write for which kafka-go has set no deadline of its
	// own, as those of a SASL exchange. A broker that accepts a connection and does
	// not answer counts as away.
	idleTime = 10 * time.Second
)

// SASLOptions are a login.
type SASLOptions struct {
	Mechanism string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	Username  string
	Password  string
}

// dialer opens every connection of a client, and can close all of them.
type dialer struct {
	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTime}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	c := &deadlineConn{Conn: conn, dialer: d}
	d.open[c] = struct{}{}
	return c, nil
}

// close closes all connections, also those that are in use.
func (d *dialer) close() {
	d.mu.Lock()
	d.closed = true
	open := d.open
	d.open = nil
	d.mu.Unlock()
	for c := range open {
		_ = c.Close()
	}
}

// deadlineConn is a connection on which nothing waits for ever: while no deadline is
// set, each read and write has one of idleTime. It is read by one goroutine and
// written by one, as kafka-go does.
type deadlineConn struct {
	net.Conn
	dialer      *dialer
	mu          sync.Mutex
	read, write bool // a deadline is set
}

func (c *deadlineConn) Close() error {
	c.dialer.mu.Lock()
	delete(c.dialer.open, c)
	c.dialer.mu.Unlock()
	return c.Conn.Close()
}

func (c *deadlineConn) set(t time.Time, read, write bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if read {
		c.read = !t.IsZero()
	}
	if write {
		c.write = !t.IsZero()
	}
}

func (c *deadlineConn) SetDeadline(t time.Time) error {
	c.set(t, true, true)
	return c.Conn.SetDeadline(t)
}

func (c *deadlineConn) SetReadDeadline(t time.Time) error {
	c.set(t, true, false)
	return c.Conn.SetReadDeadline(t)
}

func (c *deadlineConn) SetWriteDeadline(t time.Time) error {
	c.set(t, false, true)
	return c.Conn.SetWriteDeadline(t)
}

func (c *deadlineConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	if !c.read {
		_ = c.Conn.SetReadDeadline(time.Now().Add(idleTime))
	}
	c.mu.Unlock()
	return c.Conn.Read(b)
}

func (c *deadlineConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	if !c.write {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(idleTime))
	}
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (o *SASLOptions) mechanism() (sasl.Mechanism, error) {
	if o == nil {
		return nil, nil
	}
	var algorithm scram.Algorithm
	switch o.Mechanism {
	case "PLAIN":
		return plain.Mechanism{Username: o.Username, Password: o.Password}, nil
	case "SCRAM-SHA-256":
		algorithm = scram.SHA256
	case "SCRAM-SHA-512":
		algorithm = scram.SHA512
	default:
		return nil, fmt.Errorf("kafka: SASL mechanism %q: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", o.Mechanism)
	}
	m, err := scram.Mechanism(algorithm, o.Username, o.Password)
	if err != nil {
		return nil, fmt.Errorf("kafka: SASL: %w", err)
	}
	return m, nil
}

// Ping asks the configured brokers, one after the other, which brokers the cluster
// has, until one answers or ctx ends. Each gets an equal share of the time left.
func (c *Client) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var last error
	for i, broker := range c.Brokers {
		deadline, _ := ctx.Deadline()
		one, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(c.Brokers)-i))
		err := c.pingOne(one, broker)
		cancel()
		if err == nil {
			return nil
		}
		last = err
	}
	return c.explain(ctx, last)
}

// pingOne returns when ctx ends, whatever it is waiting for.
func (c *Client) pingOne(ctx context.Context, broker string) error {
	d := &kafka.Dialer{ClientID: c.ClientID, TLS: c.tls, SASLMechanism: c.sasl}
	d.DialFunc = func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := c.dialer.dial(dialing, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	}
	conn, err := d.DialContext(ctx, "tcp", broker)
	if err != nil {
		return c.inWords("connect", broker, answered(ctx, err))
	}
	defer func() { _ = conn.Close() }()
	brokers, err := conn.Brokers()
	if err == nil && len(brokers) == 0 {
		return &callError{fmt.Sprintf("look up brokers: kafka at %s knows of none yet", broker), kafka.BrokerNotAvailable}
	}
	return c.inWords("look up brokers", broker, answered(ctx, err))
}

// answered is the error of a call whose connection is closed when ctx ends: that it
// was closed says nothing then.
func answered(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

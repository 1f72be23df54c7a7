package bus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// refusedError is an error without a code of Kafka that stays the same however often
// the call is repeated.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }

// Permanent is whether a call will fail the same way however often it is repeated:
// because a record is too large, or because the broker does not allow the call or
// the connection. The client itself repeats calls that fail otherwise.
func Permanent(err error) bool { return err != nil && permanent(err) }

func permanent(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, ErrMoved) || errors.As(err, new(*refusedError)) || errors.As(err, new(kafka.MessageTooLargeError)) || refusesTLS(err) {
		return true
	}
	for _, code := range []kafka.Error{
		kafka.MessageSizeTooLarge, kafka.InvalidRecord, kafka.InvalidTopic, kafka.TopicAuthorizationFailed,
		kafka.GroupAuthorizationFailed, kafka.ClusterAuthorizationFailed, kafka.SASLAuthenticationFailed,
		kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState, kafka.UnsupportedVersion,
		kafka.InvalidConfiguration, kafka.InvalidReplicationFactor, kafka.InvalidPartitionNumber, kafka.PolicyViolation,
		kafka.InconsistentGroupProtocol, kafka.InvalidGroupId, kafka.InvalidSessionTimeout, kafka.GroupMaxSizeReached,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// refusesTLS is whether one side refuses the other's certificate, or does not
// speak TLS at all.
func refusesTLS(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" { // an alert of TLS: the other side refuses our certificate
		return true
	}
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.UnknownAuthorityError)) ||
		errors.As(err, new(x509.HostnameError)) || errors.As(err, new(tls.RecordHeaderError)) || errors.As(err, new(tls.AlertError)) ||
		mentions(err, expectsTLS)
}

// retry calls try until it succeeds, fails for good, or ctx ends. Pauses grow from
// 50 ms to 1 s, with jitter. The first failure is logged, and one each minute after.
func (c *Client) retry(ctx context.Context, doing string, try func() error) error {
	wait := 50 * time.Millisecond
	var logged time.Time
	for tries := 1; ; tries++ {
		err := try()
		if err != nil && tries%20 == 3 {
			err = c.explain(ctx, err)
		}
		if err == nil || permanent(err) {
			return err
		}
		if ctx.Err() != nil {
			return givenUp(ctx, doing, err)
		}
		if time.Since(logged) > time.Minute {
			c.Logger.WarnContext(ctx, "kafka: trying again", "doing", doing, "error", err)
			logged = time.Now()
		}
		if !pause.For(ctx, wait/2+rand.N(wait)) {
			return givenUp(ctx, doing, err)
		}
		wait = min(2*wait, time.Second)
	}
}

// givenUp is the error of what was tried until ctx ended: the last try says why.
func givenUp(ctx context.Context, doing string, last error) error {
	if errors.As(last, new(*callError)) {
		return &callError{last.Error(), errors.Join(ctx.Err(), last)}
	}
	return &callError{doing + ": " + outcomeOfWaiting(last), errors.Join(ctx.Err(), last)}
}

func outcomeOfWaiting(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "it was not waited for"
	case errors.Is(err, context.DeadlineExceeded):
		return "not done in time"
	}
	return err.Error()
}

// explain finds out why a broker closes the connection. One that requires SASL does
// so without an answer at the first request of a client that does not log in; some do
// so after a wrong login.
func (c *Client) explain(ctx context.Context, err error) error {
	if !hungUp(err) || ctx.Err() != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	for _, broker := range c.Brokers {
		offers, _ := c.offersSASL(ctx, broker, c.tls)
		switch {
		case len(offers) == 0 && c.tls != nil:
			if _, answers := c.offersSASL(ctx, broker, nil); answers {
				return &refusedError{fmt.Sprintf("kafka: broker %s does not speak TLS at this address: see kafka.tls", broker)}
			}
		case len(offers) == 0:
		case c.sasl == nil:
			return &refusedError{fmt.Sprintf("kafka: broker %s requires SASL (%s): set kafka.sasl", broker, strings.Join(offers, ", "))}
		case !slices.Contains(offers, c.SASL.Mechanism):
			return &refusedError{fmt.Sprintf("kafka: broker %s accepts SASL by %s, not by %s: see kafka.sasl", broker, strings.Join(offers, ", "), c.SASL.Mechanism)}
		case refusesLogin(c.pingOne(ctx, broker)):
			return &refusedError{fmt.Sprintf("kafka: broker %s closes the connection at the login of %q by %s: Authentication failed, see kafka.sasl", broker, c.SASL.Username, c.SASL.Mechanism)}
		}
	}
	return err
}

func refusesLogin(err error) bool {
	return hungUp(err) || errors.Is(err, kafka.SASLAuthenticationFailed)
}

func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// offersSASL returns the mechanisms that a broker accepts at this address; none if it
// needs no login there, or does not answer.
func (c *Client) offersSASL(ctx context.Context, broker string, secure *tls.Config) (names []string, answers bool) {
	conn, err := c.dialer.dial(ctx, "tcp", broker)
	if err != nil {
		return nil, false
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if secure != nil {
		config := secure.Clone()
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(broker)
		}
		conn = tls.Client(conn, config)
	}
	ask := &call{api: protocol.SaslHandshake, version: 1, client: c.ClientID}
	ask.body.string("none") // so that it lists those that it supports
	answer, err := ask.RawExchange(conn)
	if err != nil {
		return nil, false
	}
	r := wireReader{b: answer.(*call).answer}
	if code := r.int16(); kafka.Error(code) == kafka.UnsupportedSASLMechanism {
		for range r.count(2) {
			names = append(names, r.string())
		}
	}
	return names, true
}

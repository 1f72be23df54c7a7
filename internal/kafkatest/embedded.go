// Package kafkatest starts brokers for tests: the embedded one, and a real
// Apache Kafka from Maven Central.
package kafkatest

import (
	"log/slog"
	"net"
	"strconv"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

// Broker is a running broker that ends with the test.
type Broker interface {
	Addr() string // host:port
	// Restart stops it gently and starts it again on the same port and files.
	Restart(t testing.TB)
}

type inProcess struct {
	options embedded.BrokerOptions
	broker  *embedded.Broker
}

// StartEmbedded starts the broker that `frostwatch up` runs.
func StartEmbedded(t testing.TB) Broker {
	t.Helper()
	return StartEmbeddedIn(t, t.TempDir())
}

// StartEmbeddedIn is StartEmbedded with its files in a folder.
func StartEmbeddedIn(t testing.TB, dir string) Broker {
	t.Helper()
	b := &inProcess{options: embedded.BrokerOptions{Dir: dir, Port: freePort(t), Logger: slog.New(slog.DiscardHandler)}}
	b.start(t)
	t.Cleanup(func() { b.broker.Close() })
	return b
}

func (b *inProcess) start(t testing.TB) {
	t.Helper()
	started, err := embedded.StartBroker(b.options)
	if err != nil {
		t.Fatal(err)
	}
	b.broker = started
}

func (b *inProcess) Addr() string { return b.broker.Addr() }

func (b *inProcess) Restart(t testing.TB) {
	t.Helper()
	b.broker.Close()
	b.start(t)
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

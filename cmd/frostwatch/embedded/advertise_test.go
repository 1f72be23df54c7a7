package embedded_test

import (
	"io"
	"log/slog"
	"net"
	"strconv"
	"testing"

	"github.com/segmentio/kafka-go"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

// Whoever reaches the broker by its own address is told of the other one.
func TestClientsAreToldTheAdvertisedAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := embedded.StartBroker(embedded.BrokerOptions{Dir: t.TempDir(), Port: port, Advertise: "127.0.0.1:19", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	conn, err := kafka.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	brokers, err := conn.Brokers()
	if err != nil || len(brokers) != 1 || brokers[0].Host != "127.0.0.1" || brokers[0].Port != 19 || b.Addr() != "127.0.0.1:19" {
		t.Errorf("%v, %v, %s", brokers, err, b.Addr())
	}
}

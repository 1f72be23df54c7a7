package bus_test

import (
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/frostwatch/frostwatch/bus"
)

// farAway is a listener whose answers take a while, as a broker's do over a bad
// link or under load.
type farAway struct {
	net.Listener
	delay time.Duration
}

func (l farAway) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return lateConn{c, l.delay}, err
}

type lateConn struct {
	net.Conn
	delay time.Duration
}

func (c lateConn) Write(b []byte) (int, error) {
	time.Sleep(c.delay)
	return c.Conn.Write(b)
}

func TestABrokerThatAnswersLateIsRead(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "far"), kfake.ListenFn(func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		return farAway{l, 400 * time.Millisecond}, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	ctx, c := within(t, 30*time.Second), clientOf(t, cluster.ListenAddrs(), slog.New(slog.DiscardHandler))
	for _, value := range []string{"a", "b"} {
		if _, err := c.Send(ctx, bus.Message{Topic: "far", Key: []byte("k"), Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
	}
	got := ""
	err = c.ReadAll(ctx, "far", time.Time{}, true, func(m bus.Message) error {
		if got += string(m.Value); got == "ab" {
			return bus.ErrStop
		}
		return nil
	})
	if err != nil || got != "ab" {
		t.Errorf("read %q, %v", got, err)
	}
}

package kafkatest

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Freezer is a broker that can be made to accept connections without answering.
type Freezer interface {
	Addr() string
	Freeze(t testing.TB)
	Thaw(t testing.TB)
}

// Freezable is a broker within the process whose connections can be frozen. It takes
// less time to start and to recover than a real one.
type Freezable struct {
	*kfake.Cluster

	mu     sync.Mutex
	thawed chan struct{} // closed while it answers
}

// StartFreezable starts one that ends with the test.
func StartFreezable(t testing.TB, options ...kfake.Opt) *Freezable {
	t.Helper()
	f := &Freezable{thawed: make(chan struct{})}
	close(f.thawed)
	options = append(options, kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second), kfake.ListenFn(func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		return freezing{l, f}, err
	}))
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatal(err)
	}
	f.Cluster = cluster
	t.Cleanup(func() {
		f.Thaw(t)
		cluster.Close()
	})
	return f
}

// Addr is where it listens, host:port.
func (f *Freezable) Addr() string { return f.ListenAddrs()[0] }

// Freeze holds back all that comes in and goes out.
func (f *Freezable) Freeze(testing.TB) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.thawed = make(chan struct{})
}

// Thaw lets everything through again.
func (f *Freezable) Thaw(testing.TB) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.thawed:
	default:
		close(f.thawed)
	}
}

func (f *Freezable) wait() {
	f.mu.Lock()
	thawed := f.thawed
	f.mu.Unlock()
	<-thawed
}

type freezing struct {
	net.Listener
	f *Freezable
}

func (l freezing) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return frozenConn{c, l.f}, err
}

type frozenConn struct {
	net.Conn
	f *Freezable
}

func (c frozenConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.f.wait()
	return n, err
}

func (c frozenConn) Write(b []byte) (int, error) {
	c.f.wait()
	return c.Conn.Write(b)
}

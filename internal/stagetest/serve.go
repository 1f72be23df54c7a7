package stagetest

import (
	"net"
	"sync"
	"testing"
)

// Serve calls talk for each connection to a port of host, and hangs up after it, until
// the test ends, which waits for all of them. It returns the port's address.
func Serve(t testing.TB, host string, talk func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	var talking sync.WaitGroup
	talking.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			talking.Go(func() {
				defer func() { _ = c.Close() }()
				talk(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		talking.Wait()
	})
	return l.Addr().String()
}

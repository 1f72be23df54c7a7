// Package redistest starts real redis-servers for tests.
package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is a redis-server on loopback that ends with its test. Its data
// outlive Kill and Restart.
type Server struct {
	Addr string
	// Client is connected to it, unless it asks for TLS or a password.
	Client *redis.Client

	t    testing.TB
	dir  string
	args []string
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// patience is how long to wait for what takes a moment on an idle machine.
const patience = 30 * time.Second

// Start starts a server and waits until it listens. args are those of
// redis-server, after its port and directory; the later of two counts.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	port := strconv.Itoa(FreePort(t))
	return start(t, port, append([]string{"--port", port}, args...))
}

func start(t testing.TB, port string, args []string) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{
		Addr: net.JoinHostPort("127.0.0.1", port), t: t, dir: dir,
		args: append([]string{
			"--bind", "127.0.0.1", "--dir", dir, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
		}, args...),
	}
	s.run()
	return s
}

// run makes the client and starts the server, until the test ends.
func (s *Server) run() {
	s.t.Helper()
	s.Client = redis.NewClient(&redis.Options{Addr: s.Addr})
	s.t.Cleanup(func() {
		s.Kill()
		_ = s.Client.Close()
	})
	s.Restart()
}

// FreePort is one that nothing listens on.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// Restart starts a server that was killed, where it was and with its data.
func (s *Server) Restart() {
	s.t.Helper()
	cmd := exec.Command("redis-server", s.args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start redis-server: %v", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // it is killed
	}()
	s.cmd, s.done = cmd, done
	s.awaitPort()
}

// awaitPort waits until the server listens. Whether it wants a password or a
// certificate is left to the test.
func (s *Server) awaitPort() {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", s.Addr)
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-s.done:
			s.t.Fatal("redis-server ended at once")
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("redis-server does not listen: %v", err)
		}
	}
}

// HSet writes fields of a hash as redis-cli would: field, value, field, value, ...
func (s *Server) HSet(t testing.TB, key string, pairs ...string) {
	t.Helper()
	if err := s.Client.HSet(t.Context(), key, pairs).Err(); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server as a power cut would.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.done
}

// Forget deletes the data of a server that was killed.
func (s *Server) Forget() {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range files {
		if err := os.RemoveAll(f); err != nil {
			s.t.Fatal(err)
		}
	}
}

// StartTLS starts a server that speaks TLS only and asks clients for a
// certificate of the same authority. Its Client has none.
func StartTLS(t testing.TB, c Certificates, args ...string) *Server {
	t.Helper()
	port := strconv.Itoa(FreePort(t))
	return start(t, port, append([]string{
		"--port", "0", "--tls-port", port, "--tls-ca-cert-file", c.CA,
		"--tls-cert-file", c.ServerCert, "--tls-key-file", c.ServerKey, "--tls-auth-clients", "yes",
	}, args...))
}

// StartSentinel starts a sentinel that watches a master by a name and gives it
// up after half a second. It needs no majority.
func StartSentinel(t testing.TB, name string, master *Server) *Server {
	t.Helper()
	host, port, err := net.SplitHostPort(master.Addr)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	text := fmt.Sprintf("sentinel monitor %[1]s %[2]s %[3]s 1\nsentinel down-after-milliseconds %[1]s 500\nsentinel failover-timeout %[1]s 3000\n", name, host, port)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	own := FreePort(t)
	s := &Server{
		Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(own)), t: t,
		args: []string{file, "--bind", "127.0.0.1", "--port", strconv.Itoa(own), "--sentinel"},
	}
	s.run()
	return s
}

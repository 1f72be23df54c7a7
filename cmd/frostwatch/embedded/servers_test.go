package embedded_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// asServers, when set in the environment to a directory, turns the test binary
// into a process that holds the lock and runs both servers there: only another
// process can be killed.
const (
	asServers        = "FROSTWATCH_TEST_SERVERS"
	asServersTidying = "FROSTWATCH_TEST_TIDYING" // how often it tidies up, if not as usual
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(asServers); dir != "" {
		if err := runServers(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// ports of a servers process; the file keeps them from one life to the next.
type ports struct{ Kafka, Redis int }

// runServers runs the lock, the broker and Redis until standard input ends.
func runServers(dir string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	var p ports
	text, err := os.ReadFile(filepath.Join(dir, "ports"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	unlock, err := embedded.Lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	every, _ := time.ParseDuration(os.Getenv(asServersTidying))
	broker, err := embedded.StartBroker(embedded.BrokerOptions{Dir: filepath.Join(dir, "kafka"), Port: p.Kafka, Logger: log, Housekeeping: every})
	if err != nil {
		return err
	}
	defer broker.Close()
	redis, err := embedded.StartRedis(context.Background(),
		embedded.RedisOptions{Dir: filepath.Join(dir, "redis"), Port: p.Redis, Logger: log})
	if err != nil {
		return err
	}
	defer redis.Close()
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// servers is the process seen from outside.
type servers struct {
	kafka, redis string
	cmd          *exec.Cmd
	stdin        io.Closer
}

// startServers runs a process on dir, on the ports of the one before it.
func startServers(t *testing.T, dir string) *servers {
	t.Helper()
	needRedis(t)
	p := portsOf(t, dir)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asServers+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &servers{kafka: local(p.Kafka), redis: local(p.Redis), cmd: cmd, stdin: stdin}
	t.Cleanup(s.kill)
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		t.Fatalf("start the servers: said %q, %v", line, err)
	}
	return s
}

// kill ends the process as a crash would; a second call does nothing.
func (s *servers) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// stop ends it in an orderly way.
func (s *servers) stop(t *testing.T) {
	t.Helper()
	if err := s.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Fatalf("stop the servers: %v", err)
	}
}

func portsOf(t *testing.T, dir string) (p ports) {
	t.Helper()
	file := filepath.Join(dir, "ports")
	if text, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	p = ports{Kafka: freePort(t), Redis: freePort(t)}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func needRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		shared.Missing(t, "redis-server (`make setup` installs it)")
	}
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// eventually asks until ok says yes; what describes the wish.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 30 s for: %s", what)
		}
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// RedisOptions of a private redis-server.
type RedisOptions struct {
	Dir    string // for its append-only file; made if absent
	Port   int    // on 127.0.0.1
	Logger *slog.Logger
}

// Redis is a running child process. Start, Keep and Close come one after another.
type Redis struct {
	RedisOptions
	binary string
	addr   string
	client *redis.Client
	done   chan struct{} // closed while no process runs
	pid    int
	kill   func()
}

// ErrNoRedis says how to get the program.
var ErrNoRedis = errors.New("redis-server is not installed: `make setup` installs it, or `apt-get install redis-server`")

// StartRedis starts redis-server and waits until it answers. The child ends
// with this process, however that ends.
func StartRedis(ctx context.Context, o RedisOptions) (*Redis, error) {
	binary, err := findRedis()
	if err != nil {
		return nil, fmt.Errorf("start redis: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("start redis: %w", err)
	}
	r := &Redis{RedisOptions: o, binary: binary, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)), done: make(chan struct{})}
	close(r.done)
	r.client = redis.NewClient(&redis.Options{Addr: r.addr, MaxRetries: -1, DialTimeout: time.Second})
	if err := r.start(ctx); err != nil {
		_ = r.client.Close()
		return nil, err
	}
	return r, nil
}

// findRedis prefers the redis-server that a release carries in bin beside the program,
// which is the one it was tested with.
func findRedis() (string, error) {
	if program, err := os.Executable(); err == nil {
		own := filepath.Join(filepath.Dir(program), "bin", "redis-server")
		if _, err := os.Stat(own); err == nil {
			return own, nil
		}
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", ErrNoRedis
	}
	return path, nil
}

// start starts the process and waits until it answers. After an error none runs.
func (r *Redis) start(ctx context.Context) error {
	if err := r.waitPort(ctx); err != nil {
		return fmt.Errorf("start redis on %s: %w", r.addr, err)
	}
	done, started := make(chan struct{}), make(chan error, 1)
	r.done = done
	go r.supervise(done, started)
	if err := <-started; err != nil {
		<-done
		return fmt.Errorf("start redis: %w", err)
	}
	if err := r.waitReady(ctx); err != nil {
		r.stop()
		return fmt.Errorf("start redis on %s: %w", r.addr, err)
	}
	return nil
}

// Keep starts the process again whenever it ends, until ctx ends. Nothing is lost by
// that: what was acknowledged is in its append-only file. report gets an error while
// no process runs, and nil when one runs again.
func (r *Redis) Keep(ctx context.Context, report func(error)) {
	const leastLife = time.Second // a process that ends at once is started once a second
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.done:
		}
		report(errors.New("redis-server ended unexpectedly: starting it again"))
		for err := r.start(ctx); err != nil; err = r.start(ctx) {
			if ctx.Err() != nil {
				return
			}
			report(err)
			pause.For(ctx, leastLife)
		}
		report(nil)
	}
}

// supervise starts the child and waits for it on one locked thread: Linux sends
// the parent-death signal when the starting *thread* ends, so it must live as
// long as the child.
func (r *Redis) supervise(done chan<- struct{}, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(done)
	cmd := exec.Command(r.binary,
		"--bind", "127.0.0.1", "--port", strconv.Itoa(r.Port), "--protected-mode", "yes",
		"--dir", r.Dir, "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
		"--daemonize", "no", "--loglevel", "warning")
	// A process group of its own: Ctrl-C must reach only us. We stop Redis after
	// everything that uses it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			r.Logger.Debug("redis: " + lines.Text())
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	err := cmd.Start()
	if err == nil {
		r.pid = cmd.Process.Pid
		r.kill = func() { _ = cmd.Process.Kill() }
	}
	started <- err
	if err == nil {
		if err := cmd.Wait(); err != nil {
			r.Logger.Debug("redis ended", "error", err)
		}
	}
	_ = in.Close()
	<-logged
}

// waitPort waits for the port to be free: the Redis of a process that was killed
// a moment ago is still writing its file.
func (r *Redis) waitPort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		l, err := net.Listen("tcp", r.addr)
		if err == nil {
			return l.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (r *Redis) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		err := r.answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-r.done:
			return errors.New("it ended at once; is the port or the directory in use?")
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// answers returns nil if our child answers on the port. Another server there, such as
// the one of a process killed a moment ago, is not ours to use or to shut down.
func (r *Redis) answers(ctx context.Context) error {
	info, err := r.client.Info(ctx, "server").Result()
	if err != nil {
		return fmt.Errorf("ask redis for its process: %w", err)
	}
	if !strings.Contains(info, fmt.Sprintf("process_id:%d\r\n", r.pid)) {
		return errors.New("another redis has the port")
	}
	return nil
}

// Addr is where Redis listens, host:port.
func (r *Redis) Addr() string { return r.addr }

// Close has Redis write its file and end, by force after 3 s.
func (r *Redis) Close() {
	r.stop()
	_ = r.client.Close()
}

func (r *Redis) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if r.answers(ctx) == nil {
		r.client.Shutdown(ctx) // answers by closing the connection
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		r.kill()
		<-r.done
	}
}

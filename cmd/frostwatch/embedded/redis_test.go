package embedded_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
)

func startRedis(t *testing.T, dir string) *embedded.Redis {
	t.Helper()
	needRedis(t)
	r, err := embedded.StartRedis(within(t, time.Minute), embedded.RedisOptions{Dir: dir, Port: freePort(t), Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// dial is what redis-cli would be: a client that the server knows nothing of.
func dial(t *testing.T, addr string) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialTimeout: time.Second})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// pidOf asks the server who it is.
func pidOf(t *testing.T, c *redis.Client) int {
	t.Helper()
	info, err := c.Info(within(t, 10*time.Second), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`process_id:(\d+)`).FindStringSubmatch(info)
	if found == nil {
		t.Fatalf("no process_id in %q", info)
	}
	pid, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestRedisKeepsItsDataOverAClose(t *testing.T) {
	ctx, dir := within(t, time.Minute), filepath.Join(t.TempDir(), "redis")
	r := startRedis(t, dir)
	if err := dial(t, r.Addr()).HSet(ctx, "vocab", "person falling down", "").Err(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if err := dial(t, r.Addr()).Ping(ctx).Err(); err == nil {
		t.Error("the process runs on after Close")
	}
	again := startRedis(t, dir)
	got, err := dial(t, again.Addr()).HGetAll(ctx, "vocab").Result()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := got["person falling down"]; len(got) != 1 || !ok {
		t.Errorf("after a restart the hash is %v", got)
	}
}

func TestRedisIsPrivate(t *testing.T) {
	ctx := within(t, time.Minute)
	r := startRedis(t, t.TempDir())
	c := dial(t, r.Addr())
	bound, err := c.ConfigGet(ctx, "bind").Result()
	if err != nil {
		t.Fatal(err)
	}
	if bound["bind"] != "127.0.0.1" {
		t.Errorf("bound to %q, want loopback alone", bound["bind"])
	}
	group, err := syscall.Getpgid(pidOf(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if group == syscall.Getpgrp() {
		t.Error("in our process group: Ctrl-C would end it before the stages have drained")
	}
}

func killRedis(t *testing.T, r *embedded.Redis) {
	t.Helper()
	if err := syscall.Kill(pidOf(t, dial(t, r.Addr())), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestRedisIsStartedAgainWithItsData(t *testing.T) {
	r := startRedis(t, t.TempDir())
	ctx, cancel := context.WithCancel(within(t, time.Minute))
	reports, ended := make(chan error, 10), make(chan struct{})
	go func() {
		defer close(ended)
		r.Keep(ctx, func(err error) { reports <- err })
	}()
	defer func() { cancel(); <-ended }()
	for _, label := range []string{"person falling down", "person waving"} {
		if err := dial(t, r.Addr()).HSet(ctx, "vocab", label, "").Err(); err != nil {
			t.Fatal(err)
		}
		killRedis(t, r)
		if err := <-reports; err == nil {
			t.Error("no report that it ended")
		}
		if err := <-reports; err != nil {
			t.Fatalf("started again: %v", err)
		}
	}
	if n, err := dial(t, r.Addr()).HLen(ctx, "vocab").Result(); err != nil || n != 2 {
		t.Errorf("after two kills the hash has %d labels, want 2: %v", n, err)
	}
}

func TestRedisClosesQuicklyWhenItHasEnded(t *testing.T) {
	r := startRedis(t, t.TempDir())
	killRedis(t, r)
	began := time.Now()
	r.Close()
	if took := time.Since(began); took > 3500*time.Millisecond {
		t.Errorf("closing a dead server took %v", took)
	}
}

// Linux ties the parent-death signal to the thread that started the child, and
// Go ends the thread of a goroutine that ends while locked to it.
func TestRedisOutlivesTheThreadThatAskedForIt(t *testing.T) {
	needRedis(t)
	dir, port, ctx := t.TempDir(), freePort(t), within(t, time.Minute)
	var r *embedded.Redis
	var err error
	onDyingThread(t, func() {
		r, err = embedded.StartRedis(ctx, embedded.RedisOptions{Dir: dir, Port: port, Logger: quiet()})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := dial(t, r.Addr()).Ping(ctx).Err(); err != nil {
		t.Errorf("after its starting thread ended: %v", err)
	}
}

// onDyingThread runs f on a thread of its own and waits for the thread's end.
func onDyingThread(t *testing.T, f func()) {
	t.Helper()
	tid, done := make(chan int, 1), make(chan struct{})
	var run func()
	run = func() {
		runtime.LockOSThread()
		// The process's first thread never ends; held here, it can't be the next.
		if syscall.Gettid() == syscall.Getpid() {
			defer runtime.UnlockOSThread()
			go run()
			<-done
			return
		}
		tid <- syscall.Gettid()
		f()
		close(done)
	}
	go run()
	<-done
	task := filepath.Join("/proc/self/task", strconv.Itoa(<-tid))
	eventually(t, "the end of the starting thread", func() bool { _, err := os.Stat(task); return err != nil })
}

func TestRedisStartErrors(t *testing.T) {
	t.Run("not installed", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := embedded.StartRedis(within(t, time.Minute), embedded.RedisOptions{Dir: t.TempDir(), Port: freePort(t), Logger: quiet()})
		if !errors.Is(err, embedded.ErrNoRedis) {
			t.Errorf("error %v, want %v", err, embedded.ErrNoRedis)
		}
	})
	t.Run("port taken", func(t *testing.T) {
		needRedis(t)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		hungUp := make(chan struct{})
		go func() {
			defer close(hungUp)
			for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
				_ = conn.Close()
			}
		}()
		defer func() { _ = l.Close(); <-hungUp }()
		began := time.Now()
		r, err := embedded.StartRedis(within(t, time.Minute),
			embedded.RedisOptions{Dir: t.TempDir(), Port: l.Addr().(*net.TCPAddr).Port, Logger: quiet()})
		if err == nil {
			r.Close()
			t.Fatal("started on a port that was taken")
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("told after %v: %v", took, err)
		}
	})
	t.Run("port of another redis", func(t *testing.T) {
		other := startRedis(t, t.TempDir())
		_, port, err := net.SplitHostPort(other.Addr())
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := embedded.StartRedis(within(t, time.Minute), embedded.RedisOptions{Dir: t.TempDir(), Port: n, Logger: quiet()}); err == nil {
			r.Close()
			t.Error("took another server for its own")
		}
		if err := dial(t, other.Addr()).Ping(within(t, time.Minute)).Err(); err != nil {
			t.Errorf("the other server was disturbed: %v", err)
		}
	})
	t.Run("asked to stop", func(t *testing.T) {
		needRedis(t)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if r, err := embedded.StartRedis(ctx, embedded.RedisOptions{Dir: t.TempDir(), Port: freePort(t), Logger: quiet()}); err == nil {
			r.Close()
			t.Error("no error from an ended context")
		}
	})
}

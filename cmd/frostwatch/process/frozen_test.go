package process

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/kafkatest"
)

// gate passes bytes on to a broker until it is shut; then it accepts and says
// nothing, as a broker that was stopped.
type gate struct {
	net.Listener
	mu     sync.Mutex
	opened chan struct{} // closed when it opens
}

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{Listener: l, opened: make(chan struct{})}
	close(g.opened)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { g.pass(ctx, c, to) })
		}
	})
	t.Cleanup(func() { cancel(); _ = l.Close(); running.Wait() })
	return g
}

func (g *gate) pass(ctx context.Context, in net.Conn, to string) {
	out, err := net.Dial("tcp", to)
	if err != nil {
		_ = in.Close()
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	unhook := context.AfterFunc(ctx, func() { _ = in.Close(); _ = out.Close() })
	defer unhook()
	var both sync.WaitGroup
	for _, way := range []struct{ from, to net.Conn }{{in, out}, {out, in}} {
		both.Go(func() {
			defer cancel()
			_, _ = io.Copy(gated{g, ctx, way.to}, way.from)
		})
	}
	both.Wait()
}

// gated holds back what is written while the gate is shut.
type gated struct {
	g   *gate
	ctx context.Context
	to  net.Conn
}

func (w gated) Write(b []byte) (int, error) {
	w.g.mu.Lock()
	opened := w.g.opened
	w.g.mu.Unlock()
	select {
	case <-opened:
	case <-w.ctx.Done():
		return 0, w.ctx.Err()
	}
	return w.to.Write(b)
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.opened)
}

// The deadlines of the design: unready within 10 s of a freeze, ready again
// within 10 s of the thaw, ended within 10 s. The allowance is the machine's.
const frozenTime, allowance = 10 * time.Second, 3 * time.Second

func TestAFrozenBrokerIsNotReady(t *testing.T) {
	broker := kafkatest.StartEmbedded(t)
	g := newGate(t, broker.Addr())
	r := newRig(t, g.Addr().String())
	stop := r.run(t)
	ready := func() bool { code, _ := get(t, r.base+"/readyz"); return code == http.StatusOK }
	await(t, "ready", ready)
	g.close()
	frozen := time.Now()
	await(t, "not ready", func() bool { return !ready() })
	if took := time.Since(frozen); took > frozenTime+allowance {
		t.Errorf("not ready %v after the freeze", took)
	}
	if _, body := get(t, r.base+"/readyz"); !strings.Contains(body, `"kafka": "Kafka at `+g.Addr().String()+` does not answer within 3s"`+"\n") {
		t.Errorf("/readyz: %s", body)
	}
	g.open()
	thawed := time.Now()
	await(t, "ready again", ready)
	if took := time.Since(thawed); took > frozenTime+allowance {
		t.Errorf("ready %v after the thaw", took)
	}
	await(t, "the log to say so", func() bool {
		return strings.Contains(r.log.String(), "not ready") && strings.Contains(r.log.String(), "ready again")
	})
	g.close()
	ended := time.Now()
	_ = stop()
	if took := time.Since(ended); took > frozenTime+allowance {
		t.Errorf("ended %v after it was told to", took)
	}
}

// From the first moment on.
func TestABrokerFrozenAtTheStart(t *testing.T) {
	r := newRig(t, frozen(t), "alerts")
	stop := r.run(t, Part{Name: "alerts", Run: func(ctx context.Context) error { <-ctx.Done(); return nil }})
	if code, body := get(t, r.base+"/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "waits for Kafka at 127.0.0.1") {
		t.Errorf("%d %s", code, body)
	}
	ended := time.Now()
	_ = stop()
	if took := time.Since(ended); took > frozenTime+allowance {
		t.Errorf("ended %v after it was told to", took)
	}
}

package chaos

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/history"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A trial is a function of its seed and number.
func TestPlansAreReproducible(t *testing.T) {
	all := append([]Nemesis{Calm}, Nemeses()...)
	schedules := map[string]bool{}
	for trial := range 3 * len(all) {
		p, again := NewPlan(5, trial, all, 24*time.Second), NewPlan(5, trial, all, 24*time.Second)
		if p.Schedule() != again.Schedule() || p.Nemesis != all[trial%len(all)] {
			t.Errorf("trial %d: %s %q, and again %q", trial, p.Nemesis, p.Schedule(), again.Schedule())
		}
		if (p.Nemesis == Calm) != (len(p.steps) == 0) {
			t.Errorf("trial %d: %s has %d steps", trial, p.Nemesis, len(p.steps))
		}
		for _, s := range p.steps {
			if s.At >= 24*time.Second || s.For <= 0 || p.Nemesis == Freeze && s.For <= sessionTime {
				t.Errorf("trial %d: %s", trial, s)
			}
		}
		schedules[p.Schedule()] = true
	}
	if want := 3*(len(all)-1) + 1; len(schedules) != want { // Calm's is always empty
		t.Errorf("%d different schedules, want %d", len(schedules), want)
	}
}

// echo answers what it hears.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(c, c) // one client at a time
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	return l.Addr().String()
}

func dialProxy(t *testing.T) (*proxy, net.Conn) {
	t.Helper()
	p, err := newProxy("127.0.0.1:0", echo(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	c, err := net.Dial("tcp", p.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return p, c
}

func ask(t *testing.T, c net.Conn, text string) error {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		return err
	}
	return hear(c, text, 20*time.Second)
}

func hear(c net.Conn, want string, within time.Duration) error {
	_ = c.SetReadDeadline(time.Now().Add(within))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != want {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// A partition holds back what is said, in the direction that is cut, and loses nothing of it.
func TestAPartitionLosesNothing(t *testing.T) {
	for _, d := range []direction{up, down} {
		p, c := dialProxy(t)
		if err := ask(t, c, "before"); err != nil {
			t.Fatal(err)
		}
		var w weather
		w.held[d] = true
		p.set(w)
		if _, err := c.Write([]byte("meanwhile")); err != nil {
			t.Fatal(err)
		}
		if err := hear(c, "m", 200*time.Millisecond); err == nil {
			t.Errorf("something passes in direction %d", d)
		}
		p.set(weather{})
		if err := hear(c, "meanwhile", 20*time.Second); err != nil {
			t.Errorf("direction %d: %v", d, err)
		}
	}
}

// Connections die that are there when it begins, and those that come later.
func TestConnectionsDie(t *testing.T) {
	p, c := dialProxy(t)
	if err := ask(t, c, "before"); err != nil {
		t.Fatal(err)
	}
	p.set(weather{from: time.Millisecond, to: 5 * time.Millisecond})
	if err := hear(c, "x", 20*time.Second); err == nil || isTimeout(err) {
		t.Errorf("the connection lives on: %v", err)
	}
	later, err := net.Dial("tcp", p.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = later.Close() }()
	if err := hear(later, "x", 20*time.Second); err == nil || isTimeout(err) {
		t.Errorf("a later connection lives on: %v", err)
	}
}

func isTimeout(err error) bool {
	e, is := err.(net.Error) //nolint:errorlint // net returns it as it is
	return is && e.Timeout()
}

// What is printed is for people: reasons in their order, and nothing of Go's.
func TestATrialIsPrinted(t *testing.T) {
	var b strings.Builder
	r := &rig{Options: Options{Out: &b, Seed: 5}}
	result := Result{Trial: 3, Seed: 5, Nemesis: Calm, Quiet: 4.5, Report: &history.Report{Clips: 9, Acked: 6, Dropped: map[string]int{"stopped": 1, "queue full": 2}, Recognised: 6}}
	var all summary
	all.add(result)
	if err := errors.Join(r.print(result), r.finish(all)); err != nil {
		t.Fatal(err)
	}
	const want = "trial 3 of seed 5, calm: nothing is disturbed\n  9 clips, 6 acknowledged, dropped: 2 queue full, 1 stopped; 6 recognised; 0 of 0 alert records; 0 came again; 0 connections reset; 4.5 s until all was right: nothing lost, repeated or invented\n" +
		"all of seed 5 (1 calm): 9 clips, 6 acknowledged, 3 not; 6 recognised; 0 alert records; 0 came again; 0 violations; trials with something wrong: 0 of 1\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestUnknownNemesesAreRefused(t *testing.T) {
	if err := CheckNemeses(slices.Concat(Nemeses(), []Nemesis{Calm})); err != nil {
		t.Error(err)
	}
	if err := CheckNemeses([]Nemesis{"gremlin"}); err == nil {
		t.Error("a gremlin is accepted")
	}
}

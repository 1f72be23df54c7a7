package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

const workersConfig = `
kafka: {brokers: ["%s"], partitions: 12}
http: {listen: "127.0.0.1:0"}
framer: {short_side: 64, window: 1s, queue: 40}
cameras:
`

// moved is how long a camera that goes to another worker may be without frames.
const moved = 15 * time.Second

// Ingest workers join, leave and are killed, and the broker is restarted: every
// clip of every camera is counted by its number. Cameras that don't move lose
// none, those that move show frames again soon.
func TestIngestWorkersComeAndGo(t *testing.T) {
	kafka := kafkatest.StartKafka(t)
	sim := freeAddress(t)
	start(t, "camsim", "--listen", sim, "--gap", "0s", shared.Path(t, "model", "demo", "yard_fence.mp4"))
	var config strings.Builder
	fmt.Fprintf(&config, workersConfig, kafka.Addr())
	var names []string
	for i := range 12 {
		names = append(names, fmt.Sprintf("camera-%d", i))
		fmt.Fprintf(&config, "  - {name: camera-%d, url: \"rtsp://%s/yard_fence\"}\n", i, sim)
	}
	file := filepath.Join(t.TempDir(), "pipeline.yaml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	worker := func() *process { return start(t, "ingest", "--config", file) }

	one, two := worker(), worker()
	w := watchClips(t, kafka.Addr(), names)
	w.await(t, "clips of all cameras, of two workers", func() bool { return len(w.holders()) == 2 && w.all() })
	w.settle(t)
	// A window more, so that both have been there for a session: in a group that is new as a
	// whole a partition can be released, and given back once some count as proven.
	w.settle(t)

	var three *process
	w.change(t, "a third worker joins", 3, func() { three = worker() })
	w.change(t, "a worker is killed", 2, func() {
		if err := two.cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	})
	w.change(t, "a worker leaves", 1, func() { three.stop(t) })

	before := w.numbers()
	kafka.Restart(t)
	back := time.Now()
	w.await(t, "clips after the restart", func() bool { return w.newSince(back) })
	w.check(t, "the broker restarts", before, nil, time.Time{})
	one.stop(t)
}

// clipWatch follows clips and statuses.
type clipWatch struct {
	names []string

	mu     sync.Mutex
	clips  map[string][]topics.Clip
	worker map[string]string // that said last that the camera streams
}

func watchClips(t *testing.T, broker string, names []string) *clipWatch {
	t.Helper()
	client, err := bus.New(bus.Options{Brokers: []string{broker}, ClientID: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w := &clipWatch{names: names, clips: map[string][]topics.Clip{}, worker: map[string]string{}}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		done.Wait()
		_ = client.Close()
	})
	n := topics.Names{Prefix: topics.DefaultPrefix}
	await(t, "the topics", time.Minute, func() bool { _, err := client.Partitions(ctx, n.Of(topics.Clips)); return err == nil })
	follow := func(topic topics.Topic, take func(bus.Message) error) {
		done.Go(func() {
			if err := client.ReadAll(ctx, n.Of(topic), time.Time{}, true, take); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	follow(topics.Clips, func(m bus.Message) error {
		c, err := topics.DecodeClip(m.Value)
		if err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.clips[c.Camera] = append(w.clips[c.Camera], c)
		return nil
	})
	follow(topics.Status, func(m bus.Message) error {
		if s, err := topics.DecodeStatus(m.Value); err == nil && s.State == topics.StreamStreaming {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.worker[s.Camera] = s.Worker
		}
		return nil
	})
	return w
}

func (w *clipWatch) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	await(t, what, 90*time.Second, ok)
}

// all is whether every camera has given a clip.
func (w *clipWatch) all() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.clips) == len(w.names)
}

// holders are the workers of cameras that stream, and how many each has.
func (w *clipWatch) holders() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int{}
	for _, worker := range w.worker {
		out[worker]++
	}
	return out
}

// numbers are how many clips of each camera there are.
func (w *clipWatch) numbers() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int{}
	for name, clips := range w.clips {
		out[name] = len(clips)
	}
	return out
}

// newSince is whether each camera has a clip whose window began after a time.
func (w *clipWatch) newSince(at time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range w.names {
		clips := w.clips[name]
		if len(clips) == 0 {
			return false
		}
		if last := clips[len(clips)-1]; !last.Epoch.Add(last.Start).After(at) {
			return false
		}
	}
	return true
}

// settle waits until all cameras give clips.
func (w *clipWatch) settle(t *testing.T) {
	t.Helper()
	now := time.Now()
	w.await(t, "clips of all cameras", func() bool { return w.newSince(now) })
}

// change does something to the workers and looks at what became of each camera.
func (w *clipWatch) change(t *testing.T, what string, workers int, do func()) {
	t.Helper()
	was, before := w.owners(), w.numbers()
	at := time.Now()
	do()
	w.await(t, what, func() bool { return len(w.holders()) == workers })
	w.settle(t)
	is := w.owners()
	var stayed, went []string
	for _, name := range w.names {
		if was[name] == is[name] {
			stayed = append(stayed, name)
			continue
		}
		went = append(went, name)
		if has(is, was[name]) && has(was, is[name]) {
			t.Errorf("%s: %s moved between two workers that were there before and after", what, name)
		}
	}
	t.Logf("%s: %d cameras stay, %d move", what, len(stayed), len(went))
	if len(stayed) == 0 {
		t.Errorf("%s: no camera stays where it is", what)
	}
	w.check(t, what, before, went, at)
}

// has reports whether a worker holds any camera.
func has(owners map[string]string, worker string) bool {
	for _, w := range owners {
		if w == worker {
			return true
		}
	}
	return false
}

func (w *clipWatch) owners() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]string{}
	for name, worker := range w.worker {
		out[name] = worker
	}
	return out
}

// check checks the clips since before: cameras that stayed must have one epoch and no
// missing number, the others must have begun again in time.
func (w *clipWatch) check(t *testing.T, what string, before map[string]int, went []string, at time.Time) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range w.names {
		clips := w.clips[name][max(before[name]-1, 0):]
		if slices.Contains(went, name) {
			begun := clips[len(clips)-1].Epoch
			if gap := begun.Sub(at); gap > moved {
				t.Errorf("%s: %s moved, and showed its first frame %v later", what, name, gap)
			} else {
				t.Logf("%s: %s moved within %v", what, name, gap.Round(100*time.Millisecond))
			}
			continue
		}
		seen := map[string]bool{}
		next := clips[0].Sequence
		for _, c := range clips {
			if seen[c.ID] {
				continue // sent again after an answer that was lost
			}
			seen[c.ID] = true
			if !c.Epoch.Equal(clips[0].Epoch) {
				t.Errorf("%s: %s stayed, and its stream was opened anew", what, name)
				break
			}
			if c.Sequence != next {
				t.Errorf("%s: %s stayed, and clip %d follows %d", what, name, c.Sequence, next-1)
				break
			}
			next++
		}
	}
}

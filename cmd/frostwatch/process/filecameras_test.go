package process

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// playedClips follows the clips of a process's cameras.
type playedClips struct {
	mu     sync.Mutex
	newest map[string]topics.Clip
	epochs map[string]map[time.Time]bool
}

func (r *rig) followClips(t *testing.T) *playedClips {
	t.Helper()
	p := &playedClips{newest: map[string]topics.Clip{}, epochs: map[string]map[time.Time]bool{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- r.Follow(ctx, topics.Clips, func(value []byte) error {
			c, err := topics.DecodeClip(value)
			if err != nil {
				return err
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.newest[c.Camera] = c
			if p.epochs[c.Camera] == nil {
				p.epochs[c.Camera] = map[time.Time]bool{}
			}
			p.epochs[c.Camera][c.Epoch] = true
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p
}

// tagged reports whether the newest clip of a camera has the tags.
func (p *playedClips) tagged(camera, tags string) func() bool {
	return func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		c, has := p.newest[camera]
		return has && strings.Join(c.Tags, ",") == tags
	}
}

// streams is how many unbroken streams of a camera gave clips.
func (p *playedClips) streams(camera string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.epochs[camera])
}

// startSimulator plays a demo clip as a camera without end, and returns its URL.
func startSimulator(t *testing.T) string {
	t.Helper()
	sim, err := camsim.New(camsim.Options{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	clip := filepath.Join(shared.Root(t), "cmd", "frostwatch", "demo", "data", "corridor_fall.mp4")
	if err := sim.AddFile("corridor", clip, camsim.FileOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- IgnoreEnd(ctx, sim.Run(ctx)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return sim.URL("corridor")
}

// An edit of `cameras` is in force while everything runs: an added camera
// streams, a removed one ends, and another tag leaves the stream as it is. A
// camera that can't be keeps the whole edit from taking effect.
func TestCamerasOfTheFileAreReloaded(t *testing.T) {
	broker := kafkatest.StartEmbedded(t)
	url := startSimulator(t)
	head := fmt.Sprintf("kafka: {brokers: [%q], partitions: 2}\nframer: {short_side: 64, window: 1s}\ncameras:\n", broker.Addr())
	camera := func(name, more string) string { return fmt.Sprintf("  - {name: %s, url: %q%s}\n", name, url, more) }
	e := newEdits(t, head+camera("a", ", tags: [day]")+camera("b", ""))
	parts, err := e.Ingest()
	if err != nil {
		t.Fatal(err)
	}
	stop := e.run(t, append(parts, e.Following()...)...)
	await(t, "the topics", func() bool {
		select {
		case <-e.created:
			return true
		default:
			return false
		}
	})
	clips := e.followClips(t)
	await(t, "clips of both cameras", func() bool { return clips.tagged("a", "day")() && clips.tagged("b", "")() })

	e.write(t, head+camera("a", ", tags: [night]")+camera("c", ", tags: [new]"))
	await(t, "clips with the new tag", clips.tagged("a", "night"))
	await(t, "clips of the added camera", clips.tagged("c", "new"))
	table, err := e.Cameras()
	if err != nil {
		t.Fatal(err)
	}
	names := func() string {
		all, err := table.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, c := range all {
			out = append(out, c.Name+" "+string(c.Status.State))
		}
		return strings.Join(out, ", ")
	}
	await(t, "the removed camera to be gone", func() bool { return names() == "a streaming, c streaming" })
	if n := clips.streams("a"); n != 1 {
		t.Errorf("camera a: %d unbroken streams, want 1: only its tag was changed", n)
	}
	for _, line := range []string{"camera a changed: rtsp://", "camera b removed: ", "camera c added: rtsp://"} {
		if n := strings.Count(e.log.String(), line); n != 1 {
			t.Errorf("%q was logged %d times:\n%s", line, n, e.log.String())
		}
	}
	if e.warning() != "" {
		t.Errorf("the configuration has the warning %q", e.warning())
	}

	e.write(t, head+camera("a", ", tags: [later]")+"  - {name: d, url: \"gopher://hunter2@10.0.0.1/s\"}\n")
	await(t, "the mistake to be reported", func() bool { return e.warning() != "" })
	if want := e.path + ":5: cameras[1]: camera d: url: "; !strings.Contains(e.warning(), want) || strings.Contains(e.warning(), "hunter2") {
		t.Errorf("warning %q, want %q", e.warning(), want)
	}
	e.write(t, head+camera("a", ", tags: [night]")+camera("c", ", tags: [new]")+camera("d", ""))
	await(t, "clips after the mistake was corrected", clips.tagged("d", ""))
	if n := clips.streams("a"); !clips.tagged("a", "night")() || n != 1 {
		t.Errorf("camera a: %d unbroken streams, want 1, and the tag night", n)
	}
	// A camera of the file that a person removes stays a warning until the file and
	// the table agree.
	if err := table.Remove(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	await(t, "the warning about an entry that nobody watches", func() bool {
		return e.reporter.look().Warnings[partFileCameras] == "camera d left out: it was removed since its entry last changed"
	})
	e.write(t, head+camera("a", ", tags: [night]")+camera("c", ", tags: [new]"))
	await(t, "the warning to end", func() bool { return e.reporter.look().Warnings[partFileCameras] == "" })
	if err := stop(); err != nil {
		t.Error(err)
	}
}

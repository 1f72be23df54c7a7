package process

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/embedded"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// swapRig is `frostwatch infer` on servers of its own, in this process.
type swapRig struct {
	t    *testing.T
	file string // the configuration
	log  stagetest.Log
	pr   *Process

	mu   sync.Mutex
	sent int // clips of each camera
}

func importDemo(t *testing.T, out string) string {
	t.Helper()
	data := filepath.Join(shared.Root(t), "cmd", "frostwatch", "demo", "data")
	b, err := froster.Import(t.Context(), froster.ImportOptions{
		Checkpoint: filepath.Join(data, "frost-mini.pth"), Card: filepath.Join(data, "frost-mini.json"), Out: out,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.ID
}

// importFramewise makes a model whose frames don't see one another.
func importFramewise(t *testing.T, out string) string {
	t.Helper()
	raw := shared.Unpacked(t, "parity", "tiny_clip.pt.gz")
	clip := filepath.Join(t.TempDir(), "clip.pt")
	if err := os.WriteFile(clip, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := froster.Import(t.Context(), froster.ImportOptions{Checkpoint: clip, Out: out, Framewise: true})
	if err != nil {
		t.Fatal(err)
	}
	return b.ID
}

func (r *swapRig) configure(broker, redis, bundle string) {
	r.t.Helper()
	text := fmt.Sprintf("kafka: {brokers: [%q], partitions: 2}\nredis: {address: %q}\ninfer: {bundle: %q, runtime: %q, threads: 1, max_age: 0}\n",
		broker, redis, bundle, filepath.Join(shared.Root(r.t), ".native", "onnxruntime", "libonnxruntime.so"))
	if err := os.WriteFile(r.file, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// start runs the stage; the returned function stops it.
func (r *swapRig) start() (stop func()) {
	t := r.t
	t.Helper()
	file, err := config.Open(r.file)
	if err != nil {
		t.Fatal(err)
	}
	cfg := file.Config
	log, err := telemetry.NewLogger(&r.log, "info", "text")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if r.pr, err = Open(ctx, Options{
		Config: cfg, File: file, Logger: log, Service: "frostwatch-infer", Version: "test", Checks: []string{"vocabulary", "infer"},
	}); err != nil {
		t.Fatal(err)
	}
	if err := vocab.NewStore(r.pr.Redis, cfg.Redis.Prefix).Put(ctx, cfg.Vocab.Name, vocab.Label{Name: "walking"}, vocab.Label{Name: "falling down"}); err != nil {
		t.Fatal(err)
	}
	stages, err := r.pr.Infer(func(c config.Config) string { return c.Infer.Bundle })
	if err != nil {
		shared.Missing(t, err.Error())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- r.pr.Run(ctx, l, append(stages, r.pr.Following()...)...) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := r.pr.Close(ctx); err != nil {
			t.Error(err)
		}
	}
}

var swapCameras = []string{"a", "b", "c"}

// feed sends a clip of each camera every so often until ctx ends.
func (r *swapRig) feed(ctx context.Context) error {
	var frame bytes.Buffer
	if err := jpeg.Encode(&frame, image.NewRGBA(image.Rect(0, 0, 64, 48)), nil); err != nil {
		return err
	}
	epoch := time.Now().Add(-5 * time.Second)
	for n := 0; ; n++ {
		var all []bus.Message
		for _, camera := range swapCameras {
			c := topics.Clip{Camera: camera, Epoch: epoch, Sequence: uint64(n), Start: time.Duration(n) * 100 * time.Millisecond, Window: time.Second, Width: 64, Height: 48}
			c.ID = topics.ClipID(camera, c.Epoch, c.Start)
			for k := range 8 {
				c.Frames = append(c.Frames, topics.ClipFrame{JPEG: frame.Bytes(), Stream: c.Start + time.Duration(k)*time.Millisecond, Captured: epoch})
			}
			value, err := topics.EncodeClip(c)
			if err != nil {
				return err
			}
			all = append(all, bus.Message{Topic: r.pr.Names.Of(topics.Clips), Key: []byte(camera), Value: value})
		}
		if _, err := r.pr.Bus.Send(context.WithoutCancel(ctx), all...); err != nil {
			return err
		}
		r.mu.Lock()
		r.sent = n + 1
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// models are those that recognised each camera's clips, in order; each clip is
// to be there once.
func (r *swapRig) models() map[string][]string {
	r.t.Helper()
	out := map[string][]string{}
	err := r.pr.Bus.ReadAll(r.t.Context(), r.pr.Names.Of(topics.Actions), time.Time{}, false, func(m bus.Message) error {
		rec, err := topics.DecodeRecognition(m.Value)
		if err != nil {
			return err
		}
		if next := uint64(len(out[rec.Camera])); rec.Sequence != next {
			r.t.Errorf("%s: clip %d comes at place %d", rec.Camera, rec.Sequence, next)
		}
		out[rec.Camera] = append(out[rec.Camera], rec.Model)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *swapRig) until(what string, ok func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("waited in vain for %s; log:\n%s", what, r.log.String())
		}
	}
}

// untilServes waits until the newest recognitions of all cameras are the model's.
func (r *swapRig) untilServes(what, model string) {
	r.t.Helper()
	r.until(what, func() bool {
		all := r.models()
		for _, c := range swapCameras {
			if of := all[c]; len(of) == 0 || of[len(of)-1] != model {
				return false
			}
		}
		return true
	})
}

func (r *swapRig) metrics() string {
	w := httptest.NewRecorder()
	r.pr.tel.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// reloaded is the gauge's value.
func (r *swapRig) reloaded() string { return r.metric("frostwatch_model_last_reload_successful") }

// metric is the value of one that has no more than one series.
func (r *swapRig) metric(name string) string {
	for line := range strings.Lines(r.metrics()) {
		if strings.HasPrefix(line, name) {
			return strings.TrimSpace(line[strings.LastIndexByte(line, ' '):])
		}
	}
	return "absent"
}

// Two bundles, one of them of a model whose frames don't see one another, swapped by the
// configuration and by the folder's content while clips flow, with one in between that is
// not there.
func TestBundleIsSwapped(t *testing.T) {
	broker := kafkatest.StartEmbedded(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	redis, err := embedded.StartRedis(t.Context(), embedded.RedisOptions{Dir: t.TempDir(), Port: free, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		shared.Missing(t, err.Error())
	}
	defer redis.Close()
	dir := t.TempDir()
	full, each, later := filepath.Join(dir, "full"), filepath.Join(dir, "each"), filepath.Join(dir, "later")
	fullID, eachID := importDemo(t, full), importFramewise(t, each)
	r := &swapRig{t: t, file: filepath.Join(dir, "pipeline.yaml")}
	r.configure(broker.Addr(), redis.Addr(), full)
	stop := r.start()
	r.until("the topics", func() bool { return len(r.pr.reporter.look().Problems) == 0 })
	feeding, stopFeeding := context.WithCancel(t.Context())
	fed := make(chan error, 1)
	go func() { fed <- r.feed(feeding) }()

	r.untilServes("the first model", fullID)
	if got := r.metric("frostwatch_infer_frames_reused_total"); got != "0" {
		t.Errorf("a model whose frames see one another has reused %s embeddings", got)
	}
	r.configure(broker.Addr(), redis.Addr(), each)
	r.untilServes("the model of another folder", eachID)
	r.configure(broker.Addr(), redis.Addr(), later)
	r.until("the missing bundle to be told of", func() bool {
		return r.reloaded() == "0" && strings.Contains(r.log.String(), "bundle can't be used")
	})
	if w := r.pr.reporter.look().Warnings["bundle"]; !strings.Contains(w, later) || !strings.Contains(w, "goes on serving") {
		t.Errorf("warning %q", w)
	}
	if p := r.pr.reporter.look().Problems; len(p) > 0 {
		t.Errorf("not ready for want of a new bundle: %v", p)
	}
	n := len(r.models()["a"])
	r.until("clips to go on", func() bool { return len(r.models()["a"]) > n })
	r.untilServes("the model before", eachID)
	// All pictures that are sent are the same.
	if once, again := r.metric("frostwatch_infer_frames_embedded_total"), r.metric("frostwatch_infer_frames_reused_total"); once != "1" || len(again) < 2 {
		t.Errorf("of one picture %s were embedded, and %s not again", once, again)
	}
	if err := os.Rename(full, later); err != nil {
		t.Fatal(err)
	}
	r.untilServes("the bundle that came to be there", fullID)
	if got := r.reloaded(); got != "1" {
		t.Errorf("last_reload_successful is %s", got)
	}
	if w := r.pr.reporter.look().Warnings["bundle"]; w != "" {
		t.Errorf("the warning is still %q", w)
	}

	stopFeeding()
	if err := <-fed; err != nil {
		t.Fatal(err)
	}
	r.until("the last clips", func() bool { return len(r.models()["a"])+len(r.models()["b"])+len(r.models()["c"]) == 3*r.sent })
	for camera, of := range r.models() {
		changes := []string{of[0]}
		for _, m := range of {
			if m != changes[len(changes)-1] {
				changes = append(changes, m)
			}
		}
		if want := []string{fullID, eachID, fullID}; strings.Join(changes, " ") != strings.Join(want, " ") {
			t.Errorf("%s: models %v, want %v", camera, changes, want)
		}
	}
	stop()
}

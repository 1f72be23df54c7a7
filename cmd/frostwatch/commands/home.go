package commands

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func (h *home) demoBundle() string { return filepath.Join(h.flags.data, "models", demo.ModelName) }

// bundleOf is the bundle that a configuration means here: --model comes before
// it, and what it says when it says nothing is the demo's.
func (h *home) bundleOf(c config.Config) string {
	switch {
	case h.flags.model != "":
		return h.flags.model
	case c.Infer.Bundle != config.Default().Infer.Bundle:
		return c.Infer.Bundle
	}
	return h.demoBundle()
}

// findModel takes the bundle named by flag or configuration, or imports the
// demo's.
func (h *home) findModel() error {
	if h.cfg.Infer.Bundle = h.bundleOf(h.cfg); h.cfg.Infer.Bundle != h.demoBundle() {
		return nil
	}
	if _, err := froster.OpenBundle(h.demoBundle()); err == nil {
		return nil
	}
	// None yet, or of an older version.
	if err := os.RemoveAll(h.demoBundle()); err != nil {
		return fmt.Errorf("import the demo model: %w", err)
	}
	o := h.demoCheckpoint()
	o.Out = h.demoBundle()
	if _, err := froster.Import(o); err != nil {
		return fmt.Errorf("import the demo model: %w", err)
	}
	return nil
}

func (h *home) demoCheckpoint() froster.ImportOptions {
	return froster.ImportOptions{
		Checkpoint: filepath.Join(h.demoDir(), demo.ModelName+".pth"),
		Card:       filepath.Join(h.demoDir(), demo.ModelName+".json"),
		Name:       demo.ModelName,
	}
}

// fitFrames carries frames at the model's own size where it is smaller than the
// configured: resizing twice is not what the model was trained on. On the demo
// clips it cost one staged fall in sixteen window positions.
func (h *home) fitFrames() error {
	b, err := froster.OpenBundle(h.cfg.Infer.Bundle)
	if err != nil {
		return err
	}
	h.cfg.Framer.ShortSide = min(h.cfg.Framer.ShortSide, b.Dims.ImageSize)
	return nil
}

// findCameras collects the cameras of the flags, or the demo's, and sets up the
// simulator for those that are files.
func (h *home) findCameras() error {
	for _, flag := range h.flags.cameras {
		name, url, ok := strings.Cut(flag, "=")
		if !ok {
			return fmt.Errorf("--camera %q: want NAME=URL", name)
		}
		h.cameras = append(h.cameras, topics.Camera{Name: name, URL: url})
	}
	files, err := h.files()
	if err != nil {
		return err
	}
	if len(files) > 0 {
		if h.sim, err = camsim.New(camsim.Options{Addr: h.at.RTSP, Logger: h.log}); err != nil {
			return err
		}
	}
	for _, file := range files {
		name := cameraName(file)
		if err := h.sim.AddFile(name, file, camsim.FileOptions{LoopGap: loopGap, OnDemand: true}); err != nil {
			return err
		}
		h.cameras = append(h.cameras, topics.Camera{Name: name, URL: h.sim.URL(name)})
	}
	seen := map[string]bool{}
	for _, c := range h.cameras {
		if err := c.Validate(); err != nil {
			return err
		}
		if seen[c.Name] {
			return fmt.Errorf("two cameras are named %s", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// files are those to be served as cameras.
func (h *home) files() ([]string, error) {
	if len(h.flags.cameras) > 0 || len(h.flags.videos) > 0 || len(h.cfg.Cameras) > 0 {
		return h.flags.videos, nil
	}
	clips, err := demo.Clips()
	if err != nil {
		return nil, err
	}
	for i, c := range clips {
		clips[i] = filepath.Join(h.demoDir(), c+".mp4")
	}
	return clips, nil
}

// ownCameras keeps the cameras that this `up` brings on the topic, removes
// those that an earlier one brought and this one does not, and leaves alone
// what was added by hand.
func (h *home) ownCameras(ctx context.Context, pr *process) error {
	own := filepath.Join(h.flags.data, "cameras.json")
	var before []string
	if raw, err := os.ReadFile(own); err == nil {
		// A broken note is no reason not to start; its cameras stay.
		_ = json.Unmarshal(raw, &before)
	}
	var names []string
	for _, c := range h.cameras {
		names = append(names, c.Name)
	}
	gone := slices.DeleteFunc(before, func(n string) bool { return slices.Contains(names, n) })
	raw, err := json.Marshal(names)
	if err != nil {
		return err
	}
	if err := removeCameras(ctx, pr.bus, pr.names, gone); err != nil {
		return ignoreEnd(ctx, err)
	}
	if err := pr.writeCameras(ctx, h.cameras); err != nil {
		return ignoreEnd(ctx, err)
	}
	if err := os.WriteFile(own, raw, 0o644); err != nil {
		return fmt.Errorf("note the cameras: %w", err)
	}
	<-ctx.Done()
	return nil
}

// seedVocabulary gives a new data directory the demo's labels; one that was
// edited, even to nothing, stays as it is.
func (h *home) seedVocabulary(ctx context.Context, pr *process) error {
	mark := filepath.Join(h.flags.data, "vocabulary-seeded")
	if exists(mark) {
		return nil
	}
	err := vocab.NewStore(pr.redis, h.cfg.Redis.Prefix).Put(ctx, h.cfg.Vocab.Name, demo.Vocabulary()...)
	if err != nil {
		return fmt.Errorf("write the demo vocabulary: %w", err)
	}
	if err := os.WriteFile(mark, nil, 0o644); err != nil {
		return fmt.Errorf("note the demo vocabulary: %w", err)
	}
	return nil
}

// follow calls show for each new record of a topic until ctx ends.
func (p *process) follow(ctx context.Context, t topics.Topic, show func(value []byte) error) error {
	err := p.bus.ReadAll(ctx, p.names.Of(t), started(), true, func(m bus.Message) error { return show(m.Value) })
	return ignoreEnd(ctx, err)
}

package up

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func (u *up) demoBundle() string { return filepath.Join(u.Data, "models", demo.ModelName) }

// bundleOf is the bundle that a configuration means here: --model comes before
// it, and what it says when it says nothing is the demo's.
func (u *up) bundleOf(c config.Config) string {
	switch {
	case u.Model != "":
		return u.Model
	case c.Infer.Bundle != config.Default().Infer.Bundle:
		return c.Infer.Bundle
	}
	return u.demoBundle()
}

// findModel takes the bundle named by flag or configuration, or imports the
// demo's.
func (u *up) findModel() error {
	if u.cfg.Infer.Bundle = u.bundleOf(u.cfg); u.cfg.Infer.Bundle != u.demoBundle() {
		return nil
	}
	return demo.ImportModel(u.demoDir(), u.demoBundle())
}

// fitFrames carries frames at the model's own size where it is smaller than the
// configured: resizing twice is not what the model was trained on. On the demo
// clips it cost one staged fall in sixteen window positions.
func (u *up) fitFrames() error {
	b, err := froster.OpenBundle(u.cfg.Infer.Bundle)
	if err != nil {
		return err
	}
	u.cfg.Framer.ShortSide = min(u.cfg.Framer.ShortSide, b.Dims.ImageSize)
	return nil
}

// findCameras collects the cameras of the flags, or the demo's, and sets up the
// simulator for those that are files.
func (u *up) findCameras() error {
	for _, flag := range u.Cameras {
		name, url, ok := strings.Cut(flag, "=")
		if !ok {
			return fmt.Errorf("--camera %q: want NAME=URL", name)
		}
		u.cameras = append(u.cameras, topics.Camera{Name: name, URL: url})
	}
	files, err := u.files()
	if err != nil {
		return err
	}
	if len(files) > 0 {
		if u.sim, err = camsim.New(camsim.Options{Addr: u.at.RTSP, Logger: u.log}); err != nil {
			return err
		}
	}
	for _, file := range files {
		name := camsim.Name(file)
		if err := u.sim.AddFile(name, file, camsim.FileOptions{LoopGap: camsim.DefaultLoopGap, OnDemand: true}); err != nil {
			return err
		}
		u.cameras = append(u.cameras, topics.Camera{Name: name, URL: u.sim.URL(name)})
	}
	seen := map[string]bool{}
	for _, c := range u.cameras {
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
func (u *up) files() ([]string, error) {
	if len(u.Cameras) > 0 || len(u.Videos) > 0 || len(u.cfg.Cameras) > 0 {
		return u.Videos, nil
	}
	clips, err := demo.Clips()
	if err != nil {
		return nil, err
	}
	for i, c := range clips {
		clips[i] = filepath.Join(u.demoDir(), c+".mp4")
	}
	return clips, nil
}

// ownCameras keeps the cameras that this `up` brings on the topic, removes
// those that an earlier one brought and this one does not, and leaves alone
// what was added by hand.
func (u *up) ownCameras(ctx context.Context, pr *process.Process) error {
	own := filepath.Join(u.Data, "cameras.json")
	var before []string
	if raw, err := os.ReadFile(own); err == nil {
		// A broken note is no reason not to start; its cameras stay.
		_ = json.Unmarshal(raw, &before)
	}
	var names []string
	for _, c := range u.cameras {
		names = append(names, c.Name)
	}
	gone := slices.DeleteFunc(before, func(n string) bool { return slices.Contains(names, n) })
	raw, err := json.Marshal(names)
	if err != nil {
		return err
	}
	if err := process.RemoveCameras(ctx, pr.Bus, pr.Names, gone); err != nil {
		return process.IgnoreEnd(ctx, err)
	}
	if err := pr.WriteCameras(ctx, u.cameras); err != nil {
		return process.IgnoreEnd(ctx, err)
	}
	if err := os.WriteFile(own, raw, 0o644); err != nil {
		return fmt.Errorf("note the cameras: %w", err)
	}
	<-ctx.Done()
	return nil
}

// seedVocabulary gives a new data directory the demo's labels; one that was
// edited, even to nothing, stays as it is.
func (u *up) seedVocabulary(ctx context.Context, pr *process.Process) error {
	mark := filepath.Join(u.Data, "vocabulary-seeded")
	if exists(mark) {
		return nil
	}
	err := vocab.NewStore(pr.Redis, u.cfg.Redis.Prefix).Put(ctx, u.cfg.Vocab.Name, demo.Vocabulary()...)
	if err != nil {
		return fmt.Errorf("write the demo vocabulary: %w", err)
	}
	if err := os.WriteFile(mark, nil, 0o644); err != nil {
		return fmt.Errorf("note the demo vocabulary: %w", err)
	}
	return nil
}

package up

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

func (u *up) demoBundle() string { return filepath.Join(u.Data, "models", demo.ModelName) }

// bundleOf returns the bundle to load: that of --model, or the configured one, or,
// where the configuration has only the default, the demo's.
func (u *up) bundleOf(c config.Config) string {
	switch {
	case u.Model != "":
		return u.Model
	case c.Infer.Bundle != config.Default().Infer.Bundle:
		return c.Infer.Bundle
	}
	return u.demoBundle()
}

// findModel chooses the bundle, and imports the demo's if it is to be used.
func (u *up) findModel() error {
	if u.cfg.Infer.Bundle = u.bundleOf(u.cfg); u.cfg.Infer.Bundle != u.demoBundle() {
		return nil
	}
	return demo.ImportModel(u.demoDir(), u.demoBundle())
}

// findCameras collects the cameras of the flags, or the demo's, and sets up the
// simulator for video files.
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
	if err := u.serveAll(files); err != nil {
		return err
	}
	limits := cameraedit.LimitsOf(u.cfg)
	seen := map[string]bool{}
	for _, c := range u.cameras {
		if err := limits.Validate(c); err != nil {
			return err
		}
		if seen[c.Name] {
			return fmt.Errorf("two cameras are named %s", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// serveAll serves files as cameras. One that can't be played is a warning, as long as
// there are others to watch; one that isn't there, or is named twice, is an error.
func (u *up) serveAll(files []string) error {
	demo, last := u.demonstrates(), error(nil)
	for _, file := range files {
		err := u.serve(file)
		if err == nil {
			continue
		}
		if demo {
			return err
		}
		last = fmt.Errorf("--video %s: %w", file, err)
		if _, missing := os.Stat(file); missing != nil || errors.Is(err, camsim.ErrNameTaken) {
			return last
		}
		u.printTrouble(process.Caution, fmt.Sprintf("%v: it is left out", last))
	}
	if last != nil && len(u.cameras)+len(u.cfg.Cameras) == 0 {
		return last
	}
	return nil
}

// serve has the simulator play a file as a camera. A film that is shorter than a clip is
// played without a pause: its plays are one stream, of which clips can be made.
func (u *up) serve(file string) error {
	name, gap, window := camsim.Name(file), camsim.DefaultLoopGap, u.cfg.Framer.Window
	length, err := camsim.Length(file, window)
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	switch {
	case length <= 0:
		return errors.New("it has no length: want a film")
	case tooShort(length, window):
		gap = 0
		u.printTrouble(process.Caution, fmt.Sprintf("camera %s: the film lasts %v, and a clip takes %v (framer.window): it is played without a pause, and each clip runs from its end into its beginning; a longer film, or a shorter window, avoids that",
			name, length.Round(time.Millisecond), window))
	}
	if err := u.sim.AddFile(name, file, camsim.FileOptions{LoopGap: gap, OnDemand: true}); err != nil {
		return err //nolint:wrapcheck // names the camera
	}
	u.served = append(u.served, name)
	u.cameras = append(u.cameras, topics.Camera{Name: name, URL: u.sim.URL(name)})
	return nil
}

// tooShort is whether no clip fits into a film. The last frame of a clip is that at
// 127/128 of the window: half a frame's time of what is behind is enough.
func tooShort(length, window time.Duration) bool {
	return length < window-window/(2*topics.WindowSpan)
}

// files returns the video files to serve as cameras.
func (u *up) files() ([]string, error) {
	if !u.demonstrates() {
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

// demonstrates reports whether the demo's cameras are watched, because neither
// flags nor the file name others.
func (u *up) demonstrates() bool {
	return len(u.Cameras) == 0 && len(u.Videos) == 0 && len(u.cfg.Cameras) == 0
}

// cameraNote is the warning for edits of the file's cameras while the demo's are
// watched.
func (u *up) cameraNote() string {
	if !u.demonstrates() {
		return ""
	}
	return "the demo's cameras go on until the next start, when those of the file replace them"
}

// upOwner is the owner of the cameras of flags and of the demo.
var upOwner = cameras.Owner{Source: topics.SourceUp, ID: "up"}

// bringCameras brings this `up`'s cameras to the table, and removes those of an
// earlier `up` that this one does not have. Changes that people have made since are
// kept. It is done before any stage runs: ingest must not report as faulty the
// cameras that are being removed, and their names must be free for those of the
// file.
func (u *up) bringCameras(ctx context.Context, pr *process.Process) error {
	if err := pr.EnsureTopics(ctx); err != nil {
		return err
	}
	if err := u.dropNotes(ctx, pr); err != nil {
		return err
	}
	_, err := pr.SyncCameras(ctx, upOwner, u.cameras)
	return err
}

// dropNotes removes the cameras of an older version's `up`, which listed them in a
// file instead of marking their records.
func (u *up) dropNotes(ctx context.Context, pr *process.Process) error {
	file := filepath.Join(u.Data, "cameras.json")
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var before []string
	// A broken list is no reason not to start; its cameras stay.
	_ = json.Unmarshal(raw, &before)
	t, err := pr.Cameras()
	if err != nil {
		return err
	}
	for _, name := range before {
		if err := t.Remove(ctx, name); err != nil {
			return err
		}
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("take over the cameras: %w", err)
	}
	return nil
}

// seedVocabulary writes the demo's labels for a new data directory. A vocabulary
// that was written before is left alone, even if it is empty.
func (u *up) seedVocabulary(ctx context.Context, pr *process.Process) error {
	mark := filepath.Join(u.Data, "vocabulary-seeded")
	if exists(mark) {
		return nil
	}
	store := vocab.NewStore(pr.Redis, u.cfg.Redis.Prefix).By("frostwatch up", "the demo's labels")
	err := store.Put(ctx, u.cfg.Vocab.Name, demo.Vocabulary()...)
	if err != nil {
		return fmt.Errorf("write the demo vocabulary: %w", err)
	}
	if err := os.WriteFile(mark, nil, 0o644); err != nil {
		return fmt.Errorf("note the demo vocabulary: %w", err)
	}
	return nil
}

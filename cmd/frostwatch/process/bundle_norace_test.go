//go:build !race

package process

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

func TestFramesAreCarriedAtTheModelsSize(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	small, err := demo.CachedModel()
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		bundle     string
		side, want int
	}{
		"a smaller model":                  {small, 224, demo.ImageSize},
		"no bundle, hence the demo's":      {config.Default().Infer.Bundle, 224, demo.ImageSize},
		"frames that are smaller still":    {small, 64, 64},
		"a bundle that infer's alone sees": {"elsewhere/froster-b16", 224, 224},
	} {
		p := &Process{Config: config.Default(), log: slog.New(slog.DiscardHandler)}
		p.Config.Infer.Bundle, p.Config.Framer.ShortSide = c.bundle, c.side
		if p.fitFrames(); p.Config.Framer.ShortSide != c.want {
			t.Errorf("%s: short side %d, want %d", what, p.Config.Framer.ShortSide, c.want)
		}
	}
}

// A Perception Encoder gets the whole picture, as large as it takes it, unless the file says
// otherwise.
func TestFramesAreWhatPerceptionEncoderTakes(t *testing.T) {
	bundle := writePE(t)
	for content, want := range map[string]config.Framer{
		"infer: {max_batch: 4}\n":                     {ShortSide: 384, Views: []topics.View{topics.ViewSquash}},
		"framer: {short_side: 224}\n":                 {ShortSide: 224, Views: []topics.View{topics.ViewSquash}},
		"framer: {views: [tiles], short_side: 720}\n": {ShortSide: 384, Views: []topics.View{topics.ViewTiles}},
	} {
		path := filepath.Join(t.TempDir(), "pipeline.yaml")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := config.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		p := &Process{Config: file.Config, file: file, log: slog.New(slog.DiscardHandler)}
		p.Config.Infer.Bundle = bundle
		p.fitFrames()
		if got := p.Config.Framer; got.ShortSide != want.ShortSide || !slices.Equal(got.Views, want.Views) {
			t.Errorf("%q: short side %d, views %v; want %d, %v", content, got.ShortSide, got.Views, want.ShortSide, want.Views)
		}
	}
}

// The frames are chosen once, when ingest starts: with a model that takes others it is said
// what is carried, what is wanted and what to do, for as long as that is so.
func TestAModelThatTakesOtherFramesIsToldOf(t *testing.T) {
	demoModel := &froster.Bundle{Name: "frost-mini", Dims: froster.Dims{ImageSize: 112}}
	pe := &froster.Bundle{Name: "pe", Dims: froster.Dims{ImageSize: 224, Architecture: froster.PECore}}
	const want = "clips carry frames of 112 px, view centre, chosen when ingest started; model pe takes 224 px, view squash: restart ingest"
	var log stagetest.Log
	p := &Process{Config: config.Default(), log: slog.New(slog.NewTextHandler(&log, nil)), reporter: newReporter(), stages: []string{"infer", "ingest"}}
	p.unfitted = p.Config.Framer
	p.Config.Framer = p.fitted(p.unfitted, demoModel.Dims)
	warning := func() string { return p.reporter.look().Warnings[partFrames] }
	for range 2 {
		if err := p.compareFrames(t.Context(), demoModel, pe); err == nil || !strings.HasPrefix(warning(), want) {
			t.Errorf("%v, warning %q", err, warning())
		}
	}
	if n := strings.Count(log.String(), want); n != 1 {
		t.Errorf("logged %d times", n)
	}
	if err := p.compareFrames(t.Context(), pe, demoModel); err != nil || warning() != "" {
		t.Errorf("the first again: %v, warning %q", err, warning())
	}
	// Infer alone knows only what ingest chooses for a model.
	p.stages, p.Config.Framer = []string{"infer"}, p.unfitted
	if err := p.compareFrames(t.Context(), demoModel, pe); err == nil || warning() != "" {
		t.Errorf("infer alone: %v, warning %q", err, warning())
	}
	if err := p.compareFrames(t.Context(), pe, pe); err != nil {
		t.Errorf("the same frames: %v", err)
	}
}

// Ingest without infer sees in the file that another model is meant.
func TestIngestAloneFollowsTheModel(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	p := &Process{Config: config.Default(), log: slog.New(slog.DiscardHandler), reporter: newReporter(), stages: []string{"ingest"}}
	p.fitFrames()
	p.followModel()
	for _, c := range []struct{ bundle, want string }{
		{writePE(t), "112 px, view centre, chosen when ingest started; model pe takes 384 px, view squash"},
		{"elsewhere/froster-b16", ""},
	} {
		next := config.Default()
		next.Infer.Bundle = c.bundle
		commit, err := p.reloadables[0].prepare(next)
		if err != nil {
			t.Fatal(err)
		}
		commit()
		if w := p.reporter.look().Warnings[partFrames]; !strings.Contains(w, c.want) || c.want == "" && w != "" {
			t.Errorf("%s: warning %q, want %q", c.bundle, w, c.want)
		}
	}
}

// writePE writes what is read of a Perception Encoder's bundle before it is loaded.
func writePE(t *testing.T) string {
	t.Helper()
	bundle := filepath.Join(t.TempDir(), "pe")
	if err := os.Mkdir(bundle, 0o755); err != nil {
		t.Fatal(err)
	}
	about := `{"format": 3, "name": "pe", "model_id": "x", "logit_scale": 100, "precision": "float32",
		"dims": {"image_size": 384, "frames": 8, "embed_dim": 512, "context_length": 32, "patch_size": 16, "vision_width": 384, "vision_layers": 12, "vision_heads": 6, "text_width": 512, "text_layers": 12, "text_heads": 8, "vocab_size": 49408, "vision_mlp": 1536, "pool_heads": 8, "framewise": true, "architecture": "pe-core"}}`
	if err := os.WriteFile(filepath.Join(bundle, "bundle.json"), []byte(about), 0o600); err != nil {
		t.Fatal(err)
	}
	return bundle
}

func TestTheDemoModelStandsInForTheDefaultBundleAlone(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	p := &Process{log: slog.New(slog.DiscardHandler)}
	c := config.Default()
	made, err := demo.CachedModel()
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Bundle(c); got != made {
		t.Errorf("without a bundle: %s, want %s", got, made)
	}
	c.Infer.Bundle = "models/mine" // that it is not there is an error of its own
	if got := p.Bundle(c); got != "models/mine" {
		t.Errorf("a named bundle that is not there: %s", got)
	}
}

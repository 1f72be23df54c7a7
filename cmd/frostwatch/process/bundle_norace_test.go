//go:build !race

package process

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/internal/config"
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
	bundle := filepath.Join(t.TempDir(), "pe")
	if err := os.Mkdir(bundle, 0o755); err != nil {
		t.Fatal(err)
	}
	about := `{"format": 3, "name": "pe", "model_id": "x", "logit_scale": 100, "precision": "float32",
		"dims": {"image_size": 384, "frames": 8, "embed_dim": 512, "context_length": 32, "framewise": true, "architecture": "pe-core"}}`
	if err := os.WriteFile(filepath.Join(bundle, "bundle.json"), []byte(about), 0o600); err != nil {
		t.Fatal(err)
	}
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

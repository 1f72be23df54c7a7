//go:build !race

package process

import (
	"log/slog"
	"testing"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/internal/config"
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

package process

import (
	"context"
	"errors"
	"os"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
)

// standsForDemo is whether a configuration names no bundle but the default, which is not
// there: then the demo model is used, so that the stages can be tried without importing a
// checkpoint.
func standsForDemo(c config.Config) bool {
	if c.Infer.Bundle != config.Default().Infer.Bundle {
		return false
	}
	_, err := os.Stat(c.Infer.Bundle)
	return errors.Is(err, os.ErrNotExist)
}

// Bundle is the folder of the bundle that a configuration means: the one that it names,
// or the demo model, which is put into the user's cache folder.
func (p *Process) Bundle(c config.Config) string {
	if !standsForDemo(c) {
		return c.Infer.Bundle
	}
	dir, err := demo.CachedModel()
	if err != nil {
		p.log.Error("the demo model can't be used", "error", err)
		return c.Infer.Bundle // whose error says what to do
	}
	p.log.Warn("infer.bundle names no bundle: the demo model is used, whose results mean nothing on real video", "bundle", dir)
	return dir
}

// fitFrames makes clips carry frames at the model's own size if that is smaller than the
// configured one, and if the bundle is on this machine: the model was not trained on
// frames that were resized twice. On the demo clips that cost one staged fall in sixteen
// window positions.
func (p *Process) fitFrames() {
	side := demo.ImageSize
	if !standsForDemo(p.Config) {
		b, err := froster.OpenBundle(p.Config.Infer.Bundle)
		if err != nil { // it is on the machine of infer alone
			return
		}
		side = b.Dims.ImageSize
	}
	if side >= p.Config.Framer.ShortSide {
		return
	}
	p.Config.Framer.ShortSide = side
	p.log.InfoContext(context.Background(), "clips carry frames at the model's own size", "short_side", side)
}

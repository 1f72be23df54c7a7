package process

import (
	"context"
	"errors"
	"os"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
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

// fitFrames makes clips carry what the model's own preprocessing takes, if the bundle is on
// this machine.
func (p *Process) fitFrames() {
	d := froster.Dims{ImageSize: demo.ImageSize}
	if !standsForDemo(p.Config) {
		b, err := froster.OpenBundle(p.Config.Infer.Bundle)
		if err != nil { // it is on the machine of infer alone
			return
		}
		d = b.Dims
	}
	p.fitSide(d)
	if own := d.Resize(); own != pixels.Cropping && !p.file.Names("framer.views") {
		p.Config.Framer.Views = []topics.View{topics.ViewSquash}
		p.log.InfoContext(context.Background(), "cameras are recognised by the model's own view unless theirs says otherwise", "views", topics.ViewSquash)
	}
}

// fitSide makes frames as large as the model's, if that is smaller than configured: the
// model was not trained on frames that were resized twice. On the demo clips that cost one
// staged fall in sixteen window positions. A larger model gets its size only where the file
// names none: the operator may have chosen less for the network's sake, and infer warns.
func (p *Process) fitSide(d froster.Dims) {
	carried := p.Config.Framer.ShortSide
	chosen := carried != config.Default().Framer.ShortSide || p.file.Names("framer.short_side")
	if d.ImageSize == carried || d.ImageSize > carried && chosen {
		return
	}
	p.Config.Framer.ShortSide = d.ImageSize
	p.log.InfoContext(context.Background(), "clips carry frames at the model's own size", "short_side", d.ImageSize)
}

package process

import (
	"context"
	"fmt"
	"slices"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

// partFrames is the name under which it is reported that clips carry other frames than
// the model takes.
const partFrames = "frames"

// fitFrames makes clips carry what the model's own preprocessing takes, if the bundle is on
// this machine.
func (p *Process) fitFrames() {
	p.unfitted = p.Config.Framer
	_, d, ok := modelOf(p.Config)
	if !ok { // it is on the machine of infer alone
		return
	}
	fit := p.fitted(p.unfitted, d)
	if fit.ShortSide != p.unfitted.ShortSide {
		p.log.Info("clips carry frames at the model's own size", "short_side", fit.ShortSide)
	}
	if !slices.Equal(fit.Views, p.unfitted.Views) {
		p.log.Info("cameras are recognised by the model's own view unless theirs says otherwise", "views", fit.Views)
	}
	p.Config.Framer = fit
}

// modelOf is the name and what is known of the model that a configuration names, if it is on
// this machine.
func modelOf(c config.Config) (string, froster.Dims, bool) {
	if standsForDemo(c) {
		return demo.ModelName, froster.Dims{ImageSize: demo.ImageSize}, true
	}
	b, err := froster.OpenBundle(c.Infer.Bundle)
	if err != nil {
		return "", froster.Dims{}, false
	}
	return b.Name, b.Dims, true
}

// fitted are the settings with which clips carry what a model takes, as far as the
// configuration leaves that open.
//
// Frames get the model's size, if that is smaller than configured: the model was not trained
// on frames that were resized twice. On the demo clips that cost one staged fall in sixteen
// window positions. A larger model gets its size only where the file names none: the operator
// may have chosen less for the network's sake, and infer warns.
func (p *Process) fitted(f config.Framer, d froster.Dims) config.Framer {
	chosen := f.ShortSide != config.Default().Framer.ShortSide || p.file.Names("framer.short_side")
	if d.ImageSize < f.ShortSide || !chosen {
		f.ShortSide = d.ImageSize
	}
	if d.Resize() != pixels.Cropping && !p.file.Names("framer.views") {
		f.Views = []topics.View{topics.ViewSquash}
	}
	return f
}

// sideWithoutEffect says of an edit of framer.short_side whether it waits for the next start
// or has no effect, because the model takes less; empty: it was not edited.
func (p *Process) sideWithoutEffect() (text string, waits bool) {
	carried, now := p.Config.Framer.ShortSide, p.edited.Framer.ShortSide
	if now == p.file.Config.Framer.ShortSide || now == carried || !slices.Contains(p.stages, "ingest") {
		return "", false
	}
	if name, d, ok := modelOf(p.Config); ok && min(now, d.ImageSize) == carried {
		return fmt.Sprintf("%s: %d has no effect: frames of %d px are what model %s takes", keyShortSide, now, carried, name), false
	}
	return fmt.Sprintf("%s: %d instead of %d", keyShortSide, now, carried), true
}

// misfit is an error if clips carry other frames than ingest would choose for a model.
func (p *Process) misfit(carried, from config.Framer, model string, d froster.Dims) error {
	want := p.fitted(from, d)
	if want.ShortSide == carried.ShortSide && slices.Equal(want.Views, carried.Views) {
		return nil
	}
	return fmt.Errorf("clips carry frames of %s, chosen when ingest started; model %s takes %s: restart ingest (`frostwatch up`), or what is recognised is worth less", framesText(carried), model, framesText(want))
}

// framesText is such as "224 px, view squash".
func framesText(f config.Framer) string {
	if len(f.Views) == 1 {
		return fmt.Sprintf("%d px, view %s", f.ShortSide, f.Views[0])
	}
	return fmt.Sprintf("%d px, views %v", f.ShortSide, f.Views)
}

// compareFrames reports whether clips carry what a model takes that has come in place of
// another. Where ingest is another process, that one reports it for as long as it is so
// (followModel), and here it is only logged.
func (p *Process) compareFrames(ctx context.Context, before, next *froster.Bundle) error {
	if slices.Contains(p.stages, "ingest") {
		err := p.misfit(p.Config.Framer, p.unfitted, next.Name, next.Dims)
		p.reportFrames(err)
		return err
	}
	err := p.misfit(p.fitted(p.Config.Framer, before.Dims), p.Config.Framer, next.Name, next.Dims)
	if err != nil {
		p.log.WarnContext(ctx, "frames", "error", err)
	}
	return err
}

// followModel reports, where ingest runs without infer, whether clips carry what the model
// takes that the file names now.
func (p *Process) followModel() {
	p.onReload(func(c config.Config) (func() []string, error) {
		if slices.Contains(p.stages, "infer") {
			return func() []string { return nil }, nil // infer knows which serves
		}
		var err error
		if name, d, ok := modelOf(c); ok {
			err = p.misfit(p.Config.Framer, p.unfitted, name, d)
		}
		return func() []string {
			p.reportFrames(err)
			return nil
		}, nil
	})
}

// reportFrames reports a misfit for as long as it is one. Where a person watches, the warning
// is already a line for that person.
func (p *Process) reportFrames(err error) {
	if err != nil && p.onTrouble == nil && p.reporter.look().Warnings[partFrames] != err.Error() {
		p.log.Warn("frames", "error", err)
	}
	p.reporter.Warning(partFrames, err)
}

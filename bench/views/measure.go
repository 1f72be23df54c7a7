package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// bench is the way from a film to what each view says of each of its windows.
type bench struct {
	options
	model   *froster.Model
	films   []film
	paste   *paste
	decoder *media.ClipDecoder
	words   map[string]*scoring.Word // by action
}

// ways are the sets of views that are compared.
func ways() [][]topics.View {
	centre, tiles, squash, zoom := topics.ViewCentre, topics.ViewTiles, topics.ViewSquash, topics.ViewZoom
	return [][]topics.View{{centre}, {tiles}, {squash}, {zoom}, {centre, zoom}, {squash, zoom}, {tiles, zoom}}
}

func newBench(ctx context.Context, o options, m *froster.Model, films []film) (*bench, error) {
	b := &bench{options: o, model: m, films: films, words: map[string]*scoring.Word{}}
	texts := m.Bundle().ReferenceTexts()
	for _, action := range slices.Sorted(maps.Keys(o.events)) {
		texts = append(texts, o.events[action])
	}
	embedded, _, err := m.EmbedLabels(ctx, texts)
	if err != nil {
		return nil, err
	}
	vectors := map[string][]float32{}
	for i, text := range texts {
		vectors[text] = embedded[i]
	}
	refs, err := scoring.NewReferences(m.Bundle().ReferenceTexts(), vectors)
	if err != nil {
		return nil, err
	}
	for action, label := range o.events {
		if b.words[action], err = scoring.NewWord([][]float32{vectors[label]}, refs); err != nil {
			return nil, fmt.Errorf("label %q: %w", label, err)
		}
	}
	if err := b.loadScene(ctx); err != nil {
		return nil, err
	}
	b.decoder, err = media.NewClipDecoder(media.NewFrameCache(32 << 20))
	return b, err
}

func (b *bench) close() { b.decoder.Close() }

func (b *bench) loadScene(ctx context.Context) error {
	f, err := media.OpenFile(ctx, b.scene, 1)
	if err != nil {
		return err
	}
	defer f.Close()
	frame, err := f.Next()
	if err != nil {
		return err
	}
	rgb, err := frame.RGB(nil)
	if err != nil {
		return err
	}
	b.paste = newPaste(rgb, frame.Width, frame.Height, b.width, b.height)
	return nil
}

// values are the contrasts of one label: of windows that show it, and of windows that
// don't, for each way.
type values struct{ with, without [][]float64 }

// measure prints a table for each place and height.
func (b *bench) measure(ctx context.Context, out io.Writer) error {
	places := []struct {
		name string
		at   float64
	}{{"middle", .5}, {"left", 0}, {"right", 1}}
	_, err := fmt.Fprintf(out, "model %s, scene %dx%d, %d films\nAUROC of contrast; zoomed: share of windows with a zoom\n", b.model.Bundle().Name, b.width, b.height, len(b.films))
	for _, p := range places {
		for _, h := range b.heights {
			if err == nil {
				err = b.measureAt(ctx, out, p.name, p.at, h)
			}
		}
	}
	return err
}

func (b *bench) measureAt(ctx context.Context, out io.Writer, name string, at, height float64) error {
	of := map[string]*values{}
	for action := range b.words {
		of[action] = &values{make([][]float64, len(ways())), make([][]float64, len(ways()))}
	}
	windows, zoomed := 0, 0
	for _, f := range b.films {
		for n := range b.begins {
			clips, err := b.clips(ctx, f, at, height, n)
			if err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(f.path), err)
			}
			for _, c := range clips {
				windows++
				if c.Zoom != nil {
					zoomed++
				}
				if err := b.see(ctx, f, c, of); err != nil {
					return err
				}
			}
		}
	}
	return b.print(out, name, height, of, float64(zoomed)/float64(windows))
}

// see scores a clip in all views.
func (b *bench) see(ctx context.Context, f film, c topics.Clip, of map[string]*values) error {
	d := b.model.Bundle().Dims
	looks := media.Looks(c, d.ImageSize, d.Resize())
	rgb, _, err := b.decoder.DecodeLooks(ctx, c, looks, d.Frames, d.ImageSize)
	if err != nil {
		return err
	}
	e, err := b.model.EmbedClips(ctx, rgb, len(looks))
	if err != nil {
		return err
	}
	from := c.Epoch.Add(c.Start).Sub(begun).Seconds()
	for action, word := range b.words {
		holds, touches := f.holds(action, from, c.Window.Seconds())
		if touches && !holds {
			continue
		}
		best := map[topics.View]float64{}
		for i, l := range looks {
			v := word.Contrast(scoring.Clip{Mean: topics.RoundFloat16(e.Clip(i))}, b.model.LogitScale(), math.NaN())
			best[l.View] = max(best[l.View], v)
			if l.View == topics.ViewCentre { // the middle tile too
				best[topics.ViewTiles] = max(best[topics.ViewTiles], v)
			}
		}
		for i, way := range ways() {
			value := 0.0 // what has no zoom is not reported
			for _, view := range way {
				value = max(value, best[view])
			}
			to := &of[action].without[i]
			if holds {
				to = &of[action].with[i]
			}
			*to = append(*to, value)
		}
	}
	return nil
}

func (b *bench) print(out io.Writer, name string, height float64, of map[string]*values, zoomed float64) error {
	text := fmt.Sprintf("\n%s, %.0f%% of the height, zoomed %.2f\n%-34s", name, 100*height, zoomed, "")
	for _, way := range ways() {
		text += fmt.Sprintf("%14s", topics.ViewNames(way))
	}
	means := make([]float64, len(ways()))
	for _, action := range slices.Sorted(maps.Keys(of)) {
		v := of[action]
		text += fmt.Sprintf("\n%-34s", fmt.Sprintf("%s (%d, %d)", b.events[action], len(v.with[0]), len(v.without[0])))
		for i := range ways() {
			a := auroc(v.with[i], v.without[i])
			means[i] += a / float64(len(of))
			text += fmt.Sprintf("%14.3f", a)
		}
	}
	text += fmt.Sprintf("\n%-34s", "mean")
	for _, m := range means {
		text += fmt.Sprintf("%14.3f", m)
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// auroc is the chance that a window with the event has the higher value than one without.
func auroc(with, without []float64) float64 {
	sum := 0.0
	for _, a := range with {
		for _, b := range without {
			switch {
			case a > b:
				sum++
			case a == b:
				sum += .5
			}
		}
	}
	return sum / float64(len(with)*len(without))
}

// begun is when every film begins.
var begun = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// clips are those of a camera that shows the scene with a film in it, from a third of a
// stride later for each n on.
func (b *bench) clips(ctx context.Context, f film, at, height float64, n int) ([]topics.Clip, error) {
	return b.cut(ctx, nil, func(s *framer.Stream) error {
		return b.show(ctx, f, s, at, height, time.Duration(n)*800*time.Millisecond)
	})
}

// cut makes the clips of a camera with zones for which show plays something.
func (b *bench) cut(ctx context.Context, zones map[string]topics.Polygon, show func(*framer.Stream) error) (out []topics.Clip, err error) {
	d := b.model.Bundle().Dims
	fr, err := framer.New(framer.Options{
		Names: topics.Names{Prefix: "t."}, Window: 4267 * time.Millisecond, Stride: topics.Stride{Steps: 4}, ShortSide: d.ImageSize, Quality: 90, Queue: 1000,
		Views:  []topics.View{topics.ViewCentre, topics.ViewTiles, topics.ViewSquash, topics.ViewZoom},
		Logger: slog.New(slog.DiscardHandler), Meter: noop.NewMeterProvider().Meter(""), Tracer: tracenoop.NewTracerProvider().Tracer(""), Propagator: propagation.TraceContext{},
		MaxDrift: -1,
	})
	if err != nil {
		return nil, err
	}
	stream, err := fr.Stream(topics.Camera{Name: "film", URL: "file:", Zones: zones}, func(_ context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
		for _, m := range msgs {
			c, err := topics.DecodeClip(m.Value)
			if err != nil {
				return nil, err
			}
			out = append(out, c)
		}
		return make([]topics.RecordRef, len(msgs)), nil
	})
	if err != nil {
		return nil, err
	}
	if err := show(stream); err != nil {
		return nil, err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel() // it sends what is queued, and ends
	stream.Run(ended)
	return out, nil
}

// show plays a film in the scene.
func (b *bench) show(ctx context.Context, f film, stream *framer.Stream, at, height float64, skip time.Duration) error {
	file, err := media.OpenFile(ctx, f.path, 1)
	if err != nil {
		return err
	}
	defer file.Close()
	side := int(height * float64(b.height))
	var film []byte
	for {
		frame, err := file.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if frame.PTS < skip {
			continue
		}
		shown := *frame.Frame
		shown.Arrived, shown.Width, shown.Height = begun.Add(frame.PTS), b.width, b.height
		shown.RGB = func(dst []byte) (_ []byte, err error) {
			if film, err = frame.RGB(film); err != nil {
				return nil, err
			}
			return b.paste.frame(film, frame.Width, frame.Height, side, at, dst), nil
		}
		if err := stream.Frame(ctx, &shown); err != nil {
			return err
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/frostwatch/frostwatch/framer"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// zoned are the contrasts of one label, of windows in which it happens in the zone, beside
// it, and nowhere, by each of zoneWays.
type zoned struct{ in, beside, nowhere [][]float64 }

// zoneWays are what is compared: the whole picture by several sets of views, and the zone, by
// what moves in it.
func zoneWays() []string { return []string{"centre", "tiles", "centre, zoom", "zone"} }

// leftPart is the zone that is measured. Films are at either edge of the picture.
func leftPart() map[string]topics.Polygon {
	return map[string]topics.Polygon{"zone": {{X: 0, Y: 0}, {X: .45, Y: 0}, {X: .45, Y: 1}, {X: 0, Y: 1}}}
}

// measureZones shows each film with an event at one edge and, at the other and at the same
// time, each film without it in turn, and both the other way around.
func (b *bench) measureZones(ctx context.Context, out io.Writer) error {
	for _, h := range b.heights {
		of := map[string]*zoned{}
		for action := range b.words {
			of[action] = &zoned{make([][]float64, len(zoneWays())), make([][]float64, len(zoneWays())), make([][]float64, len(zoneWays()))}
		}
		for i, f := range b.films {
			other := b.films[(i+3)%len(b.films)]
			for _, pair := range [][2]film{{f, other}, {other, f}} {
				clips, err := b.cut(ctx, leftPart(), func(s *framer.Stream) error { return b.showBoth(ctx, pair, s, h) })
				if err != nil {
					return err
				}
				for _, c := range clips {
					if err := b.seeBoth(ctx, pair, c, of); err != nil {
						return err
					}
				}
			}
		}
		if err := printZones(out, h, of, b.events); err != nil {
			return err
		}
	}
	return nil
}

// seeBoth scores a clip of two films, the first of them in the zone.
func (b *bench) seeBoth(ctx context.Context, pair [2]film, c topics.Clip, of map[string]*zoned) error {
	d := b.model.Bundle().Dims
	looks := media.Looks(c, d.ImageSize, d.Resize())
	looks = append(looks, media.ZoneLooks(c, d.Resize(), func(string) bool { return true })...)
	rgb, _, err := b.decoder.DecodeLooks(ctx, c, looks, d.Frames, d.ImageSize)
	if err != nil {
		return err
	}
	e, err := b.model.EmbedClips(ctx, rgb, len(looks))
	if err != nil {
		return err
	}
	from, span := c.Epoch.Add(c.Start).Sub(begun).Seconds(), c.Window.Seconds()
	for action, word := range b.words {
		in, touchesIn := pair[0].holds(action, from, span)
		beside, touchesBeside := pair[1].holds(action, from, span)
		if in && beside || touchesIn != in || touchesBeside != beside {
			continue
		}
		to := of[action].nowhere
		switch {
		case in:
			to = of[action].in
		case beside:
			to = of[action].beside
		}
		for way, value := range b.zoneValues(word, looks, func(i int) []float32 { return topics.RoundFloat16(e.Clip(i)) }) {
			to[way] = append(to[way], value)
		}
	}
	return nil
}

// zoneValues are those of a word by each of zoneWays.
func (b *bench) zoneValues(word *scoring.Word, looks []media.Look, embedding func(i int) []float32) []float64 {
	out := make([]float64, len(zoneWays()))
	for i, l := range looks {
		v := word.Contrast(scoring.Clip{Mean: embedding(i)}, b.model.LogitScale(), math.NaN())
		for way, counts := range []bool{
			l.View == topics.ViewCentre, l.View == topics.ViewCentre || l.View == topics.ViewTiles,
			l.View == topics.ViewCentre || l.View == topics.ViewZoom && l.Zone == 0, l.Zone > 0,
		} {
			if counts {
				out[way] = max(out[way], v)
			}
		}
	}
	return out
}

func printZones(out io.Writer, height float64, of map[string]*zoned, events map[string]string) error {
	text := fmt.Sprintf("\ntwo at once, %.0f%% of the height; AUROC of windows with the label in the zone, against those with it beside the zone / those without it\n%-34s", 100*height, "")
	for _, way := range zoneWays() {
		text += fmt.Sprintf("%16s", way)
	}
	for _, action := range slices.Sorted(maps.Keys(of)) {
		v := of[action]
		text += fmt.Sprintf("\n%-34s", fmt.Sprintf("%s (%d, %d, %d)", events[action], len(v.in[0]), len(v.beside[0]), len(v.nowhere[0])))
		for i := range zoneWays() {
			text += fmt.Sprintf("%16s", fmt.Sprintf("%.3f / %.3f", auroc(v.in[i], v.beside[i]), auroc(v.in[i], v.nowhere[i])))
		}
	}
	for _, level := range []float64{.02, .1, .2, .5} {
		text += fmt.Sprintf("\nreach %-28v", level)
		for i := range zoneWays() {
			var reached, all [3]int
			for _, v := range of {
				for k, values := range [][]float64{v.in[i], v.beside[i], v.nowhere[i]} {
					all[k] += len(values)
					for _, x := range values {
						if x >= level {
							reached[k]++
						}
					}
				}
			}
			text += fmt.Sprintf("%16s", fmt.Sprintf("%d %d %d", reached[0], reached[1], reached[2]))
			if i == len(zoneWays())-1 {
				text += fmt.Sprintf("  of %d %d %d", all[0], all[1], all[2])
			}
		}
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

// showBoth plays two films at once, at the left and the right edge of the scene.
func (b *bench) showBoth(ctx context.Context, pair [2]film, stream *framer.Stream, height float64) error {
	var files [2]*media.File
	for i, f := range pair {
		file, err := media.OpenFile(ctx, f.path, 1)
		if err != nil {
			return err
		}
		defer file.Close()
		files[i] = file
	}
	side := int(height * float64(b.height))
	var pictures [2][]byte
	for {
		var frames [2]media.FileFrame
		for i, file := range files {
			frame, err := file.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			frames[i] = frame
		}
		shown := *frames[0].Frame
		shown.Arrived, shown.Width, shown.Height = begun.Add(frames[0].PTS), b.width, b.height
		shown.RGB = func(dst []byte) (_ []byte, err error) {
			dst = append(dst[:0], b.paste.scene...)
			for i, f := range frames {
				if pictures[i], err = f.RGB(pictures[i]); err != nil {
					return nil, err
				}
				b.paste.put(pictures[i], f.Width, f.Height, side, float64(i), dst)
			}
			b.paste.shake(dst)
			return dst, nil
		}
		if err := stream.Frame(ctx, &shown); err != nil {
			return err
		}
	}
}

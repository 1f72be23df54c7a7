package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	// capacityParts are of how many parts the films of the simulated cameras are, in one of
	// which something moves, and partTime is how long one lasts.
	capacityParts = 10
	partTime      = 6
)

// capacityFilms makes films of a minute that are quiet nine tenths of the time, each with
// the movement at another time, so that cameras that begin at the same time don't all have
// it at once.
func (b *bench) capacityFilms(ctx context.Context) (films []string, err error) {
	picture := filepath.Join(b.dir, "scene.png")
	if err := ffmpeg(ctx, "-f", "lavfi", "-i", fmt.Sprintf("mandelbrot=size=%s:rate=1,noise=alls=12:allf=a", b.Size), "-frames:v", "1", picture); err != nil {
		return nil, err
	}
	parts := map[string]string{}
	for _, film := range []string{FilmQuiet, FilmBusy} {
		b.say("capacity: make films, %s, %s, %s", film, b.Codec, b.Size)
		args, err := filmArgs(film, b.Codec, filmRate)
		if err != nil {
			return nil, err
		}
		parts[film] = filepath.Join(b.dir, "part-"+film+".mp4")
		args = append([]string{"-loop", "1", "-framerate", "30", "-i", picture, "-t", fmt.Sprint(partTime)}, args...)
		if err := ffmpeg(ctx, append(args, parts[film])...); err != nil {
			return nil, err
		}
	}
	for i := range capacityParts {
		var list strings.Builder
		for j := range capacityParts {
			part := parts[FilmQuiet]
			if i == j {
				part = parts[FilmBusy]
			}
			fmt.Fprintf(&list, "file '%s'\n", part)
		}
		text, film := filepath.Join(b.dir, fmt.Sprintf("parts-%d.txt", i)), filepath.Join(b.dir, fmt.Sprintf("capacity-%d.ts", i))
		if err := os.WriteFile(text, []byte(list.String()), 0o600); err != nil {
			return nil, fmt.Errorf("list the parts of a film: %w", err)
		}
		// A transport stream repeats what a decoder must know before each keyframe, as
		// cameras do: the two parts differ in it.
		if err := ffmpeg(ctx, "-f", "concat", "-safe", "0", "-i", text, "-c", "copy", film); err != nil {
			return nil, err
		}
		films = append(films, film)
	}
	return films, nil
}

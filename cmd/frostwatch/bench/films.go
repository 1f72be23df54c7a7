package bench

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The films that the benchmark makes itself, so that anybody can run it.
const (
	// FilmQuiet is a detailed picture that stands still.
	FilmQuiet = "quiet"
	// FilmBusy is the same with a part that moves over it, and noise.
	FilmBusy = "busy"
)

// films makes those that are asked for, and returns their files.
func (b *bench) films(ctx context.Context) (files []string, err error) {
	if len(b.Films) == 0 {
		return nil, nil
	}
	for _, film := range b.Films {
		if film != FilmQuiet && film != FilmBusy {
			return nil, fmt.Errorf("--film %s: want %s or %s", film, FilmQuiet, FilmBusy)
		}
		file := filepath.Join(b.dir, film+".mp4")
		if err := b.film(ctx, film, b.Size, filmRate, file); err != nil {
			return nil, err
		}
		if b.Watch != "" {
			if err := b.film(ctx, film, b.Watch, watchRate, subFilm(file)); err != nil {
				return nil, err
			}
		}
		files = append(files, file)
	}
	return files, nil
}

// The bit rates of busy films, and of the smaller streams beside them.
const (
	filmRate  = "4M"
	watchRate = "512k"
)

// subFilm is the file of the smaller stream beside a film.
func subFilm(file string) string { return strings.TrimSuffix(file, ".mp4") + "-watch.mp4" }

// film makes a film.
func (b *bench) film(ctx context.Context, film, size, rate, file string) error {
	b.say("ingest: make the film %s, %s, %s", film, b.Codec, size)
	picture := filepath.Join(b.dir, "picture-"+size+".png")
	// What a lens and a sensor make is full of detail; a drawing would be too easy.
	if err := ffmpeg(ctx, "-f", "lavfi", "-i", fmt.Sprintf("mandelbrot=size=%s:rate=1,noise=alls=12:allf=a", size), "-frames:v", "1", picture); err != nil {
		return err
	}
	args, err := filmArgs(film, b.Codec, rate)
	if err != nil {
		return err
	}
	return ffmpeg(ctx, slices.Concat([]string{"-loop", "1", "-framerate", "30", "-i", picture, "-t", "8"}, args, []string{file})...)
}

// filmArgs are for a film of a picture: thirty frames and half a keyframe a second, as
// cameras send them, without frames that refer to later ones. A quiet one is coded by a
// constant quantiser, since a rate to be kept would fill what nothing happens in.
func filmArgs(film, codec, rate string) ([]string, error) {
	moving := "[0]split[a][b];[b]crop=iw/4:ih/2:iw/3:ih/4[c];" +
		"[a][c]overlay=x='(W-w)*(0.5-0.5*cos(2*PI*t/8))':y='H/8+H/4*(0.5-0.5*cos(2*PI*t/4))',noise=alls=4:allf=t"
	args := []string{"-pix_fmt", "yuv420p", "-preset", "veryfast"}
	if film == FilmBusy {
		args = append(args, "-filter_complex", moving, "-b:v", rate)
	}
	switch codec {
	case "h264":
		args = append(args, "-c:v", "libx264", "-bf", "0", "-g", "60", "-keyint_min", "60", "-sc_threshold", "0")
		if film == FilmQuiet {
			args = append(args, "-qp", "20")
		}
	case "hevc":
		x265 := "log-level=none:bframes=0:keyint=60:min-keyint=60:scenecut=0"
		if film == FilmQuiet {
			x265 += ":qp=22"
		}
		args = append(args, "-c:v", "libx265", "-tag:v", "hvc1", "-x265-params", x265)
	default:
		return nil, fmt.Errorf("--codec %s: want h264 or hevc", codec)
	}
	return args, nil
}

// ffmpeg runs it to its end.
func ffmpeg(ctx context.Context, args ...string) error {
	//nolint:gosec // the arguments are the benchmark's own
	out, err := exec.CommandContext(ctx, "ffmpeg", append([]string{"-nostdin", "-v", "error", "-y"}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("run ffmpeg: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

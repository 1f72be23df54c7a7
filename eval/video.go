package eval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

// maxDecoded bounds the frames decoded of one video: an hour at 30 frames a
// second.
const maxDecoded = 108_000

// reader turns videos into what the model sees, in the same way as a camera's
// frames: decoded, resized, compressed to JPEG, and decoded again. It serves
// one goroutine; the caller closes it.
type reader struct {
	sampling Sampling
	side     int
	resize   pixels.Resize
	encoder  *media.FrameEncoder
	decoder  *media.ClipDecoder
}

func newReader(s Sampling, side, quality int, resize pixels.Resize) (*reader, error) {
	e, err := media.NewFrameEncoder(side, quality)
	if err != nil {
		return nil, err
	}
	d, err := media.NewClipDecoder(nil)
	if err != nil {
		return nil, err
	}
	return &reader{s, side, resize, e, d}, nil
}

func (r *reader) close() { r.decoder.Close() }

// input is a clip for the model and its weight in the video's embedding.
type input struct {
	pixels []byte // packed RGB, [frames, side, side, 3]
	share  float64
}

// read passes the clips of a video to emit: the views one after the other, each
// in all its crops. If views of a short video are the same, they come once,
// with the weight of all of them.
func (r *reader) read(ctx context.Context, path string, emit func(input) error) error {
	views, width, height, err := r.views(ctx, path)
	if err != nil {
		return err
	}
	places := []pixels.Place{r.resize.Own()}
	if r.sampling.Crops == 3 {
		places = []pixels.Place{r.resize.Of(pixels.Begin), r.resize.Of(pixels.Centre), r.resize.Of(pixels.End)}
	}
	for i, w := range views {
		same := 1
		for _, other := range views[i+1:] {
			if sameFrames(w, other) {
				same++
			}
		}
		if i > 0 && sameFrames(w, views[i-1]) {
			continue
		}
		clip := topics.Clip{ID: path, Width: width, Height: height, Frames: w.frames}
		rgb, _, err := r.decoder.Decode(ctx, clip, media.View{Frames: r.sampling.Frames, Side: r.side, Places: places})
		if err != nil {
			return err
		}
		for rgb := range slices.Chunk(rgb, len(rgb)/len(places)) {
			if err := emit(input{rgb, float64(same) / float64(len(views)*len(places))}); err != nil {
				return err
			}
		}
	}
	return nil
}

func sameFrames(a, b *window) bool {
	for i, f := range a.frames {
		if f.Stream != b.frames[i].Stream {
			return false
		}
	}
	return true
}

// views returns a video's windows, with their frames as JPEG, and the frames'
// size.
func (r *reader) views(ctx context.Context, path string) (views []*window, width, height int, err error) {
	f, err := media.OpenFile(ctx, path, 1)
	if err != nil {
		return nil, 0, 0, err
	}
	views, byTime := r.sampling.windows(f.Info())
	if f.Info().Frames == int64(r.sampling.Frames) {
		views, byTime = r.sampling.complete(), false
	}
	if views == nil {
		views, err = r.count(ctx, f)
		f.Close()
		if err == nil {
			f, err = media.OpenFile(ctx, path, 1)
		}
		if err != nil {
			return nil, 0, 0, err
		}
	}
	defer f.Close()
	width, height, err = r.fill(ctx, f, views, byTime)
	return views, width, height, err
}

// fill decodes until every view has its frames. It finds them by the
// container's times or by their numbers.
func (r *reader) fill(ctx context.Context, f *media.File, views []*window, byTime bool) (width, height int, err error) {
	for number := int64(0); !allDone(views); number++ {
		frame, err := next(ctx, f, number)
		if errors.Is(err, io.EOF) {
			return 0, 0, missing(views)
		}
		if err != nil {
			return 0, 0, err
		}
		at, pick := number, r.picker(frame.Frame, &width, &height)
		if byTime {
			at = frame.Ticks
		}
		for _, w := range views {
			if err := w.offer(at, frame.Last, pick); err != nil {
				return 0, 0, err
			}
		}
	}
	return width, height, nil
}

// count decodes a whole video to find out how many frames it has, and at what
// rate.
func (r *reader) count(ctx context.Context, f *media.File) ([]*window, error) {
	var total, first, last int64
	for {
		frame, err := next(ctx, f, total)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if total == 0 {
			first = frame.Ticks
		}
		last = frame.Ticks
		total++
	}
	if total == int64(r.sampling.Frames) {
		return r.sampling.complete(), nil
	}
	fps := f.Info().FPS
	if fps <= 0 && last > first {
		fps = float64(total-1) / (float64(last-first) * f.Info().Tick)
	}
	switch {
	case total == 0:
		return nil, errors.New("no frame could be decoded")
	case fps <= 0:
		return nil, errors.New("its frame rate is unknown")
	}
	return r.sampling.counted(total, fps), nil
}

func next(ctx context.Context, f *media.File, number int64) (media.FileFrame, error) {
	if err := ctx.Err(); err != nil {
		return media.FileFrame{}, err
	}
	if number >= maxDecoded {
		return media.FileFrame{}, fmt.Errorf("longer than %d frames, the most that is read of a video", maxDecoded)
	}
	return f.Next()
}

// picker resizes and compresses a frame when it is first needed.
func (r *reader) picker(f *media.Frame, width, height *int) func() (topics.ClipFrame, error) {
	var picture topics.ClipFrame
	return func() (topics.ClipFrame, error) {
		if picture.JPEG == nil {
			data, w, h, err := r.encoder.Encode(f)
			if err != nil {
				return topics.ClipFrame{}, err
			}
			*width, *height = w, h
			picture = topics.ClipFrame{JPEG: data, Stream: f.PTS}
		}
		return picture, nil
	}
}

func allDone(views []*window) bool {
	for _, w := range views {
		if !w.done() {
			return false
		}
	}
	return true
}

// missing says which view is incomplete because the video ended too early.
func missing(views []*window) error {
	for i, w := range views {
		if !w.done() {
			return fmt.Errorf("it ended before view %d of %d: it is shorter than its container says", i+1, len(views))
		}
	}
	return nil
}

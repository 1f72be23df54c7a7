package media

import (
	"fmt"
	"runtime"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/media/pixels"
)

// Still is a frame kept until it is known which part of it is wanted.
type Still struct {
	JPEG          []byte // of StillLines lines at most
	Width, Height int    // of the JPEG
	// Points are the frame's luma in rows of Columns, coarse enough to compare frames
	// with. None where the picture is too small for that.
	Points  []byte
	Columns int
}

// StillLines is the short side of a still at most. A larger picture is made smaller:
// twelve stills of a camera are kept at a time.
const StillLines = 1080

// stillQuality and a quarter of the colours, which is all that cameras send, lose little
// of what is compressed once more as a part.
const stillQuality = 92

// Still keeps the frame that was encoded last.
func (e *FrameEncoder) Still() (*Still, error) {
	rgb, w, h := e.rgb, e.width, e.height
	if min(w, h) > StillLines {
		rgb, w, h = pixels.ResizeShortSide(rgb, w, h, StillLines, e.small)
		e.small = rgb
	}
	data, err := e.jpeg.Encode(rgb, w, h, stillQuality, jpeg.Quarter)
	if err != nil {
		return nil, err
	}
	s := &Still{JPEG: data, Width: w, Height: h}
	if e.seen.Scene.Columns > 0 {
		s.Columns = e.scenes.columns
		s.Points = make([]byte, len(e.scenes.luma))
		for i, v := range e.scenes.luma {
			s.Points[i] = byte(min(v/lumaUnit, 255))
		}
	}
	return s, nil
}

// Cut cuts one square out of stills, which are all of one size, and resizes it to
// side×side. left, top and size are in pixels of the stills.
func (e *FrameEncoder) Cut(stills []*Still, left, top, size, side int) (out [][]byte, err error) {
	if e.reader == nil {
		if e.reader, err = jpeg.NewDecoder(); err != nil {
			return nil, err
		}
		runtime.AddCleanup(e, func(d *jpeg.Decoder) { d.Close() }, e.reader)
	}
	e.work()
	for i, s := range stills {
		if left < 0 || top < 0 || size < 1 || left+size > s.Width || top+size > s.Height {
			return nil, fmt.Errorf("cut %d pixels at %d,%d out of a picture of %dx%d", size, left, top, s.Width, s.Height)
		}
		if i > 0 && s == stills[i-1] { // shown at two of the clip's times
			out = append(out, out[i-1])
			continue
		}
		// The frame that was encoded last is not needed any more.
		if n := 3 * s.Width * s.Height; cap(e.rgb) < n {
			e.rgb = make([]byte, n)
		}
		e.rgb = e.rgb[:3*s.Width*s.Height]
		if err := e.reader.Decode(s.JPEG, e.rgb, s.Width, s.Height); err != nil {
			return nil, err
		}
		part := cutOut(e.rgb, s.Width, left, top, size)
		square, _, _ := pixels.ResizeShortSide(part, size, size, side, e.small)
		if size != side {
			e.small = square
		}
		data, err := e.jpeg.Encode(square, side, side, e.quality, jpeg.Full)
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

// cutOut moves a square to the beginning of its picture's memory and returns it.
func cutOut(rgb []byte, width, left, top, size int) []byte {
	for y := range size {
		copy(rgb[3*y*size:], rgb[3*((top+y)*width+left):][:3*size])
	}
	return rgb[:3*size*size]
}

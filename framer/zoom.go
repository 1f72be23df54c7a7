package framer

import (
	"context"
	"math"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// zoomRoom is how long the side of the zoom's square is, as a multiple of the longer side
// of what moves: docs/accuracy.md, "Views", has what it gives. No other was tried.
const zoomRoom = 1.4

// zoomIn sets the zoom of a window that is complete, where its camera has that view, and
// that of each zone. Those with which a clip would not fit into a record it goes without.
func (s *Stream) zoomIn(ctx context.Context, win *window) (err error) {
	if !s.cuts {
		return nil
	}
	begun, stills := time.Now(), win.stills
	win.stills = nil
	m := motionOf(stills)
	room := topics.MaxRecordBytes - besidePictures - sizeOf(win)
	if s.zooms {
		if win.zoom, err = s.zoom(stills, m, &room); err != nil {
			return err
		}
	}
	win.zones = make([]topics.ClipZone, len(s.zones))
	for i, z := range s.zones {
		win.zones[i].Zone = z
		if win.zones[i].Zoom, err = s.zoom(stills, m.within(z.Area), &room); err != nil {
			return err
		}
	}
	s.metrics.zoomed(ctx, s.camera.Name, time.Since(begun))
	return nil
}

// sizeOf is how many bytes a window's pictures have.
func sizeOf(win *window) (size int) {
	for _, f := range win.frames {
		size += len(f.JPEG)
	}
	return size
}

// zoom makes a zoom of a clip: one square around what moves most, the same in all its
// pictures. nil: nothing moves, or nothing smaller than the whole picture, or the pictures
// have more bytes than there is room for.
func (s *Stream) zoom(stills []*media.Still, m motion, room *int) (*topics.Zoom, error) {
	left, top, size, ok := squareAround(stills, m, s.ShortSide)
	if !ok {
		return nil, nil
	}
	jpegs, err := s.encoder.Cut(stills, left, top, size, s.ShortSide)
	if err != nil {
		return nil, err
	}
	bytes := 0
	for _, j := range jpegs {
		bytes += len(j)
	}
	if bytes >= *room {
		return nil, nil
	}
	*room -= bytes
	w, h := float64(stills[0].Width), float64(stills[0].Height)
	return &topics.Zoom{
		Box:  topics.Box{Left: float64(left) / w, Top: float64(top) / h, Width: float64(size) / w, Height: float64(size) / h},
		Side: s.ShortSide, JPEGs: jpegs,
	}, nil
}

// squareAround is the square around what moves, in pixels of the stills: of least pixels
// at least, where the picture has as many, and within the picture.
func squareAround(stills []*media.Still, m motion, least int) (left, top, size int, ok bool) {
	around, ok := m.most()
	if !ok {
		return 0, 0, 0, false
	}
	w, h := stills[0].Width, stills[0].Height
	across, down := float64(w)/float64(m.columns), float64(h)/float64(m.rows) // pixels of a block
	need := zoomRoom * max(across*float64(around.right-around.left), down*float64(around.bottom-around.top))
	size = min(max(int(math.Ceil(need)), least), w, h)
	if n := int(float64(size) / across); n < around.right-around.left {
		around.left = m.busiest(around, n, false)
		around.right = around.left + n
	}
	if n := int(float64(size) / down); n < around.bottom-around.top {
		around.top = m.busiest(around, n, true)
		around.bottom = around.top + n
	}
	return startOf(across*float64(around.left+around.right)/2, size, w), startOf(down*float64(around.top+around.bottom)/2, size, h), size, true
}

// startOf is where a stretch of size begins whose middle is at a place, if possible, in a
// length.
func startOf(middle float64, size, length int) int {
	return min(max(int(math.Round(middle-float64(size)/2)), 0), length-size)
}

package media

import (
	"fmt"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	stripColumns = 4
	// stripPictures bounds the pictures of a filmstrip; of a clip that has more, as many
	// are shown, evenly spread.
	stripPictures = 16
	// stripSide is the long side of a picture at most: enough to see what people do.
	stripSide    = 480
	stripQuality = 80
	frameWidth   = 2 // of a box, pixels
)

// boxColour stands out from most scenes.
var boxColour = []byte{255, 64, 0}

// Filmstrip is a clip's pictures as one JPEG, four in a row, for people to judge by. box
// is drawn around what it is about in each picture; nil: nothing is.
func Filmstrip(c topics.Clip, box *topics.Box) ([]byte, error) {
	return sheet{columns: stripColumns, side: stripSide}.of(c, spread(c.Frames, stripPictures), box)
}

const (
	// glimpsePictures are those of a glimpse, glimpseSide the long side of each at most.
	glimpsePictures = 4
	glimpseSide     = 160
)

// Glimpse is a filmstrip for lists: four small pictures of a clip in one row.
func Glimpse(c topics.Clip, box *topics.Box) ([]byte, error) {
	return sheet{columns: glimpsePictures, side: glimpseSide}.of(c, spread(c.Frames, glimpsePictures), box)
}

// LoopPictures is how many pictures Loop stacks.
const LoopPictures = topics.ClipFrames

// Loop is LoopPictures of a clip's pictures, one below the other in one JPEG, to be shown
// one after the other; each is at most side pixels wide and high.
func Loop(c topics.Clip, side int) ([]byte, error) {
	frames := spread(c.Frames, LoopPictures)
	for len(frames) > 0 && len(frames) < LoopPictures {
		frames = append(frames[:len(frames):len(frames)], frames[len(frames)-1])
	}
	return sheet{columns: 1, side: side}.of(c, frames, nil)
}

// sheet is how pictures are put together: so many in a row, each scaled down to a side.
type sheet struct{ columns, side int }

// of puts pictures of a clip together as one JPEG.
func (s sheet) of(c topics.Clip, frames []topics.ClipFrame, box *topics.Box) ([]byte, error) {
	d, err := jpeg.NewDecoder()
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if len(frames) == 0 {
		return nil, fmt.Errorf("make a filmstrip of clip %s: it has no pictures", c.ID)
	}
	var strip, buffer, small []byte
	var w, h int
	columns := min(s.columns, len(frames))
	rows := (len(frames) + columns - 1) / columns
	for i, f := range frames {
		if buffer, err = d.Frame(f.JPEG, c.Width, c.Height, buffer); err != nil {
			return nil, fmt.Errorf("make a filmstrip of clip %s: %w", c.ID, err)
		}
		picture := buffer
		if w, h = c.Width, c.Height; max(w, h) > s.side {
			small, w, h = pixels.ResizeShortSide(buffer, w, h, max(min(w, h)*s.side/max(w, h), 1), small)
			picture = small
		}
		if box != nil {
			outline(picture, w, h, *box)
		}
		if strip == nil {
			strip = make([]byte, 3*columns*w*rows*h)
		}
		for y := range h {
			at := 3 * ((i/columns*h+y)*columns*w + i%columns*w)
			copy(strip[at:at+3*w], picture[3*y*w:])
		}
	}
	e, err := jpeg.NewEncoder()
	if err != nil {
		return nil, err
	}
	return e.Encode(strip, columns*w, rows*h, stripQuality, jpeg.Quarter)
}

// spread are at most so many of the frames, evenly spread.
func spread(frames []topics.ClipFrame, most int) []topics.ClipFrame {
	if len(frames) <= most {
		return frames
	}
	out := make([]topics.ClipFrame, most)
	for i := range out {
		out[i] = frames[i*len(frames)/most]
	}
	return out
}

// outline draws a box into a packed RGB picture.
func outline(rgb []byte, w, h int, b topics.Box) {
	left, top := int(b.Left*float64(w)), int(b.Top*float64(h))
	right, bottom := min(int((b.Left+b.Width)*float64(w)), w), min(int((b.Top+b.Height)*float64(h)), h)
	for y := max(top, 0); y < bottom; y++ {
		for x := max(left, 0); x < right; x++ {
			if min(x-left, right-1-x, y-top, bottom-1-y) < frameWidth {
				copy(rgb[3*(y*w+x):], boxColour)
			}
		}
	}
}

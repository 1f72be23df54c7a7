package export

import (
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// maxWindow keeps a file's frame rate within its 32 bits.
const maxWindow = time.Hour

// frameChecker checks that a clip's frames can be decoded, with the decoder
// that recognition uses. It serves one goroutine.
type frameChecker struct {
	jpeg *jpeg.Decoder
	rgb  []byte
}

func newFrameChecker() (*frameChecker, error) {
	d, err := jpeg.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &frameChecker{jpeg: d}, nil
}

func (f *frameChecker) close() { f.jpeg.Close() }

func (f *frameChecker) check(c topics.Clip) error {
	if len(c.Frames) != topics.ClipFrames {
		return fmt.Errorf("clip of %d frames: training takes %d", len(c.Frames), topics.ClipFrames)
	}
	if c.Window > maxWindow {
		return fmt.Errorf("clip of %v: want at most %v", c.Window, maxWindow)
	}
	for i, frame := range c.Frames {
		rgb, err := f.jpeg.Frame(frame.JPEG, c.Width, c.Height, f.rgb)
		if err != nil {
			return fmt.Errorf("frame %d: %w", i, err)
		}
		f.rgb = rgb
	}
	return nil
}

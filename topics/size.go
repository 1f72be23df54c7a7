package topics

import "fmt"

// Limits of a carried frame, the same for who writes clips and who reads them,
// so that a hostile record cannot make a reader allocate at will. MaxShortSide
// is what a frame of 16:9 may have: 2730x1536 is within MaxFramePixels. A frame
// longer than MaxFrameAspect times its other side would grow without bound when
// that side is enlarged to a model's size.
const (
	MaxFrameSide   = 8192
	MaxFrameAspect = 16
	MaxFramePixels = 4 << 20
	MinShortSide   = 16
	MaxShortSide   = 1536
)

// CheckFrameSize says whether a clip's frames may have this size, in pixels.
func CheckFrameSize(width, height int) error {
	switch {
	case width < 1 || height < 1 || width > MaxFrameSide || height > MaxFrameSide:
		return fmt.Errorf("frame size %dx%d: want 1 to %d a side", width, height, MaxFrameSide)
	case max(width, height) > MaxFrameAspect*min(width, height):
		return fmt.Errorf("frame size %dx%d: want one side at most %d times the other", width, height, MaxFrameAspect)
	case width*height > MaxFramePixels:
		return fmt.Errorf("frame size %dx%d: want at most %d pixels", width, height, MaxFramePixels)
	}
	return nil
}

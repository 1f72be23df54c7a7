package topics

import "fmt"

// Limits of the frames in clips, in pixels. Writers and readers of clips check
// them, so that a hostile record can't make a reader allocate as much as it likes.
// With the largest short side a 16:9 frame, 2730x1536, is within MaxFramePixels.
// The ratio of the sides is limited because the short side is resized to a model's
// size, which would make a frame such as 8192x1 enormous.
const (
	MaxFrameSide   = 8192
	MaxFrameAspect = 16
	MaxFramePixels = 4 << 20
	MinShortSide   = 16
	MaxShortSide   = 1536
)

// CheckFrameSize returns an error if a clip's frames may not have this size.
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

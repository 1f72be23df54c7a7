package notify

import (
	"context"
	"fmt"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// Try asks the model about a picture of a red square, and returns its answer. An error
// says that it has not answered, or not as it should.
func (v *Verifier) Try(ctx context.Context) (topics.Says, string, error) {
	picture, err := redSquare()
	if err != nil {
		return "", "", err
	}
	ctx, cancel := context.WithTimeout(ctx, v.Timeout)
	defer cancel()
	says, reason, err := v.ask(ctx, "Does the picture show a red square?", picture)
	if err == nil && says != topics.SaysYes {
		err = fmt.Errorf("asked whether a picture of a red square shows one, it says %s (%s): does it take pictures?", says, topics.Clean(reason))
	}
	return says, reason, err
}

// redSquare is a JPEG of one on grey.
func redSquare() ([]byte, error) {
	const w, h, side = 320, 192, 96
	rgb := make([]byte, 3*w*h)
	for y := range h {
		for x := range w {
			colour := []byte{128, 128, 128}
			if max(2*x-w, w-2*x) < side && max(2*y-h, h-2*y) < side {
				colour = []byte{220, 20, 20}
			}
			copy(rgb[3*(y*w+x):], colour)
		}
	}
	e, err := jpeg.NewEncoder()
	if err != nil {
		return nil, err
	}
	return e.Encode(rgb, w, h, 85, jpeg.Quarter)
}

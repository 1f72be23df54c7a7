package bench

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/media/pixels"
)

// stageTimes are what one clip costs on one core, or on the device on which the
// model runs. Scoring is in the part "vocab", because its cost depends only on
// the labels.
type stageTimes struct {
	Decode float64 `json:"jpeg_decode_ms"` // decode and crop; none of the frames is in the cache
	Bytes  int     `json:"jpeg_bytes"`     // of all the clip's frames together
	Model  float64 `json:"model_ms"`       // in the largest batch measured
}

// stages completes a model's figures; clips is its rate on all cores.
func (b *bench) stages(m *modelRates, clips float64) (stageTimes, error) {
	d := m.model.Bundle().Dims
	decode, size, err := decodeTime(d.Frames, d.ImageSize, min(time.Second, b.Time))
	if err != nil {
		return stageTimes{}, fmt.Errorf("decode made pictures: %w", err)
	}
	cores := runtime.GOMAXPROCS(0)
	if b.onGPU() {
		cores = 1
	}
	return stageTimes{Decode: milli(decode), Bytes: size, Model: 1000 * float64(cores) / clips}, nil
}

// decodeTime measures how long a clip's frames take from JPEG to the model's
// square, and returns their size in bytes too. They are 16:9 and compressed as
// the framer does.
func decodeTime(frames, side int, lasting time.Duration) (time.Duration, int, error) {
	encoder, err := jpeg.NewEncoder()
	if err != nil {
		return 0, 0, err
	}
	decoder, err := jpeg.NewDecoder()
	if err != nil {
		return 0, 0, err
	}
	defer decoder.Close()
	w, h := side*16/9, side
	jpeg, err := encoder.Encode(madePicture(w, h), w, h, config.Default().Framer.JPEGQuality, jpeg.Full)
	if err != nil {
		return 0, 0, err
	}
	rgb, square := make([]byte, 3*w*h), make([]byte, 3*side*side)
	a, err := rate(lasting, 1, func() error {
		for range frames {
			if err := decoder.Decode(jpeg, rgb, w, h); err != nil {
				return err
			}
			pixels.CenterCrop(rgb, w, h, side, square)
		}
		return nil
	})
	return time.Duration(float64(time.Second) / a), frames * len(jpeg), err
}

// madePicture returns a picture that is as hard to compress as a camera's: soft
// shapes under a little noise. That matters because the cost of decoding
// depends on the number of bytes.
func madePicture(w, h int) []byte {
	rgb := make([]byte, 3*w*h)
	noise := randomFrames(len(rgb))
	for i := range rgb {
		x, y := float64(i/3%w)/float64(h), float64(i/3/w)/float64(h)
		shape := 128 + 50*math.Sin(17*x+float64(i%3))*math.Cos(11*y) + 40*math.Sin(40*x*y)
		rgb[i] = byte(min(max(shape+float64(noise[i])/16-8, 0), 255))
	}
	return rgb
}

package media

import (
	"fmt"
	"hash/maphash"

	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/media/pixels"
	"github.com/frostwatch/frostwatch/topics"
)

// FrameEncoder turns frames into small JPEGs. Its buffers are reused; it serves one
// goroutine.
type FrameEncoder struct {
	short, quality int
	most           int // bytes of a picture; 0: any
	lowered        int // quality of the latest pictures
	jpeg           *jpeg.Encoder
	canvas
	canvases       *Canvases     // nil: the canvas is the encoder's own
	width, height  int           // of rgb
	reader         *jpeg.Decoder // of stills; nil until the first is cut
	seed           maphash.Seed
	scenes         sceneMaker
	seen           Seen
	masked, dimmed mask // of rgb, and of pictures as they are carried
}

// Seen is what is measured of a frame without a model.
type Seen struct {
	// Hash is of all pixels at full size. Equal pictures of one FrameEncoder have equal
	// hashes; others differ but for chance.
	Hash uint64
	// Black is whether almost nothing of it is brighter than black.
	Black bool
	// Scene is what the picture looks like, roughly.
	Scene Scene
}

// Seen is about the frame that was encoded last.
func (e *FrameEncoder) Seen() Seen { return e.seen }

// What counts as black is that of libavfilter's blackdetect, by its defaults
// (picture_black_ratio_th, pixel_black_th).
const (
	blackPixels = 0.98 // of all
	blackLuma   = 0.10 // of the range from black to white
)

// isBlack is whether a packed RGB picture of a width is black, but for what is painted
// over.
func isBlack(rgb []byte, w int, painted []span) bool {
	pixels := len(rgb) / 3
	for _, s := range painted {
		pixels -= s.to - s.from
	}
	bright, allowed, from := 0, int((1-blackPixels)*float64(pixels)), 0
	for _, s := range painted {
		bright += countBright(rgb[3*from:3*(s.row*w+s.from)], allowed-bright)
		from = s.row*w + s.to
	}
	return pixels > 0 && bright+countBright(rgb[3*from:], allowed-bright) <= allowed
}

// countBright counts the pixels that are not black, until there are more than most.
func countBright(rgb []byte, most int) (bright int) {
	const dark = blackLuma * 255 * 256
	for i := 0; i+2 < len(rgb) && bright <= most; i += 3 {
		// Luma of BT.601, in 256ths.
		if 77*int(rgb[i])+150*int(rgb[i+1])+29*int(rgb[i+2]) > dark {
			bright++
		}
	}
	return bright
}

// NewFrameEncoder makes one for a short side in pixels and a quality of 1 to 100.
func NewFrameEncoder(short, quality int) (*FrameEncoder, error) {
	j, err := jpeg.NewEncoder()
	if err != nil {
		return nil, err
	}
	return &FrameEncoder{short: short, quality: quality, lowered: quality, jpeg: j, seed: maphash.MakeSeed()}, nil
}

// check bounds a picture and what it is resized to, before memory is taken.
func (e *FrameEncoder) check(w, h int) error {
	if w < 1 || h < 1 {
		return fmt.Errorf("a picture of %dx%d", w, h)
	}
	if err := topics.CheckFrameSize(pixels.ResizedSize(w, h, e.short)); err != nil {
		return fmt.Errorf("a picture of %dx%d, carried with a short side of %d: %w", w, h, e.short, err)
	}
	return nil
}

// Encode resizes and compresses a frame to a size that readers of clips accept.
// The bytes are the caller's.
func (e *FrameEncoder) Encode(f *Frame) (data []byte, w, h int, err error) {
	if err := e.check(f.Width, f.Height); err != nil {
		return nil, 0, 0, err
	}
	e.work()
	if e.rgb, err = f.RGB(e.rgb); err != nil {
		return nil, 0, 0, err
	}
	e.width, e.height = f.Width, f.Height
	e.masked.apply(e.rgb, f.Width, f.Height) // before anything is made of it
	small, w, h := pixels.ResizeShortSide(e.rgb, f.Width, f.Height, e.short, e.small)
	if w != f.Width || h != f.Height {
		e.small = small
	}
	e.seen = Seen{Hash: maphash.Bytes(e.seed, e.rgb), Black: isBlack(small, w, e.dimmed.of(w, h)), Scene: e.scenes.see(e.rgb, f.Width, f.Height)}
	// Whole colours: at equal size they lose less of the embedding than a higher
	// quality does with a quarter of them (docs/benchmarks.md, "What JPEG costs").
	if data, err = e.compress(small, w, h); err != nil {
		return nil, 0, 0, err
	}
	return data, w, h, nil
}

// Bound keeps pictures to so many bytes, by a lower quality than asked for where it
// needs be.
func (e *FrameEncoder) Bound(bytes int) { e.most = bytes }

// Mask paints areas over in all pictures from now on.
func (e *FrameEncoder) Mask(areas []topics.Polygon) {
	e.masked, e.dimmed = mask{areas: areas}, mask{areas: areas}
}

// Quality is that of the latest picture.
func (e *FrameEncoder) Quality() int { return e.lowered }

const (
	leastQuality = 10
	qualityStep  = 10
)

// compress tries qualities from that of the picture before, and a better one where
// that leaves half of the room.
func (e *FrameEncoder) compress(rgb []byte, w, h int) ([]byte, error) {
	for {
		data, err := e.jpeg.Encode(rgb, w, h, e.lowered, jpeg.Full)
		switch {
		case err != nil:
			return nil, err
		case e.most > 0 && len(data) > e.most && e.lowered > leastQuality:
			e.lowered = max(e.lowered-qualityStep, leastQuality)
			continue
		case len(data) < e.most/2 || e.most == 0:
			e.lowered = min(e.lowered+qualityStep, e.quality)
		}
		return data, nil
	}
}

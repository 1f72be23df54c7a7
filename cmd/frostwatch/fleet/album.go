package fleet

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/frostwatch/frostwatch/media/jpeg"
)

const (
	scenes = 8
	// variants are the pictures of each scene, between which there is little difference.
	variants = 2
)

// Scenes is how many scenes there are.
func Scenes() int { return scenes }

// picture is one of the album's.
type picture struct{ scene, variant int }

// album holds the pictures of all scenes, encoded once.
type album struct{ pages [scenes][variants][]byte }

func newAlbum(w, h, quality int) (*album, error) {
	encoder, err := jpeg.NewEncoder()
	if err != nil {
		return nil, err
	}
	var a album
	for s := range scenes {
		for v := range variants {
			if a.pages[s][v], err = encoder.Encode(paint(s, v, w, h), w, h, quality, jpeg.Full); err != nil {
				return nil, err
			}
		}
	}
	return &a, nil
}

// paint makes a picture that is about as hard to compress as a camera's: soft shapes under a
// little noise. Scenes differ in colours and shapes, variants in where the shapes are.
func paint(scene, variant, w, h int) []byte {
	random := rand.New(rand.NewPCG(uint64(scene), 1))
	var base, swing [3]float64
	for i := range base {
		base[i], swing[i] = 50+150*random.Float64(), 20+60*random.Float64()
	}
	wide, high, tilt := 2+25*random.Float64(), 2+25*random.Float64(), 40*random.Float64()
	noise := rand.New(rand.NewPCG(uint64(scene), uint64(2+variant)))
	rgb := make([]byte, 3*w*h)
	for i := range rgb {
		x, y := float64(i/3%w)/float64(h)+0.02*float64(variant), float64(i/3/w)/float64(h)
		shape := base[i%3] + swing[i%3]*math.Sin(wide*x+float64(i%3))*math.Cos(high*y) + 30*math.Sin(tilt*x*y)
		rgb[i] = byte(min(max(shape+16*noise.Float64()-8, 0), 255))
	}
	return rgb
}

// page is a picture with a comment that no other frame has, as two frames of a camera are
// never the same to the byte. It decodes to the same pixels.
func (a *album) page(p picture, camera uint32, epoch, frame uint64) []byte {
	const length = 2 + 4 + 8 + 8 // of a comment, itself included
	of := a.pages[p.scene][p.variant]
	out := make([]byte, 0, len(of)+2+length)
	out = append(out, of[:2]...) // the start of the image
	out = append(out, 0xff, 0xfe, 0, length)
	out = binary.BigEndian.AppendUint32(out, camera)
	out = binary.BigEndian.AppendUint64(out, epoch)
	out = binary.BigEndian.AppendUint64(out, frame)
	return append(out, of[2:]...)
}

package main

import (
	"math/rand/v2"

	"github.com/frostwatch/frostwatch/media/pixels"
)

// paste puts films into the scene.
type paste struct {
	scene         []byte // packed RGB
	width, height int
	noise         []int8 // of a camera, longer than a picture
	random        *rand.Rand
	square        []byte
}

// levels is the standard deviation of the scene's noise, so that what moves has to be
// told from it.
const levels = 2

func newPaste(scene []byte, w, h, width, height int) *paste {
	p := &paste{width: width, height: height, random: rand.New(rand.NewPCG(1, 2))}
	p.scene = fill(scene, w, h, width, height)
	p.noise = make([]int8, len(p.scene)+1<<16)
	for i := range p.noise {
		p.noise[i] = int8(levels * p.random.NormFloat64())
	}
	return p
}

// fill makes a picture as large as wanted: both sides are resized.
func fill(rgb []byte, w, h, width, height int) []byte {
	out := make([]byte, 3*width*height)
	for y := range height {
		for x := range width {
			copy(out[3*(y*width+x):][:3], rgb[3*(y*h/height*w+x*w/width):])
		}
	}
	return out
}

// frame is the scene with the middle square of a film's picture, side pixels high, at a
// place from 0 (left) to 1 (right), in the middle of the height.
func (p *paste) frame(film []byte, w, h, side int, at float64, dst []byte) []byte {
	dst = append(dst[:0], p.scene...)
	p.put(film, w, h, side, at, dst)
	p.shake(dst)
	return dst
}

// put adds a film's picture to one of the scene.
func (p *paste) put(film []byte, w, h, side int, at float64, dst []byte) {
	short := min(w, h)
	// Shrunk by averaging, as a lens does that is farther away.
	times := max((short+side-1)/side, 1)
	if n := 3 * times * side * times * side; cap(p.square) < n {
		p.square = make([]byte, n)
	}
	square := p.square[:3*times*side*times*side]
	pixels.Square(film, w, h, times*side, pixels.Centre, square)
	left, top := int(at*float64(p.width-side)), (p.height-side)/2
	for y := range side {
		for x := range side {
			for c := range 3 {
				sum := 0
				for k := range times * times {
					sum += int(square[3*((y*times+k/times)*times*side+x*times+k%times)+c])
				}
				dst[3*((top+y)*p.width+left+x)+c] = byte(sum / (times * times))
			}
		}
	}
}

// shake adds the noise.
func (p *paste) shake(dst []byte) {
	shift := p.random.IntN(1 << 16)
	for i, v := range dst {
		dst[i] = byte(min(max(int(v)+int(p.noise[shift+i]), 0), 255))
	}
}

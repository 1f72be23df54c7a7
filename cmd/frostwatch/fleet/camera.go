package fleet

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

const (
	// late is how long after its window's end a clip is published at most: the clip's time
	// must not be ahead of the broker's.
	late = 200 * time.Millisecond
	// longest is how many clips' worth of new frames a scene lasts at most.
	longest = 12
)

// camera is what is known of one camera between two of its clips.
type camera struct {
	fleet  *fleet
	index  int
	random *rand.Rand
	began  time.Time // of the first window: others follow a stride apart

	epoch    time.Time
	first    int    // round of the epoch's first window
	back     int    // the round from which on the camera is connected
	sequence uint64 // of the next clip
	frames   uint64 // of the epoch so far
	shared   [topics.ClipFrames]picture
	kept     int // how many of shared the next clip begins with

	scene int // that it shows
	left  int // frames until it shows another
}

// job is a clip that is due, without its pictures' bytes.
type job struct {
	camera   int
	epoch    time.Time
	sequence uint64
	start    time.Duration
	pictures [topics.ClipFrames]picture
	numbers  [topics.ClipFrames]uint64 // of the frames, in the epoch
	due      time.Time
}

func newCamera(f *fleet, index int, began time.Time) *camera {
	c := &camera{fleet: f, index: index, random: f.source(index), began: began}
	c.scene = f.Scenes[0]
	if f.Steady {
		c.scene = f.Scenes[index%len(f.Scenes)]
	}
	c.connect(0)
	return c
}

// connect begins a new epoch with the window of a round.
func (c *camera) connect(round int) {
	jitter := time.Duration(c.random.Int64N(int64(late / 2)))
	c.epoch = c.began.Add(time.Duration(round)*c.stride() + jitter).Truncate(time.Millisecond)
	c.first, c.sequence, c.frames, c.kept = round, 0, 0, 0
}

func (c *camera) stride() time.Duration { return c.fleet.Stride.Of(c.fleet.Window) }

// next is the clip of a round; false while the camera connects anew.
func (c *camera) next(round int, due time.Time) (job, bool) {
	switch {
	case round < c.back:
		return job{}, false
	case round == c.back && round > 0:
		c.connect(round)
	}
	start := time.Duration(round-c.first) * c.stride()
	j := job{camera: c.index, epoch: c.epoch, sequence: c.sequence, start: start, due: due}
	j.pictures, j.numbers = c.look()
	c.sequence++
	if of := c.fleet.Epochs; of > 0 && c.random.IntN(of) == 0 {
		// The next window may not share a frame with this one, nor begin before it ends.
		c.back = round + 1 + int(math.Ceil(float64(c.fleet.Window)/float64(c.stride()))) + c.random.IntN(2)
	}
	return j, true
}

// look is what the next clip's frames show: the last of the clip before where the stride is
// a number of steps, and new ones.
func (c *camera) look() (pictures [topics.ClipFrames]picture, numbers [topics.ClipFrames]uint64) {
	pictures = c.shared
	for i := c.kept; i < len(pictures); i++ {
		pictures[i] = c.see()
		c.frames++
	}
	for i := range numbers {
		numbers[i] = c.frames - uint64(len(pictures)-i)
	}
	c.kept = max(len(pictures)-c.fleet.Stride.Steps, 0)
	if c.fleet.Stride.Steps == 0 {
		c.kept = 0
	}
	copy(c.shared[:], pictures[len(pictures)-c.kept:])
	return pictures, numbers
}

// see is what the next frame shows.
func (c *camera) see() picture {
	if c.left == 0 && !c.fleet.Steady {
		c.turn()
	}
	c.left--
	return picture{c.scene, int(c.frames % variants)}
}

// turn chooses the next scene and for how long it lasts: half of the time it is the first.
func (c *camera) turn() {
	scenes := c.fleet.Scenes
	c.scene = scenes[0]
	if len(scenes) > 1 && c.random.IntN(2) == 0 {
		c.scene = scenes[1+c.random.IntN(len(scenes)-1)]
	}
	c.left = topics.ClipFrames / 2 * (1 + c.random.IntN(longest))
}

// clip makes the record of a job.
func (f *fleet) clip(j job) topics.Clip {
	c := topics.Clip{
		ID: topics.ClipID(f.camera(j.camera), j.epoch, j.start), Camera: f.camera(j.camera),
		Epoch: j.epoch, Sequence: j.sequence, Start: j.start, Window: f.Window,
		Width: f.Width, Height: f.Height,
	}
	step := topics.Stride{Steps: 1}.Of(f.Window)
	for i, p := range j.pictures {
		at := j.start + time.Duration(i)*step
		c.Frames = append(c.Frames, topics.ClipFrame{
			JPEG: f.album.page(p, uint32(j.camera), uint64(j.epoch.UnixMilli()), j.numbers[i]), Stream: at, Captured: j.epoch.Add(at),
		})
	}
	return c
}

package media

import "sync"

// Canvases are the memory in which FrameEncoders work on pictures at their full size. They
// share it, since each needs it only while it works on a frame: six megabytes for each
// camera of 1920x1080 otherwise.
type Canvases struct {
	most int

	mu   sync.Mutex
	free []canvas
}

// canvas holds a picture at full size, and what is made of it.
type canvas struct{ rgb, small []byte }

// NewCanvases keeps as many for those to come as work at the same time, at most.
func NewCanvases(most int) *Canvases { return &Canvases{most: most} }

func (c *Canvases) take() (taken canvas) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.free) - 1; n >= 0 {
		taken, c.free[n] = c.free[n], canvas{}
		c.free = c.free[:n]
	}
	return taken
}

func (c *Canvases) give(back canvas) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.free) < c.most {
		c.free = append(c.free, back)
	}
}

// Share has the encoder work in memory that it takes from others when it begins, and gives
// back in Rest.
func (e *FrameEncoder) Share(c *Canvases) { e.canvases = c }

// Rest gives shared memory back. Still needs it, so it is called after that.
func (e *FrameEncoder) Rest() {
	if e.canvases != nil && e.rgb != nil {
		e.canvases.give(e.canvas)
		e.canvas = canvas{}
	}
}

func (e *FrameEncoder) work() {
	if e.canvases != nil && e.rgb == nil {
		e.canvas = e.canvases.take()
	}
}

package camsim

import "time"

// Pause freezes a camera: connections stay open and nothing comes. The stream's
// clock runs on.
func (s *Server) Pause(name string) { s.fault(name, func(c *camera) { c.frozenAt = time.Now() }) }

// Resume ends Pause: the file continues where it was, with later timestamps.
func (s *Server) Resume(name string) {
	s.fault(name, func(c *camera) {
		if !c.frozenAt.IsZero() {
			c.lost += time.Since(c.frozenAt)
			c.frozenAt = time.Time{}
		}
	})
}

// Kick closes every connection to a camera; readers may come back.
func (s *Server) Kick(name string) { s.fault(name, func(c *camera) { c.kick() }) }

// Stop closes every connection to a camera; from then on the camera answers
// "not found".
func (s *Server) Stop(name string) {
	s.fault(name, func(c *camera) {
		c.stopped = true
		c.kick()
	})
}

// Start undoes Stop.
func (s *Server) Start(name string) { s.fault(name, func(c *camera) { c.stopped = false }) }

// Corrupt replaces, while on, the content of every frame with rubbish.
func (s *Server) Corrupt(name string, on bool) { s.fault(name, func(c *camera) { c.corrupt = on }) }

// Hang sends, while on, the latest keyframe in place of every frame: the picture stays
// the same, and all else goes on.
func (s *Server) Hang(name string, on bool) { s.fault(name, func(c *camera) { c.hung = on }) }

// Readers is how many clients are playing.
func (s *Server) Readers(name string) int {
	n := 0
	s.fault(name, func(c *camera) { n = len(c.readers) })
	return n
}

func (s *Server) fault(name string, change func(*camera)) {
	c := s.camera(name)
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
	c.wake()
}

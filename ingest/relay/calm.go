package relay

import (
	"net"
	"sync"
	"syscall"
	"time"
)

// calm gathers what a camera sends while nothing happens: packets of some hundred bytes
// thirty times a second, each of which would wake two threads. The kernel keeps them until
// much has come, such as a keyframe, or a while has passed.
type calm struct {
	mu   sync.Mutex
	on   bool
	from syscall.RawConn // the camera's connection; nil: none, or one that can't gather
	busy time.Time       // until then more of what is much is expected
}

const (
	// calmWhile is how long packets are gathered at most. Something that happens is seen
	// later by so much.
	calmWhile = 250 * time.Millisecond
	// calmMuch are the bytes that are handed on at once, and calmAfter is for how long what
	// follows them is, too: the rest of a keyframe, and the packet after it, by which libav
	// knows that it is whole.
	calmMuch  = 8 << 10
	calmAfter = 100 * time.Millisecond
)

// Calm says whether nothing happens before the camera, so that what it sends may be handed
// on a quarter of a second late.
func (r *Relay) Calm(on bool) {
	r.calm.mu.Lock()
	defer r.calm.mu.Unlock()
	r.calm.on = on
	if !on {
		r.calm.wakeAt(1)
	}
}

// of is called with the camera's connection. With TLS nothing is gathered: it hands out a
// record at a time and keeps others, which the kernel knows nothing of.
func (c *calm) of(camera net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if plain, ok := camera.(*net.TCPConn); ok {
		c.from, _ = plain.SyscallConn() // nil where it can't be had
	}
}

// wakeAt sets how many bytes must have come before a reader is woken; mu is held.
func (c *calm) wakeAt(bytes int) {
	if c.from == nil {
		return
	}
	// An error means that the connection is closed, or that readers are woken at once.
	_ = c.from.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, bytes) })
}

// wait gathers, if there is calm; false if there is not, or if gathering does not work.
// handed is how much was handed on last.
func (c *calm) wait(handed int) bool {
	c.mu.Lock()
	now := time.Now()
	if handed >= calmMuch {
		c.busy = now.Add(calmAfter)
	}
	from := c.from
	if !c.on || from == nil || now.Before(c.busy) {
		c.mu.Unlock()
		return false
	}
	c.wakeAt(calmMuch) // and at once if they are there
	c.mu.Unlock()
	hurry := func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.wakeAt(1)
	}
	timer := time.AfterFunc(calmWhile, hurry)
	defer hurry()
	defer timer.Stop()
	asked := false
	return from.Read(func(uintptr) bool {
		waited := asked
		asked = true
		return waited
	}) == nil
}

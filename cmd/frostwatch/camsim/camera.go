package camsim

import (
	"fmt"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"
)

// camera is a file that is played as a camera.
type camera struct {
	server  *Server
	name    string
	path    string
	options FileOptions
	media   *description.Media
	encode  func([][]byte) ([]*rtp.Packet, error)

	mu      sync.Mutex
	stream  *gortsplib.ServerStream // nil before Run, and if it could not be created
	readers map[*gortsplib.ServerSession]bool
	begun   bool // a reader is ready for packets
	stopped bool
	corrupt bool
	hung    bool
	key     [][]byte // the keyframe that was sent last
	// frozenAt is when Pause was called, lost the total length of earlier
	// pauses.
	frozenAt time.Time
	lost     time.Duration
	// changed is closed and replaced whenever one of the above changes.
	changed chan struct{}
}

func newCamera(s *Server, name, path string, o FileOptions) (*camera, error) {
	c := &camera{
		server: s, name: name, path: path, options: o,
		readers: map[*gortsplib.ServerSession]bool{}, changed: make(chan struct{}),
	}
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.close()
	first, err := f.next()
	if err != nil {
		return nil, err
	}
	if err := c.describe(f.h265, first.NALs); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// describe makes the session description from the parameter sets in front of
// the first frame.
func (c *camera) describe(h265 bool, nals [][]byte) error {
	const payloadType = 96
	var f format.Format
	if h265 {
		v := &format.H265{PayloadTyp: payloadType}
		for _, n := range nals {
			switch n[0] >> 1 & 63 {
			case 32:
				v.VPS = n
			case 33:
				v.SPS = n
			case 34:
				v.PPS = n
			}
		}
		e, err := v.CreateEncoder()
		if err != nil {
			return err
		}
		f, c.encode = v, e.Encode
	} else {
		v := &format.H264{PayloadTyp: payloadType, PacketizationMode: 1}
		for _, n := range nals {
			switch n[0] & 31 {
			case 7:
				v.SPS = n
			case 8:
				v.PPS = n
			}
		}
		e, err := v.CreateEncoder()
		if err != nil {
			return err
		}
		f, c.encode = v, e.Encode
	}
	c.media = &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{f}}
	return nil
}

// open makes the stream that readers attach to; c.mu is held.
func (c *camera) open() error {
	stream := &gortsplib.ServerStream{
		Server: c.server.rtsp, Desc: &description.Session{Title: c.name, Medias: []*description.Media{c.media}},
	}
	if err := stream.Initialize(); err != nil {
		return fmt.Errorf("open stream %s: %w", c.name, err)
	}
	c.stream = stream
	return nil
}

// kick closes the stream with all its readers and makes a new one; c.mu is
// held.
func (c *camera) kick() {
	if c.stream == nil {
		return
	}
	c.stream.Close()
	c.stream = nil
	clear(c.readers)
	c.begun = false
	if err := c.open(); err != nil {
		c.server.log.Error("camsim: camera is gone", "camera", c.name, "error", err)
	}
}

// current is the stream for a new reader, nil when there is none.
func (c *camera) current() *gortsplib.ServerStream {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return nil
	}
	return c.stream
}

func (c *camera) join(s *gortsplib.ServerSession) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readers[s] = true
}

func (c *camera) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun = len(c.readers) > 0
	c.wake()
}

func (c *camera) leave(s *gortsplib.ServerSession) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.readers, s)
	if len(c.readers) == 0 {
		c.begun = false
	}
	c.wake()
}

// wake wakes goroutines that wait for a change; c.mu is held.
func (c *camera) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

package relay

import (
	"context"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// session is libav's connection of RTSP and the camera's.
type session struct {
	relay *Relay
	local string // what libav's requests name in place of the target's URI
	libav net.Conn

	mu      sync.Mutex // guards what follows, and writing to the camera
	camera  net.Conn
	number  int        // of the latest request to the camera (CSeq)
	waiting []*request // for the camera's answer
	playing bool
	id      string // of the camera's session
	pairs   []*pair
}

// request is one of libav's that the camera has not answered.
type request struct {
	message
	method, uri string
	libav       string // its CSeq there
	number      int    // its CSeq at the camera
	sent        int    // times
	answered    bool   // a challenge that was made to this very request
	ports       *pair  // UDP; nil: none were asked for
}

// maxWaiting bounds how many requests may wait: some cameras never answer those that
// only say that their viewer still looks on.
const maxWaiting = 16

// silent requests are those whose answer libav does not wait for.
func (q *request) silent(playing bool) bool {
	return q.method == "GET_PARAMETER" || q.method == "TEARDOWN" || playing && q.method == "OPTIONS"
}

func (r *Relay) serveRTSP(ctx context.Context, libav net.Conn) {
	in := newReader(libav, 16<<10) // reports on what it receives, and requests
	local := r.URL()
	_, first, err := in.next()
	if err != nil || first == nil {
		return
	}
	if _, uri, ok := first.request(); !ok || uri != local || !r.claim(libav) {
		return
	}
	camera, err := r.target.Dial(ctx)
	if err != nil {
		r.refused(ctx, err)
		return
	}
	defer r.track(camera)()
	r.calm.of(camera)
	s := &session{relay: r, local: local, libav: libav, camera: camera}
	defer s.closePairs()
	var down sync.WaitGroup
	down.Go(func() {
		s.answers(newReader(camera, maxFrame+4096))
		hangUp(libav)
	})
	s.requests(in, first)
	_ = camera.SetReadDeadline(time.Now())
	down.Wait()
}

// hangUp tells libav that nothing more comes; it still reads what was sent before.
func hangUp(libav net.Conn) {
	if c, ok := libav.(*net.TCPConn); ok {
		_ = c.CloseWrite()
	}
}

// requests passes on what libav sends, until it or the camera is gone.
func (s *session) requests(in *reader, m *message) {
	for {
		var err error
		if m != nil {
			err = s.pass(m)
		}
		if err != nil {
			return
		}
		var frames []byte
		if frames, m, err = in.next(); err != nil {
			return
		}
		if m == nil && s.write(frames) != nil {
			return
		}
	}
}

// pass sends a request of libav's on to the camera.
func (s *session) pass(m *message) error {
	method, uri, ok := m.request()
	if !ok {
		return nil // an answer; we answer cameras' requests ourselves
	}
	q := &request{message: *m, method: method, uri: s.named(uri), libav: m.get("CSeq")}
	q.without("CSeq", "Authorization")
	if err := s.offerPorts(q); err != nil {
		return err
	}
	return s.send(q)
}

// named is what a request of libav's names at the camera.
func (s *session) named(uri string) string {
	rest, ours := strings.CutPrefix(uri, s.local)
	switch to := s.relay.target.URI; {
	case !ours:
		return uri // as the camera's description has it
	case rest == "":
		return to
	default:
		return strings.TrimSuffix(to, "/") + "/" + strings.TrimPrefix(rest, "/")
	}
}

func (s *session) send(q *request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	q.number = s.number
	q.sent++
	q.first = q.method + " " + q.uri + " RTSP/1.0"
	q.set("CSeq", strconv.Itoa(q.number))
	q.without("Authorization")
	if with := s.relay.login.authorization(q.method, q.uri); with != "" {
		q.set("Authorization", with)
	}
	if len(s.waiting) == maxWaiting {
		s.waiting = s.waiting[1:]
	}
	s.waiting = append(s.waiting, q)
	return s.writeLocked(q.bytes())
}

func (s *session) write(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writeLocked(b)
}

// writeLocked bounds how long a camera that takes nothing holds up its relay.
func (s *session) writeLocked(b []byte) error {
	const patience = 10 * time.Second
	s.relay.mu.Lock()
	if !s.relay.closed {
		_ = s.camera.SetWriteDeadline(time.Now().Add(patience))
	}
	s.relay.mu.Unlock()
	_, err := s.camera.Write(b)
	return err
}

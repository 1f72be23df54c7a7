package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
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

// refused notes why nothing can be had from the camera, unless it is the caller's end.
func (r *Relay) refused(ctx context.Context, err error) {
	var f *media.Fault
	var to *Redirect
	switch {
	case err == nil, ctx.Err() != nil:
	case errors.As(err, &f), errors.As(err, &to):
		r.blame(err)
	default:
		r.blame(media.NewFault(media.KindUnreachable, "%s", topics.Clean(err.Error())))
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

// answers passes on what the camera sends, until it or libav is gone.
func (s *session) answers(in *reader) {
	for {
		frames, m, err := in.next()
		switch {
		case err != nil:
			s.gone(in, err)
			return
		case m == nil:
			_, err = s.libav.Write(frames)
			gather(in)
		default:
			err = s.answer(m)
		}
		if err != nil {
			return
		}
	}
}

// gather waits a moment for more of a picture's packets, unless much has come already:
// handed on together they cost less.
func gather(in *reader) {
	const moment, much = 4 * time.Millisecond, 16 << 10
	if in.b.Buffered()-in.taken < much && in.taken < much {
		time.Sleep(moment)
	}
}

// gone notes why the camera's connection has ended, where libav can't know.
func (s *session) gone(in *reader, err error) {
	method := ""
	s.mu.Lock()
	for _, q := range s.waiting {
		if !q.silent(s.playing) {
			method = q.method
		}
	}
	s.mu.Unlock()
	switch {
	case s.relay.Err() != nil:
	case errors.Is(err, errNoRTSP), errors.Is(err, errTooMuch), errors.Is(err, io.EOF) && !in.heard && in.lost > 0:
		s.relay.blame(media.NewFault(media.KindNotVideo, "it does not answer as an RTSP server does"))
	case errors.Is(err, syscall.ECONNRESET):
		s.relay.blame(media.NewFault(media.KindEnded, "the camera reset the connection"))
	case errors.Is(err, io.EOF) && method != "":
		s.relay.blame(media.NewFault(media.KindEnded, "the camera closed the connection instead of answering %s", method))
	}
}

// errStop ends a session whose end is explained already.
var errStop = errors.New("stop")

func (s *session) answer(m *message) error {
	if method, _, ok := m.request(); ok {
		return s.serve(method, m)
	}
	code, _ := m.status()
	q := s.asked(m.get("CSeq"))
	if code == 0 || q == nil {
		return nil
	}
	if code == 401 && q.sent <= maxTries {
		err := s.relay.login.challenged(m.all("WWW-Authenticate"), q.answered)
		if err == nil {
			q.answered = true
			return s.send(q)
		}
		if !q.silent(s.isPlaying()) {
			s.relay.blame(err)
		}
	}
	if q.silent(s.isPlaying()) {
		return nil
	}
	if code >= 300 && code < 400 && code != 304 {
		s.relay.blame(redirect(m.get("Location")))
		return errStop
	}
	s.judge(q, code)
	if err := s.accepted(q, m, code); err != nil {
		return err
	}
	// Of what goes with this, libav needs nothing: RTP-Info only moves the stream's
	// beginning, and names what the camera has by other names than libav.
	m.without("WWW-Authenticate", "Location", "RTP-Info")
	m.set("CSeq", q.libav)
	_, err := s.libav.Write(m.bytes())
	return err
}

// maxTries bounds how often a request is sent: for the first challenge, and for one
// or two that go stale meanwhile.
const maxTries = 3

func redirect(location string) error {
	if location == "" {
		return media.NewFault(media.KindOther, "the camera redirects, and does not say where to")
	}
	return &Redirect{location}
}

// asked takes the request that an answer is to from those that wait: the one of its
// number, or, since some cameras give none or another, the oldest.
func (s *session) asked(number string) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.waiting, func(q *request) bool { return strconv.Itoa(q.number) == number })
	if len(s.waiting) == 0 {
		return nil
	}
	q := s.waiting[max(at, 0)]
	s.waiting = slices.Delete(s.waiting, max(at, 0), max(at, 0)+1)
	return q
}

func (s *session) isPlaying() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.playing
}

// accepted notes what follows from an answer to libav.
func (s *session) accepted(q *request, m *message, code int) error {
	s.mu.Lock()
	if id := m.get("Session"); id != "" {
		s.id = id
	}
	if q.method == "PLAY" && code < 300 {
		s.playing = true
	}
	s.mu.Unlock()
	if q.method != "SETUP" || code >= 300 {
		return nil
	}
	asked, got := "tcp", "udp"
	if q.ports != nil {
		asked = "udp"
	}
	if strings.Contains(strings.ToUpper(m.get("Transport")), "/TCP") {
		got = "tcp"
	}
	if asked != got { // libav gives up
		s.relay.blame(media.NewFault(media.KindOther, "the camera was asked for RTSP over %s and wants %s: set the camera's transport to %s", asked, got, got))
		return nil
	}
	if q.ports == nil {
		return nil
	}
	return s.connectPorts(q, m)
}

// serve answers a request of the camera's, as libav does.
func (s *session) serve(method string, m *message) error {
	out := &message{first: "RTSP/1.0 501 Not Implemented"}
	if method == "OPTIONS" || method == "GET_PARAMETER" {
		out.first = "RTSP/1.0 200 OK"
	}
	if number := m.get("CSeq"); number != "" {
		out.set("CSeq", number)
	}
	if id := m.get("Session"); id != "" {
		out.set("Session", id)
	}
	return s.write(out.bytes())
}

// judge notes what a refusal means, should libav give up over it.
func (s *session) judge(q *request, code int) {
	if code < 300 {
		s.relay.blame(nil)
		return
	}
	if code != 401 {
		s.relay.blame(refusal(q, code))
	}
}

// refusal is what an answer other than 200 means. The camera's own words are not
// repeated: they could hold anything.
func refusal(q *request, code int) *media.Fault {
	transport := "tcp"
	if q.ports != nil {
		transport = "udp"
	}
	return media.Refusal(q.method, code, transport)
}

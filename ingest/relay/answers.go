package relay

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/frostwatch/frostwatch/media"
)

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
			s.gather(in)
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
func (s *session) gather(in *reader) {
	const moment, much = 4 * time.Millisecond, 16 << 10
	if in.b.Buffered()-in.taken < much && !s.relay.calm.wait(in.taken) && in.taken < much {
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
	why := refusal(q, code)
	if code == 401 && q.sent <= maxTries {
		if why = s.relay.login.challenged(m.all("WWW-Authenticate"), q.answered); why == nil {
			q.answered = true
			return s.send(q)
		}
	}
	if q.silent(s.isPlaying()) {
		return nil
	}
	if code >= 300 && code < 400 && code != 304 {
		s.relay.blame(redirect(m.get("Location")))
		return errStop
	}
	s.relay.blame(why) // should libav give up over it
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

// refusal is what an answer means that is a refusal; nil: it is none. The camera's own
// words are not repeated: they could hold anything.
func refusal(q *request, code int) error {
	if code < 300 {
		return nil
	}
	transport := "tcp"
	if q.ports != nil {
		transport = "udp"
	}
	return media.Refusal(q.method, code, transport)
}

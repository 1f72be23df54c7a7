package relay

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Bounds on what a peer may send.
const (
	maxHead    = 64 << 10 // bytes of a message's lines
	maxBody    = 1 << 20  // bytes
	maxGarbage = 64 << 10 // bytes in a row that are neither a message nor a frame
	maxFrame   = 4 + 1<<16 - 1
)

var (
	errNoRTSP  = errors.New("not RTSP")
	errTooMuch = errors.New("a message beyond its bounds")
)

// message is a request or an answer of RTSP (RFC 2326). Its lines stay as they came,
// without their ends, so that what is odd about a camera reaches libav, which knows
// many oddities.
type message struct {
	first string
	lines []string
	body  []byte
}

// all returns the values of a header, in the order of its lines.
func (m *message) all(name string) (values []string) {
	for _, l := range m.lines {
		if n, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(strings.TrimSpace(n), name) {
			values = append(values, strings.TrimSpace(v))
		}
	}
	return values
}

func (m *message) get(name string) string {
	if all := m.all(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// without removes headers.
func (m *message) without(names ...string) {
	m.lines = slices.DeleteFunc(m.lines, func(l string) bool {
		n, _, _ := strings.Cut(l, ":")
		return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(strings.TrimSpace(n), name) })
	})
}

// set replaces a header.
func (m *message) set(name, value string) {
	m.without(name)
	m.lines = append(m.lines, name+": "+value)
}

func (m *message) bytes() []byte {
	var b strings.Builder
	for _, l := range append([]string{m.first}, m.lines...) {
		b.WriteString(l)
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	b.Write(m.body)
	return []byte(b.String())
}

// request takes a request's first line apart; ok is false for anything else.
func (m *message) request() (method, uri string, ok bool) {
	f := strings.Fields(m.first)
	if len(f) != 3 || !strings.HasPrefix(f[2], "RTSP/") {
		return "", "", false
	}
	return f[0], f[1], true
}

// status is the number and the words of an answer, 0 if it is none.
func (m *message) status() (code int, reason string) {
	version, rest, _ := strings.Cut(m.first, " ")
	if !strings.HasPrefix(version, "RTSP/") {
		return 0, ""
	}
	number, reason, _ := strings.Cut(strings.TrimSpace(rest), " ")
	code, err := strconv.Atoi(number)
	if err != nil {
		return 0, ""
	}
	return code, strings.TrimSpace(reason)
}

// reader takes what comes on a connection apart.
type reader struct {
	b     *bufio.Reader
	taken int  // bytes that next has handed out and that are still buffered
	lost  int  // bytes of garbage since the last message or frame
	heard bool // a message has come
}

func newReader(c io.Reader, size int) *reader { return &reader{b: bufio.NewReaderSize(c, size)} }

// next waits for what comes next: a message, or else interleaved frames, as many as
// have come whole, valid until the next call. Bytes that are neither are passed over,
// up to maxGarbage in a row.
func (r *reader) next() (frames []byte, m *message, err error) {
	_, _ = r.b.Discard(r.taken) // it is buffered
	r.taken = 0
	for {
		is, err := r.looksLike()
		switch {
		case err != nil:
			return nil, nil, err
		case is == aFrame:
			frames, err = r.frames()
			return frames, nil, err
		case is == aMessage:
			m, err = r.message()
			return nil, m, err
		}
		_, _ = r.b.Discard(1)
		if r.lost++; r.lost > maxGarbage {
			return nil, nil, errNoRTSP
		}
	}
}

type kind int

const (
	garbage kind = iota
	aFrame
	aMessage
)

// looksLike tells what the next bytes begin.
func (r *reader) looksLike() (kind, error) {
	const longest = 20 // characters of a method and the blank after it
	for n := 1; n <= longest; n++ {
		b, err := r.b.Peek(n)
		if err != nil {
			return garbage, err
		}
		switch c := b[n-1]; {
		case c == '$' && n == 1:
			return r.frameLike()
		case c == ' ' && n > 3, string(b) == "RTSP/":
			return aMessage, nil
		case c < 'A' || c > 'Z':
			if c != '_' || n == 1 {
				return garbage, nil
			}
		}
	}
	return garbage, nil
}

// frameLike looks twice after garbage, in which a $ means little.
func (r *reader) frameLike() (kind, error) {
	if r.lost == 0 {
		return aFrame, nil
	}
	const channels, version, two = 8, 0xc0, 0x80 // of RTP and RTCP (RFC 3550)
	b, err := r.b.Peek(5)
	if err != nil {
		return garbage, err
	}
	if b[1] < channels && b[4]&version == two {
		return aFrame, nil
	}
	return garbage, nil
}

// frames are those at the beginning of the buffer: the first is waited for.
func (r *reader) frames() ([]byte, error) {
	b, err := r.b.Peek(4)
	if err == nil {
		b, err = r.b.Peek(frameSize(b))
	}
	if err != nil {
		return nil, err
	}
	n := len(b)
	b, _ = r.b.Peek(r.b.Buffered())
	for len(b)-n >= 4 && b[n] == '$' && len(b)-n >= frameSize(b[n:]) {
		n += frameSize(b[n:])
	}
	r.taken, r.lost = n, 0
	return b[:n], nil
}

func frameSize(head []byte) int { return 4 + int(head[2])<<8 + int(head[3]) }

func (r *reader) message() (*message, error) {
	m := &message{}
	for size := 0; ; {
		line, err := r.b.ReadSlice('\n')
		if size += len(line); size > maxHead || errors.Is(err, bufio.ErrBufferFull) {
			return nil, errTooMuch
		}
		if err != nil {
			return nil, err
		}
		// libav, too, ends lines at \n and passes over every \r.
		text := strings.ReplaceAll(strings.TrimSuffix(string(line), "\n"), "\r", "")
		switch {
		case m.first == "":
			m.first = text
		case text != "":
			m.lines = append(m.lines, text)
		default:
			r.lost, r.heard = 0, true
			return m, r.content(m)
		}
	}
}

func (r *reader) content(m *message) error {
	text := m.get("Content-Length")
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	if digits == 0 {
		return nil
	}
	n, err := strconv.Atoi(text[:digits])
	if err != nil || n > maxBody {
		return errTooMuch
	}
	m.body = make([]byte, n)
	_, err = io.ReadFull(r.b, m.body)
	return err
}

package relay

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// frame is an interleaved RTP packet.
func frame(channel byte, payload string) string {
	packet := "\x80\x60" + payload
	return "$" + string([]byte{channel, byte(len(packet) >> 8), byte(len(packet))}) + packet
}

// read takes text apart: frames as they are, messages by their first line.
func read(text string) (out []string, err error) {
	r := newReader(strings.NewReader(text), maxFrame+4096)
	for {
		frames, m, err := r.next()
		switch {
		case err != nil:
			return out, err
		case m != nil:
			out = append(out, m.first+" "+string(m.body))
		default:
			out = append(out, string(frames))
		}
	}
}

func TestWhatACameraSendsIsTakenApart(t *testing.T) {
	a, b := frame(0, "one"), frame(0, strings.Repeat("$RTSP/1.0 200 OK\r\n\r\n", 100))
	answer := "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"
	for _, c := range []struct {
		name, text string
		want       []string
		err        error
	}{
		{"frames are handed on together", a + b + a, []string{a + b + a}, io.EOF},
		{"an answer between frames", a + answer + b, []string{a, "RTSP/1.0 200 OK ", b}, io.EOF},
		{"a description", "RTSP/1.0 200 OK\r\nContent-length:  4 \r\n\r\nv=0\n" + a, []string{"RTSP/1.0 200 OK v=0\n", a}, io.EOF},
		{"lines that end in \\n", "RTSP/1.0 200 OK\nCSeq: 1\n\n" + a, []string{"RTSP/1.0 200 OK ", a}, io.EOF},
		{"a request", "GET_PARAMETER * RTSP/1.0\r\n\r\n", []string{"GET_PARAMETER * RTSP/1.0 "}, io.EOF},
		{"blank lines between", answer + "\r\n\r\n" + answer, []string{"RTSP/1.0 200 OK ", "RTSP/1.0 200 OK "}, io.EOF},
		{"garbage between frames", a + "\x01\x02RT!$\x00\x00\x05\x00garbage$\xff" + b, []string{a, b}, io.EOF},
		{"half a frame", a + b[:100], []string{a}, io.EOF},
		{"half an answer", "RTSP/1.0 200 OK\r\nCSeq", nil, io.EOF},
		{"half a body", "RTSP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nv=0", nil, io.ErrUnexpectedEOF},
		{"another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", nil, io.EOF},
		{"nothing but garbage", strings.Repeat("G\n\xfe", maxGarbage), nil, errNoRTSP},
		{"a line without end", "RTSP/1.0 200 OK\r\nX: " + strings.Repeat("x", 2*maxHead), nil, errTooMuch},
		{"lines without end", "RTSP/1.0 200 OK\r\n" + strings.Repeat("X: y\r\n", maxHead), nil, errTooMuch},
		{"a body beyond its bounds", "RTSP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", nil, errTooMuch},
	} {
		got, err := read(c.text)
		if !errors.Is(err, c.err) || strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s: %q, %v; want %q, %v", c.name, got, err, c.want, c.err)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(frame(0, "x") + "RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm=\"a\"\r\n\r\n"))
	f.Add([]byte("OPTIONS * RTSP/1.0\r\nContent-Length: 3\r\n\r\nabc$\x00\x00\x01x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newReader(bytes.NewReader(data), maxFrame+4096)
		for left := len(data) + 1; ; left-- {
			frames, m, err := r.next()
			if err != nil {
				return
			}
			if left == 0 {
				t.Fatal("more came out than went in")
			}
			if m == nil && (len(frames) < 4 || frames[0] != '$') {
				t.Fatalf("frames: %q", frames)
			}
			if m != nil && bytes.ContainsAny([]byte(m.first+strings.Join(m.lines, "")), "\r\n") {
				t.Fatalf("a line of two: %q", m)
			}
		}
	})
}

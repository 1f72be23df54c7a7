package ingest

import (
	"bufio"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fakeRTSP is the URL of a camera that answers each request with 200, or as told by the
// request's method: with a status, or by hanging up where that is empty. "sdp" is what it
// describes; H.264 if left out. It sends no video.
func fakeRTSP(t *testing.T, answers map[string]string) string {
	t.Helper()
	return "rtsp://" + talker(t, func(c net.Conn) { converse(c, answers, nil) }) + "/live"
}

var clientPort = regexp.MustCompile(`client_port=[0-9-]+`)

// converse answers requests until the client hangs up, and calls play after it has
// answered PLAY.
func converse(c net.Conn, answers map[string]string, play func()) {
	sdp, ok := answers["sdp"]
	if !ok {
		sdp = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:1\r\n"
	}
	lines := bufio.NewScanner(c)
	var method, sequence, transport string
	for lines.Scan() {
		line := lines.Text()
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case strings.HasSuffix(line, "RTSP/1.0"):
			method, _, _ = strings.Cut(line, " ")
		case name == "CSeq":
			sequence = value
		case name == "Transport":
			transport = "RTP/AVP/TCP;unicast;interleaved=0-1"
			if port := clientPort.FindString(value); port != "" {
				transport = "RTP/AVP;unicast;" + port + ";server_port=40000-40001"
			}
		}
		if line != "" || method == "" {
			continue
		}
		status, told := answers[method]
		if told && status == "" {
			_ = c.Close()
			return
		}
		if !told {
			status = "200 OK"
		}
		head, body := "Session: 1\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""
		switch method {
		case "DESCRIBE":
			body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n" + sdp
			head = fmt.Sprintf("Content-Type: application/sdp\r\nContent-Length: %d\r\n", len(body))
		case "SETUP":
			head += "Transport: " + transport + "\r\n"
		}
		if _, err := fmt.Fprintf(c, "RTSP/1.0 %s\r\nCSeq: %s\r\n%s\r\n%s", status, sequence, head, body); err != nil {
			return
		}
		if method == "PLAY" && play != nil && !told {
			play()
		}
		method = ""
	}
}

// picture is a file that is no video.
func picture(t *testing.T) string {
	out := filepath.Join(t.TempDir(), "picture.jpg")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "1", out)
	return out
}

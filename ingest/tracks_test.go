package ingest

import (
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/topics"
)

// Where a camera describes no tracks, as those do that send MPEG-TS, they are found in
// the packets.
func TestTracksThatAreOnlyInThePackets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.ts")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=10:duration=20", "-c:v", "libx264", "-g", "10", "-bf", "0", path)
	ts, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	url := "rtsp://" + talker(t, func(c net.Conn) {
		converse(c, map[string]string{"sdp": "m=video 0 RTP/AVP 33\r\na=rtpmap:33 MP2T/90000\r\na=control:1\r\n"}, func() {
			const seven = 7 * 188
			for i := 0; (i+1)*seven <= len(ts); i++ {
				packet := []byte{'$', 0, 0, 0, 0x80, 33}
				packet = binary.BigEndian.AppendUint16(packet, uint16(i))
				packet = binary.BigEndian.AppendUint32(packet, uint32(i*900))
				packet = append(binary.BigEndian.AppendUint32(packet, 1), ts[i*seven:(i+1)*seven]...)
				binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)-4))
				if _, err := c.Write(packet); err != nil {
					return
				}
			}
		})
	}) + "/live"
	r := newRecorder()
	o := testOptions(r)
	o.OpenTimeout = 30 * time.Second
	watch(t, o, topics.Camera{Name: "cam", URL: url})
	until(t, "frames", 30*time.Second, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.sizes["cam"] == "h264 96x64" && len(r.times["cam"]) > 5
	})
}

// A camera that sends a keyframe only now and then is waited for on one connection, and
// its status says so.
func TestAKeyframeIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.mp4")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=10:duration=30", "-c:v", "libx264", "-g", "1000", "-keyint_min", "1000", "-sc_threshold", "0", "-bf", "0", path)
	sim := simulate(t, camsim.Options{}, func(s *camsim.Server) { addFile(t, s, "cam", path, camsim.FileOptions{Speed: 3}) })
	time.Sleep(time.Second) // its only keyframe is over
	r := newRecorder()
	o := testOptions(r)
	o.Watchdog = 400 * time.Millisecond
	watch(t, o, topics.Camera{Name: "cam", URL: sim.URL("cam")})
	until(t, "a status that says so", 20*time.Second, r.saw("cam", topics.StreamConnecting, "no keyframe yet"))
	until(t, "frames", 40*time.Second, func() bool { return r.saw("cam", topics.StreamStreaming, "")() })
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.status["cam"] {
		if s.State == topics.StreamWaiting && strings.Contains(s.Reason, "no ") {
			t.Errorf("it was given up: %s", s.Reason)
		}
	}
}

package ingest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// A recording that is too short for a clip says so, or its camera would end in good
// order with nothing to show for it.
func TestARecordingShorterThanAClip(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	for _, c := range []struct {
		seconds int
		want    string
	}{
		{3, "of video, too little for a clip, which takes 4.267s"},
		{6, "end of file"},
	} {
		r := newRecorder()
		o := testOptions(r)
		o.AnyPace = true
		watch(t, o, topics.Camera{Name: "cam", URL: "file://" + cut(t, fence, c.seconds, "mp4")})
		until(t, c.want, 20*time.Second, func() bool { return strings.HasSuffix(r.last("cam").Reason, c.want) })
	}
}

// A camera that changes its picture's size has the new one in its status.
func TestAChangeOfSizeIsInTheStatus(t *testing.T) {
	dir := t.TempDir()
	var both []byte
	for _, size := range []string{"320x240", "480x272"} {
		part := filepath.Join(dir, size+".h264")
		ffmpeg(t, "-f", "lavfi", "-i", "testsrc=size="+size+":rate=10:duration=3", "-c:v", "libx264", "-pix_fmt", "yuv420p", part)
		data, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, data...)
	}
	film := filepath.Join(dir, "both.h264")
	if err := os.WriteFile(film, both, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRecorder()
	o := testOptions(r)
	watch(t, o, topics.Camera{Name: "cam", URL: "file://" + film})
	for _, want := range []int{320, 480} {
		until(t, "a status with the size", 20*time.Second, func() bool {
			st := r.last("cam")
			return st.State == topics.StreamStreaming && st.Width == want
		})
	}
}

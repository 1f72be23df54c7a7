package ingest

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// What is decoded of a camera follows its record, or else the worker; and frames that are
// not decoded count as frames that came.
func TestDecodingOnDemand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "still.mp4")
	const all = 15 * 16
	ffmpeg(t, "-f", "lavfi", "-i", "smptebars=size=160x96:rate=15:duration=16", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "30", "-keyint_min", "30", "-sc_threshold", "0", path)
	r := newRecorder()
	o := testOptions(r)
	o.AnyPace, o.Decode = true, topics.DecodeDemand
	watch(t, o, topics.Camera{Name: "worker", URL: "file://" + path}, topics.Camera{Name: "own", URL: "file://" + path, Decode: topics.DecodeAlways})
	for name, most := range map[string]int{"worker": all - 30, "own": all} {
		until(t, "the film's end", 20*time.Second, func() bool { return r.last(name).State == topics.StreamStopped })
		r.mu.Lock()
		times, untils := r.times[name], r.untils[name]
		r.mu.Unlock()
		if n := len(times); n > most || name == "own" && n < most {
			t.Errorf("%s: %d frames of %d were decoded", name, n, all)
		}
		for i := range times[1:] {
			if times[i+1] != untils[i] {
				t.Errorf("%s: a frame is on display until %v, and the next from %v on", name, untils[i], times[i+1])
			}
		}
	}
}

// Neither the rate of frames falls nor do pauses seem to come while only keyframes are
// decoded.
func TestKeptFramesCount(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := newRecorder()
	s, err := New(testOptions(r))
	if err != nil {
		t.Fatal(err)
	}
	s.Now = func() time.Time { return now }
	c := &runner{Stage: s}
	begun := now
	c.health.counted = now
	m := frameRate{}
	for i := range 25 * 20 {
		now = begun.Add(time.Duration(i+1) * time.Second / 25)
		pts := now.Sub(begun)
		if i < 100 {
			c.came(pts, false)
			m.see(pts, false)
			continue
		}
		c.kept(t.Context())
		if i%100 == 0 { // a keyframe in four seconds
			c.came(pts, true)
			m.see(pts, true)
		}
	}
	c.health.count(now)
	if c.health.rate != 25 {
		t.Errorf("a rate of %v, want 25", c.health.rate)
	}
	if m.fps != 25 {
		t.Errorf("a frame rate of %v, want 25", m.fps)
	}
	if since := c.lackingSince(begun); !since.Equal(begun.Add(time.Second / 25)) {
		t.Errorf("a pause was noted: clips lack since %v", since)
	}
}

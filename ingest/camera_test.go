package ingest

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/camsim"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// Every frame of a file comes out at its time, whatever carries it.
func TestEveryFrameComesAtItsTime(t *testing.T) {
	fence := shared.Path(t, "model", "demo", "yard_fence.mp4")
	fall := shared.Path(t, "videos", "gm_Subject_4_Fall_03.mp4")
	shop := shared.Path(t, "videos", "Retail02_short.mp4")
	people := shared.Path(t, "videos", "one-by-one-person-detection.mp4")
	for _, c := range []struct {
		name, path, via string
		want            string
		file            camsim.FileOptions
	}{
		{"h264 with B-frames, tcp", cut(t, fence, 4, "mp4"), "tcp", "h264 640x360", camsim.FileOptions{}},
		{"h264 with B-frames, udp", cut(t, fence, 4, "mp4"), "udp", "h264 640x360", camsim.FileOptions{}},
		{"variable frame rate, RTP time wraps", cut(t, fall, 4, "mp4"), "tcp", "h264 640x480", camsim.FileOptions{FirstRTP: 1<<32 - 90_000}},
		{"password with specials", cut(t, fall, 2, "mp4"), "tcp", "h264 640x480", camsim.FileOptions{User: "viewer", Password: "p@ss/w:rd?%#"}},
		{"hevc 1080p", cut(t, shop, 3, "mp4"), "tcp", "hevc 1920x1080", camsim.FileOptions{}},
		{"10 fps", cut(t, people, 5, "mp4"), "tcp", "h264 768x432", camsim.FileOptions{}},
		{"file mp4", cut(t, fence, 4, "mp4"), "file", "h264 640x360", camsim.FileOptions{}},
		{"file mkv", cut(t, fall, 4, "mkv"), "file", "h264 640x480", camsim.FileOptions{}},
		{"file ts", cut(t, fence, 4, "ts"), "file", "h264 640x360", camsim.FileOptions{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRecorder()
			o := testOptions(r)
			o.AnyPace = true
			camera := topics.Camera{Name: "cam", URL: "file://" + c.path}
			if c.via != "file" {
				c.file.OnDemand, c.file.Loops, c.file.Speed = true, 1, 2
				sim := simulate(t, camsim.Options{}, func(s *camsim.Server) { addFile(t, s, "cam", c.path, c.file) })
				camera.URL, camera.Transport = sim.URL("cam"), c.via
			}
			watch(t, o, camera)
			until(t, "the end", 30*time.Second, func() bool {
				r.mu.Lock()
				defer r.mu.Unlock()
				return len(r.ended["cam"]) == 1
			})
			sameTimes(t, r.frames("cam"), probe(t, c.path))
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.sizes["cam"] != c.want {
				t.Errorf("got %s, want %s", r.sizes["cam"], c.want)
			}
			times, untils := r.times["cam"], r.untils["cam"]
			for i := range times[1:] {
				if untils[i] != times[i+1] {
					t.Fatalf("frame %d is shown until %v, the next comes at %v", i, untils[i], times[i+1])
				}
			}
			if n := len(times); untils[n-1] != 2*times[n-1]-times[n-2] {
				t.Errorf("the last frame at %v is shown until %v", times[n-1], untils[n-1])
			}
		})
	}
}

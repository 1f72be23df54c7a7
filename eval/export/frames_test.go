package export

import (
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// The decoder is one for all clips.
func TestABrokenFrameSpoilsNoOther(t *testing.T) {
	f, err := newFrameChecker()
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for name, bend := range map[string]func([]byte) []byte{
		"header ends":    func(b []byte) []byte { return b[:300] },
		"no header":      func([]byte) []byte { return []byte("no JPEG") },
		"picture ends":   func(b []byte) []byte { return b[:len(b)-10] },
		"two beginnings": func(b []byte) []byte { return append([]byte{0xff, 0xd8}, b...) },
	} {
		t.Run(name, func(t *testing.T) {
			good, bad := clipAt(t, "lobby", time.Unix(1795613162, 0)), clipAt(t, "lobby", time.Unix(1795613162, 0))
			bad.Frames[0] = topics.ClipFrame{JPEG: bend(bad.Frames[0].JPEG)}
			if err := f.check(bad); err == nil {
				t.Error("it was taken")
			} else {
				t.Log(err)
			}
			if err := f.check(good); err != nil {
				t.Errorf("a good one after it: %v", err)
			}
		})
	}
}

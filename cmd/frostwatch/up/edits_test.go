package up

import (
	"testing"

	"github.com/frostwatch/frostwatch/topics"
)

// Each edit of a camera is a line that shows no password.
func TestEditsOfCamerasAreLines(t *testing.T) {
	was := topics.Camera{Name: "a", URL: "rtsp://u:hunter2@h/1", Tags: []string{"x"}}
	tagged, moved := was, was
	tagged.Tags = []string{"y", "z"}
	moved.URL = "rtsp://u:hunter2@h/2"
	for _, c := range []struct {
		name  string
		there bool
		now   *topics.Camera
		want  string
	}{
		{"added", false, &was, "added rtsp://u:***@h/1, tags x"},
		{"tags", true, &tagged, "changed, tags y, z"},
		{"another URL", true, &moved, "changed to rtsp://u:***@h/2, tags x"},
		{"removed", true, nil, "removed"},
		{"removed that never was", false, nil, ""},
	} {
		if got := editLine(was, c.there, c.now); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

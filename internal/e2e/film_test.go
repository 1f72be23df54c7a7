package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// film waits for the film of an alert that is over, as a person would ask for it: it plays,
// and begins before the onset.
func film(t *testing.T, data string, at addresses) {
	t.Helper()
	need(t, "ffmpeg", "ffprobe")
	var over topics.Alert
	await(t, "an alert that is over", time.Minute, func() bool {
		alerts, _ := kcatAlerts(t, at.Kafka)
		for _, a := range alerts {
			if a.State == topics.AlertCleared && over.ID == "" {
				over = a
			}
		}
		return over.ID != ""
	})
	var path, out string
	await(t, "its film", time.Minute, func() bool {
		dir := t.TempDir()
		var err error
		if out, err = frostwatch(t, "alerts", "show", over.ID, "--out", dir, "--data", data); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		path = filepath.Join(dir, "film.mp4")
		_, err = os.Stat(path)
		return err == nil
	})
	if said, err := exec.Command("ffmpeg", "-v", "error", "-xerror", "-i", path, "-f", "null", "-").CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("ffmpeg plays it with %v: %s", err, said)
	}
	var is struct {
		Format struct {
			Tags struct {
				Begins time.Time `json:"creation_time"`
			}
		}
	}
	said, err := exec.Command("ffprobe", "-v", "error", "-show_entries", "format_tags", "-of", "json", path).Output()
	if err == nil {
		err = json.Unmarshal(said, &is)
	}
	if begins := is.Format.Tags.Begins; err != nil || !begins.Before(over.Onset) || begins.Before(over.Onset.Add(-time.Minute)) {
		t.Errorf("the film of what began at %v begins at %v, %v: %s", over.Onset, begins, err, said)
	}
}

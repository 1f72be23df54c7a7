//go:build !race

package commands

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/calibrate"
)

// Misses, false alarms and the threshold come out as they were put in, as table, JSON
// and drawing, for labels and for rules; a wrong file is refused with its lines.
func TestCalibrateAgainstTruth(t *testing.T) {
	configuration, falls := recordedFalls(t)
	file := filepath.Join(t.TempDir(), "truth.csv")
	csv := func(column, name string, rows ...string) {
		text := "camera," + column + ",start,end\nward-1,watched,2026-03-01T00:00:00Z,2026-03-05T00:00:00Z\n"
		for _, at := range falls {
			text += fmt.Sprintf("ward-1,%s,%s,%s\n", name, at.Format(time.RFC3339), at.Add(10*time.Second).Format(time.RFC3339))
		}
		write(t, file, text+strings.Join(rows, "\n"))
	}
	run := func(args ...string) (string, bool) {
		return command(t, append([]string{"alerts", "calibrate", "--truth", file, "--config", configuration}, args...)...)
	}
	for column, name := range map[string]string{"label": "Falling down", "rule": "fall"} {
		csv(column, name)
		out, ok := run()
		if want := name; !ok || !strings.Contains(out, want) || !strings.Contains(strings.Join(strings.Fields(out), " "), " 32 4.00 1 per camera-day ") ||
			!strings.Contains(strings.Join(strings.Fields(out), " "), " 31 0.03 0.01 to 0.16 4 1.00 ") || !strings.Contains(out, name+": 0.1 false alarms per camera-day can't be measured on 4 camera-days: 30 are needed") {
			t.Errorf("%s:\n%s", column, out)
		}
	}
	svg := filepath.Join(t.TempDir(), "curve.svg")
	out, ok := run("--json", "--svg", svg)
	var got calibrate.Judged
	if err := json.Unmarshal([]byte(out), &got); !ok || err != nil || len(got.Subjects) != 1 {
		t.Fatalf("%v, %s", err, out)
	}
	if m := got.Subjects[0].Points[0].Measured; m == nil || m.Missed != 1 || m.FalseAlarms != 4 || m.Threshold <= 0.05 || m.Threshold >= 0.95 || got.Subjects[0].Points[1].Measured != nil {
		t.Errorf("%s", out)
	}
	if drawn, err := os.ReadFile(svg); err != nil || !strings.Contains(string(drawn), "32 cases, 4 camera-days") {
		t.Errorf("%v, %s", err, drawn)
	}
	for name, c := range map[string]struct {
		rows []string
		want string
	}{
		"a label":     {[]string{"ward-1,faling down,2026-03-01T10:00:00Z,2026-03-01T10:00:10Z"}, `line 35: label "faling down" is neither in the vocabulary nor in a rule: "falling down" may be meant`},
		"a camera":    {[]string{"ward-2,watched,2026-03-01T10:00:00Z,2026-03-01T10:10:00Z"}, "line 35: nothing is recorded of camera ward-2"},
		"times":       {[]string{"ward-1,falling down,10:00,11:00"}, `line 35: start "10:00": want RFC 3339`},
		"unwatched":   {[]string{"ward-1,falling down,2026-04-01T10:00:00Z,2026-04-01T10:00:10Z"}, "line 35: 2026-04-01T10:00:00Z to 2026-04-01T10:00:10Z is not all in the time of camera ward-1 that was watched"},
		"nothing yet": {[]string{"ward-1,watched,2026-04-01T10:00:00Z,2026-04-01T10:10:00Z"}, "line 35: nothing is recorded of camera ward-1 from 2026-04-01T10:00:00Z"},
	} {
		csv("label", "falling down", c.rows...)
		if out, ok := run(); ok || !strings.Contains(out, "--truth "+file+":\n"+c.want) {
			t.Errorf("%s: %s", name, out)
		}
	}
	falls = falls[:7]
	csv("label", "falling down")
	if out, ok := run(); ok || !strings.Contains(out, "falling down: 7 of the 20 cases that figures need") || !strings.Contains(out, "too few cases") {
		t.Errorf("few cases: %s", out)
	}
	for want, args := range map[string][]string{
		"--truth: want a CSV file":  {"alerts", "calibrate", "--config", configuration},
		"--truth: open":             {"alerts", "calibrate", "--config", configuration, "--truth", file + "x"},
		"its folder does not exist": {"alerts", "calibrate", "--config", configuration, "--truth", file, "--svg", filepath.Join(t.TempDir(), "x", "y")},
	} {
		if out, ok := command(t, args...); ok || !strings.Contains(out, want) {
			t.Errorf("%q: %s", args, out)
		}
	}
}

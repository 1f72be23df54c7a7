package commands

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/topics"
)

// Tests of rules end the command with an error that counts those that fail, and the
// questions to the past refuse what they do not understand before they connect.
func TestQuestionsToThePast(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file("rules.yaml", "rules:\n  - {name: fall, actions: [fall], score: {raise: 0.6}}\n")
	const series = "rules: rules.yaml\ntests:\n  - name: it\n    series: [{camera: lobby, label: fall, values: 0.9 0.1}]\n"
	good := file("good.yaml", series+"    alerts: [{rule: fall, camera: lobby, raised: 4s, cleared: 6s}]\n")
	bad := file("bad.yaml", series)
	for _, c := range []struct {
		args      []string
		out, fail string
	}{
		{[]string{"alerts", "test", good}, "good.yaml: 1 test, 0 failed", ""},
		{[]string{"alerts", "test", good, bad}, "not expected: an alert of \"fall\" at 0.900, raised at 4s (clip 0), cleared at 6s (clip 1)", "1 test failed"},
		{[]string{"alerts", "test", filepath.Join(dir, "none.yaml")}, "", "test rules: open"},
		{[]string{"search"}, "", "want one text in quotation marks"},
		{[]string{"search", "a", "--like", "b"}, "", "want one text in quotation marks"},
		{[]string{"search", "a", "--by", "luck"}, "", "want contrast or similarity"},
		{[]string{"search", "a", "--view", "zoom"}, "", "want --like beside it"},
		{[]string{"search", "a", "--camera", "[", "--data", dir}, "", "want a name, or a glob"},
		{[]string{"search", "a", "--data", dir}, "", "nothing runs here"},
		{[]string{"vocab", "try", "a", "--raise", "2", "--data", dir}, "", "want 0 to 1"},
		{[]string{"vocab", "try", "a", "--clips", "two", "--data", dir}, "", "want N of M"},
		{[]string{"alerts", "explain", "lobby", "whenever"}, "", "TIME"},
		{[]string{"alerts", "backtest", "--since", "1h", "--until", "2h"}, "", "is not before"},
	} {
		var out, failed bytes.Buffer
		code := Run(t.Context(), Program{Args: c.args, Out: &out, Err: &failed})
		if (code == 0) != (c.fail == "") || !strings.Contains(out.String(), c.out) || !strings.Contains(failed.String(), c.fail) {
			t.Errorf("%q: status %d, %q, %q", c.args, code, out.String(), failed.String())
		}
	}
}

// A hit of a camera with views says where it was seen; without any, nothing is said.
func TestHitsSayWhereTheyWereSeen(t *testing.T) {
	plain := calibrate.Hit{Camera: "door", Clip: "door-1-2"}
	zoomed := calibrate.Hit{Camera: "hall", Clip: "hall-1-2", View: topics.ViewZoom, Box: &topics.Box{Left: .1, Top: .2, Width: .3, Height: .4}}
	for _, c := range []struct {
		hits []calibrate.Hit
		want []string
	}{
		{[]calibrate.Hit{plain}, []string{"CLIP", "door-1-2"}},
		{[]calibrate.Hit{zoomed, plain}, []string{"SEEN IN", "zoom: left 10%, top 20%, 30% wide, 40% high", "door-1-2"}},
	} {
		var out bytes.Buffer
		if err := printHits(&out, &calibrate.Searched{Hits: c.hits}, 0); err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.SplitN(out.String(), "\n", len(c.hits)+2)[:len(c.hits)+1] {
			if line = strings.TrimRight(line, " "); !strings.HasSuffix(line, c.want[i]) {
				t.Errorf("line %q, want it to end with %q", line, c.want[i])
			}
		}
	}
}

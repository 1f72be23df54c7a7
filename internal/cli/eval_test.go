package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/eval"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// evalFolder has a list of real clips, one of them broken, and the demo's model.
func evalFolder(t *testing.T) (dir string, run func(args ...string) (out, errs string, code int)) {
	t.Helper()
	t.Chdir(shared.Root(t)) // ONNX Runtime is found in .native there
	dir = t.TempDir()
	for name, content := range map[string]string{
		"list.txt":    shared.Path(t, "model", "demo", "room_fall.mp4") + " falling_down\n" + shared.Path(t, "model", "demo", "yard_empty.mp4") + " 1\n/proc/version 1\n",
		"classes.txt": "falling down\nan empty scene with nobody\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	model := filepath.Join(dir, "model")
	if _, errs, code := runModel(t, "import", shared.Path(t, "model", "frost-mini.pth"), "--out", model); code != 0 {
		t.Fatal(errs)
	}
	return dir, func(args ...string) (string, string, int) {
		var o, e bytes.Buffer
		code := Run(t.Context(), Program{Args: append([]string{"eval", model}, args...), Out: &o, Err: &e})
		return o.String(), e.String(), code
	}
}

func TestEvalPrintsAndWritesItsFigures(t *testing.T) {
	dir, run := evalFolder(t)
	list, figures, confusion := filepath.Join(dir, "list.txt"), filepath.Join(dir, "out.json"), filepath.Join(dir, "out.svg")
	out, errs, code := run("--list", list, "--root", "/", "--json", figures, "--confusion", confusion, "--work", filepath.Join(dir, "work"))
	if code != 0 {
		t.Fatal(errs)
	}
	for _, want := range []string{"TOP-1", "TOP-5", "ECE", "an empty scene with nobody", "/proc/version: what comes is not a video", "list.txt:3", "1 of 3 videos could not be read"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if !strings.Contains(errs, "3 of 3 videos, 1 broken, top-1 ") || strings.Contains(errs, "\r") {
		t.Errorf("progress: %q", errs)
	}
	raw, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	var r eval.Report
	if err := json.Unmarshal(raw, &r); err != nil || r.Clips != 6 || r.Groups[0].Splits[0].Videos != 2 || r.Groups[0].Splits[0].PerClass[1].Videos != 1 {
		t.Errorf("%v:\n%s", err, raw)
	}
	if svg, err := os.ReadFile(confusion); err != nil || !bytes.Contains(svg, []byte("an empty scene with nobody taken for")) {
		t.Errorf("%v:\n%s", err, svg)
	}
	if again, errs, code := run("--list", list, "--root", "/", "--work", filepath.Join(dir, "work"), "--per-class"); code != 0 || again != out || !strings.Contains(errs, "2 known") {
		t.Errorf("run again: status %d, %s\n%s", code, errs, again)
	}
}

func TestEvalRefusesBeforeItWorks(t *testing.T) {
	dir, run := evalFolder(t)
	list := filepath.Join(dir, "list.txt")
	for want, args := range map[string][]string{
		"list.txt:1: ":                       {"--list", list}, // leads out of the list's folder
		"nothing to evaluate":                {},
		"0 views: want 1 to 64":              {"--list", list, "--root", "/", "--views", "0"},
		"2 crops: want 1 or 3":               {"--list", list, "--root", "/", "--crops", "2"},
		"absent/out.json":                    {"--list", list, "--root", "/", "--json", filepath.Join(dir, "absent", "out.json")},
		"none of the 1 videos could be read": {"--list", writeList(t, dir, "/proc/version 0\n"), "--root", "/"},
	} {
		if _, errs, code := run(args...); code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%v: status %d, %s, want %q", args, code, errs, want)
		}
	}
}

func writeList(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "broken.txt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEvalShowsABarOnATerminal(t *testing.T) {
	var b bytes.Buffer
	now := time.Unix(0, 0)
	p := &evalProgress{out: &b, terminal: true, now: func() time.Time { return now }}
	p.show(eval.Progress{Texts: 32, AllTexts: 400})
	for done := 1; done <= 100; done++ {
		now = now.Add(time.Second)
		p.show(eval.Progress{Done: done, Total: 100, Known: 1, Broken: 1, Clips: 3 * (done - 1), Answers: done, Right: done / 2})
	}
	p.end()
	if got := b.String(); !strings.Contains(got, "class texts: 32 of 400") || !strings.Contains(got, "\r[###############...............]  50%  50 of 100 videos, 1 known, 1 broken, top-1 50.0% so far, 3.0 clips/s, 50s to go") ||
		!strings.HasSuffix(got, "100 of 100 videos, 1 known, 1 broken, top-1 50.0% so far, 3.0 clips/s\x1b[K\n") {
		t.Errorf("%q", got)
	}
}

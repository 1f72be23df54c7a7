package commands

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/eval"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// evalFolder makes a folder with a list of real clips, one of them broken, and the
// demo's model.
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
	out, errs, code := run("--list", list, "--root", "/", "--json", figures, "--confusion", confusion, "--work", filepath.Join(dir, "work"), "--miss-at", "0.1,6000")
	if code != 0 {
		t.Fatal(errs)
	}
	for _, want := range []string{": P_miss ", " at 0.1 false alarms a minute", ": P_miss 0.0% at 6000 false alarms a minute", "TOP-1", "TOP-5", "ECE", "an empty scene with nobody", "/proc/version: what comes is not a video", "list.txt:3", "1 of 3 videos could not be read"} {
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
	if again, errs, code := run("--list", list, "--root", "/", "--work", filepath.Join(dir, "work"), "--per-class", "--miss-at", "0.1,6000"); code != 0 || again != out || !strings.Contains(errs, "2 known") {
		t.Errorf("run again: status %d, %s\n%s", code, errs, again)
	}
}

func TestEvalRefusesBeforeItWorks(t *testing.T) {
	dir, run := evalFolder(t)
	list := filepath.Join(dir, "list.txt")
	for want, args := range map[string][]string{
		"list.txt:1: ":                       {"--list", list}, // leads out of the list's folder
		"nothing to evaluate":                {},
		"--views 0: want 1 to 64":            {"--list", list, "--root", "/", "--views", "0"},
		"want more than 0":                   {"--list", list, "--root", "/", "--miss-at", "0"},
		"--crops 2: want 1 or 3":             {"--list", list, "--root", "/", "--crops", "2"},
		"--threads -1: want 0 to 1024":       {"--list", list, "--root", "/", "--threads", "-1"},
		"--decoders 1025: want 0 to 1024":    {"--list", list, "--root", "/", "--decoders", "1025"},
		"00000: want 1 to 1024":              {"--list", list, "--root", "/", "--batch", "100000000000000000"},
		"none of the 1 videos could be read": {"--list", writeList(t, dir, "/proc/version 0\n"), "--root", "/"},
	} {
		if _, errs, code := run(args...); code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%v: status %d, %s, want %q", args, code, errs, want)
		}
	}
}

// A result file that can't be written is refused before anything is read (the list
// of each case does not exist), and existing files are not changed.
func TestEvalOutputsAreCheckedFirst(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"list.txt", "classes.txt", "old.json", "work/embeddings.jsonl", "set/val.txt"} {
		_ = os.MkdirAll(filepath.Dir(in(name)), 0o755)
		write(t, in(name), "as it was")
	}
	if err := os.Symlink("old.json", in("link.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", in("dangling.json")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		json, confusion, want string
	}{
		{in("absent/out.json"), "", "out.json: its folder does not exist"},
		{dir, "", "write --json " + dir + ": it is a folder"},
		{"", "/sys/out.svg", "write --confusion /sys/out.svg: "},
		{in("dangling.json"), "", "a link that leads nowhere"},
		{in("list.txt"), "", "list.txt: the evaluation reads it"},
		{"", in("classes.txt"), "classes.txt: the evaluation reads it"},
		{in("set/val.txt"), "", "val.txt: the evaluation reads it"},
		{in("work/embeddings.jsonl"), "", "embeddings.jsonl: the evaluation reads it"},
		{in("new"), dir + "/./new", "--json is written there"},
		{in("old.json"), in("link.json"), "--json is written there"},
		{"", "-", "--confusion -: want a file"},
		{in("old.json"), in("new.svg"), "not at hand"},
	} {
		args := []string{"eval", "not at hand", "--list", in("list.txt"), "--list", in("set"), "--work", in("work"), "--json", c.json, "--confusion", c.confusion}
		if c.want == "not at hand" { // nothing is wrong with the files
			write(t, in("list.txt"), "a.mp4 0\n")
			write(t, in("classes.txt"), "one\ntwo\n")
			args = slices.Delete(args, 4, 6)
		}
		var out, errs bytes.Buffer
		if code := Run(t.Context(), Program{Args: args, Out: &out, Err: &errs}); code != 1 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("--json %s --confusion %s: status %d, %s, want %q", c.json, c.confusion, code, errs.String(), c.want)
		}
	}
	if old, err := os.ReadFile(in("old.json")); err != nil || string(old) != "as it was" {
		t.Errorf("the earlier figures: %q, %v", old, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 7 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
}

// closed is a standard output that has been closed.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestEvalFilesOutliveTheirReader(t *testing.T) {
	r := &eval.Report{Videos: 1}
	f := evalFlags{json: filepath.Join(t.TempDir(), "out.json")}
	if err := (Program{Out: closed{}}).evalReport(r, f); err == nil || !strings.Contains(err.Error(), "print the figures") {
		t.Errorf("printing: %v", err)
	}
	if raw, err := os.ReadFile(f.json); err != nil || !json.Valid(raw) {
		t.Errorf("the figures: %q, %v", raw, err)
	}
	var out bytes.Buffer
	if err := (Program{Out: &out}).evalReport(r, evalFlags{json: "-"}); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("--json -: %v\n%s", err, out.String())
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
	p := &evalProgress{out: &b, terminal: true, width: func() int { return 120 }, now: func() time.Time { return now }}
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

// A line that wraps would not be overwritten by the next.
func TestEvalsBarFitsTheTerminal(t *testing.T) {
	for width, want := range map[int]string{
		120: "[###############...............]  50%  50 of 100 videos, 1 known, 1 broken, top-1 50.0% so far, 3.0 clips/s, 51s to go",
		100: "[#####......]  50%  50 of 100 videos, 1 known, 1 broken, top-1 50.0% so far, 3.0 clips/s, 51s to go",
		80:  " 50%  50 of 100 videos, 1 known, 1 broken, top-1 50.0% so far, 3.0 clips/s, 51s to go",
		40:  " 50%  50 of 100 videos, 1 known, 1 broken, top-1 50.0% so far, 3.0 clips/s, 51s to go",
		0:   "",
	} {
		var b bytes.Buffer
		now := time.Unix(0, 0)
		p := &evalProgress{out: &b, terminal: true, width: func() int { return width }, now: func() time.Time { return now }}
		p.show(eval.Progress{Texts: 32, AllTexts: 400})
		p.show(eval.Progress{Done: 0, Total: 100})
		now = now.Add(50 * time.Second)
		p.show(eval.Progress{Done: 50, Total: 100, Known: 1, Broken: 1, Clips: 150, Answers: 50, Right: 25})
		for _, line := range strings.Split(strings.ReplaceAll(b.String(), "\x1b[K", ""), "\r") {
			if len(line) >= max(width, 1) {
				t.Errorf("%d columns in a terminal of %d: %q", len(line), width, line)
			}
		}
		if want = want[:max(min(len(want), width-1), 0)]; !strings.HasSuffix(b.String(), "\r"+want+"\x1b[K") {
			t.Errorf("in a terminal of %d: %q, want %q", width, b.String(), want)
		}
	}
}

package commands

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// runModel runs `frostwatch model ARGS`.
func runModel(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Run(t.Context(), Program{Args: append([]string{"model"}, args...), Out: &stdout, Err: &stderr})
	return stdout.String(), stderr.String(), code
}

func tinyCLIP(t *testing.T) []byte {
	t.Helper()
	return shared.Unpacked(t, "parity", "tiny_clip.pt.gz")
}

// A checkpoint is downloaded over a connection that breaks, and becomes a model
// that is listed.
func TestPullListShowRemove(t *testing.T) {
	raw := tinyCLIP(t)
	broken := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken++; broken <= 2 {
			w.Header().Set("Content-Length", fmt.Sprint(len(raw)))
			_, _ = w.Write(raw[:len(raw)/3])
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(raw))
	}))
	defer server.Close()
	dir := t.TempDir()
	models, list := filepath.Join(dir, "models"), filepath.Join(dir, "list.json")
	sum := sha256.Sum256(raw)
	entry := fmt.Sprintf(`[{"name": "Tiny/16", "licence": "Apache-2.0", "url": "%s/tiny.pt", "sha256": "%s"}]`, server.URL, hex.EncodeToString(sum[:]))
	if err := os.WriteFile(list, []byte(entry), 0o644); err != nil {
		t.Fatal(err)
	}
	out, errs, code := runModel(t, "pull", "tiny-16", "--list", list, "--models", models)
	if code != 0 || !strings.Contains(out, "Tiny/16") || !strings.Contains(out, "Apache-2.0") || !strings.Contains(errs, "trying again") || !strings.Contains(errs, "100%") {
		t.Fatalf("status %d\n%s\n%s", code, out, errs)
	}
	if left, err := os.ReadDir(filepath.Join(models, ".checkpoints")); err != nil || len(left) != 0 {
		t.Errorf("the checkpoint stayed: %v, %v", left, err)
	}
	if _, errs, code := runModel(t, "pull", "tiny-16", "--name", "second", "--list", list, "--models", models); code != 0 {
		t.Errorf("pulled under another name: status %d, %s", code, errs)
	}
	if _, err := os.Stat(filepath.Join(models, "second", "bundle.json")); err != nil {
		t.Error(err)
	}
	if _, errs, code := runModel(t, "pull", "tiny-16", "--list", list, "--models", models); code == 0 || !strings.Contains(errs, "already exists") {
		t.Errorf("pulled again: status %d, %s", code, errs)
	}
	if err := os.MkdirAll(filepath.Join(models, "spoilt"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(models, "spoilt", "bundle.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	// Frame by frame it is another model, in a folder of its own.
	out, errs, code = runModel(t, "pull", "tiny-16", "--framewise", "--list", list, "--models", models)
	if code != 0 || !strings.Contains(out, "8 frames, each by itself") || !strings.Contains(out, filepath.Join(models, "tiny-16-framewise")) {
		t.Errorf("pulled frame by frame: status %d\n%s\n%s", code, out, errs)
	}
	out, _, code = runModel(t, "ls", "--models", models)
	if code != 0 || !strings.Contains(out, "tiny-16") || !strings.Contains(out, "32 px") || !strings.Contains(out, "broken: ") {
		t.Errorf("ls: status %d\n%s", code, out)
	}
	out, _, code = runModel(t, "show", "tiny-16", "--models", models, "--json")
	if code != 0 || !strings.Contains(out, `"activation": "quick_gelu"`) {
		t.Errorf("show: status %d\n%s", code, out)
	}
	out, _, code = runModel(t, "show", filepath.Join(models, "tiny-16"))
	if code != 0 || !strings.Contains(out, "quick_gelu") || !strings.Contains(out, "video.onnx, SHA-256 ") {
		t.Errorf("show FOLDER: status %d\n%s", code, out)
	}
	if err := os.Remove(filepath.Join(models, "second", "video.onnx")); err != nil {
		t.Fatal(err)
	}
	out, _, code = runModel(t, "ls", "--models", models)
	if code != 0 || !regexp.MustCompile(`(?m)^second +broken: without video\.onnx: import`).MatchString(out) {
		t.Errorf("ls without a graph: status %d\n%s", code, out)
	}
	for _, name := range []string{"../models", ".", "absent", "/etc"} {
		if _, errs, code := runModel(t, "rm", name, "--models", models); code == 0 || errs == "" {
			t.Errorf("rm %s: status %d, %q", name, code, errs)
		}
	}
	if out, _, code = runModel(t, "rm", "tiny-16", "--models", models); code != 0 || !strings.Contains(out, "removed") {
		t.Errorf("rm: status %d, %s", code, out)
	}
	if _, err := os.Stat(filepath.Join(models, "tiny-16")); err == nil {
		t.Error("it is still there")
	}
}

func TestPullShowsABarOnATerminal(t *testing.T) {
	var b bytes.Buffer
	now := time.Unix(0, 0)
	p := &progress{out: &b, name: "X", terminal: true, now: func() time.Time { return now }}
	for done := int64(0); done <= 100; done += 10 {
		now = now.Add(60 * time.Millisecond)
		p.show(done*megabyte, 100*megabyte)
	}
	p.end()
	got := strings.Split(strings.TrimSpace(b.String()), "\r")
	if last := got[len(got)-1]; !strings.Contains(last, "["+strings.Repeat("#", barWidth)+"] 100%  100 of 100 MB") {
		t.Errorf("ends with %q", last)
	}
	if len(got) > 8 {
		t.Errorf("drawn %d times in 0.7 s", len(got))
	}
}

// A model is checked without recorded outputs: it is whole, and it runs.
func TestAModelIsTriedWithoutAReference(t *testing.T) {
	dir, err := demo.CachedModel()
	if err != nil {
		t.Fatal(err)
	}
	library := filepath.Join(shared.Root(t), ".native", "onnxruntime", "libonnxruntime.so")
	out, ok := command(t, "model", "check", dir, "--runtime", library)
	if !ok || !regexp.MustCompile(`(?s)^frost-mini is whole .*a clip took \d+\.\d{3} s, a label of \d+ texts \d`).MatchString(out) {
		t.Errorf("%v: %s", ok, out)
	}
	broken := filepath.Join(t.TempDir(), "frost-mini")
	if err := os.CopyFS(broken, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(broken, "text.onnx")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, ok := command(t, "model", "check", broken, "--runtime", library); ok || !strings.Contains(out, "text.onnx has SHA-256") {
		t.Errorf("%v: %s", ok, out)
	}
}

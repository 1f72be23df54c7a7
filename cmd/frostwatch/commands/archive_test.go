package commands

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ls and check find the archive of an `up` that is not running, and check ends
// with an error where it finds a fault.
func TestArchiveCommands(t *testing.T) {
	data := t.TempDir()
	run := func(args ...string) (status int, out, problem string) {
		var o, e bytes.Buffer
		status = Run(t.Context(), Program{Args: append([]string{"archive"}, args...), Out: &o, Err: &e})
		return status, o.String(), e.String()
	}
	if status, _, problem := run("ls", "--data", data); status != 1 || !strings.Contains(problem, "nothing runs here") {
		t.Errorf("without an archive: %d, %s", status, problem)
	}
	file := filepath.Join(data, "archive", "actions", "2026-11-28", "p03", "10h-00000000000000000000-00000000000000004096.parquet")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if status, out, problem := run("ls", "--data", data); status != 0 || !strings.Contains(out, "nothing is archived") {
		t.Errorf("an empty one: %d, %s%s", status, out, problem)
	}
	if status, out, problem := run("check", "--alone", "--data", data); status != 0 || !strings.Contains(out, "nothing is archived yet") {
		t.Errorf("an empty one: %d, %s%s", status, out, problem)
	}
	if err := os.WriteFile(file, []byte("PAR1 half of it"), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, out, problem := run("ls", "--json", "--data", data); status != 0 || !strings.Contains(out, `"broken": 1`) {
		t.Errorf("a broken one: %d, %s%s", status, out, problem)
	}
	status, out, problem := run("check", "--alone", "--data", data)
	if status != 1 || !strings.Contains(out, filepath.Base(file)) || !strings.Contains(out, "what to do") || !strings.Contains(problem, "1 fault\n") {
		t.Errorf("a broken one: %d, %s%s", status, out, problem)
	}
	if status, _, problem = run("--config", filepath.Join(data, "none.yaml")); status != 1 || problem == "" {
		t.Errorf("a stage without a file: %d, %s", status, problem)
	}
	if status, _, problem = run(); status != 1 || !strings.Contains(problem, "archive.bucket: want a folder or s3://NAME") {
		t.Errorf("a stage without a bucket: %d, %s", status, problem)
	}
	if status, _, problem = run("ls", "--since", "1m", "--until", "2m", "--data", data); status != 1 || !strings.Contains(problem, "--since 1m is not before --until 2m") {
		t.Errorf("times in the wrong order: %d, %s", status, problem)
	}
	if status, _, problem = run("ls", "--since", "yesterday", "--data", data); status != 1 || !strings.Contains(problem, "--since") {
		t.Errorf("a wrong time: %d, %s", status, problem)
	}
}

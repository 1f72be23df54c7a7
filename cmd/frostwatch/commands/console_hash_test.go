package commands

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/passwords"
)

// hashes runs `console hash` with a text on standard input.
func hashes(t *testing.T, stdin string, args ...string) (out, errs string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.WriteString(stdin)
	_ = w.Close()
	was := os.Stdin
	os.Stdin = r
	defer func() { os.Stdin = was; _ = r.Close() }()
	var o, e bytes.Buffer
	Run(context.Background(), Program{Args: append([]string{"console", "hash"}, args...), Out: &o, Err: &e})
	return o.String(), e.String()
}

func TestConsoleHashIsTakenByTheConfiguration(t *testing.T) {
	out, errs := hashes(t, "correct horse\n")
	h, err := passwords.Parse(out)
	if err != nil || !h.Is("correct horse") {
		t.Errorf("%s%s: %v", out, errs, err)
	}
	if out, errs := hashes(t, "", "hunter22"); out != "" || !strings.Contains(errs, "standard input") || strings.Contains(errs, "hunter22") {
		t.Errorf("a password as an argument: %s %s", out, errs)
	}
	if _, errs := hashes(t, "short\n"); !strings.Contains(errs, "want 8 to") {
		t.Errorf("a short password: %s", errs)
	}
	out, _ = hashes(t, "", "--token")
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		_, value, _ := strings.Cut(line, ":")
		file := "console:\n  tokens: [{name: p, role: viewer, token: '" + strings.TrimSpace(value) + "'}]\n"
		if _, err := config.Parse("f.yaml", []byte(file), func(string) (string, bool) { return "", false }); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

package e2e

import (
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// othersSubscribe runs the examples of docs/subscribe.md, each in a language of its own:
// they print an alert of the topic and write its eight pictures.
func othersSubscribe(t *testing.T, at addresses) {
	root := shared.Root(t)
	examples := filepath.Join(root, "docs", "examples", "subscribe")
	need(t, "node", "kcat", "jq", "perl")
	for _, lib := range []string{"python", "node"} {
		if _, err := os.Stat(filepath.Join(root, ".tools", "subscribe", lib)); err != nil {
			shared.Missing(t, err.Error()+" (`make setup-test` installs it)")
		}
	}
	goProgram := filepath.Join(t.TempDir(), "subscribe")
	build := exec.Command("go", "build", "-o", goProgram, ".")
	build.Dir = filepath.Join(examples, "go")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	raised := map[string]bool{}
	await(t, "two alerts with pictures", time.Minute, func() bool {
		alerts, _ := kcatAlerts(t, at.Kafka)
		for _, a := range alerts {
			if a.State == topics.AlertRaised && a.Evidence != nil {
				raised[strings.ReplaceAll(a.ID, "/", "_")] = true
			}
		}
		return len(raised) >= 2
	})
	for name, command := range map[string][]string{
		"python": {"python3", filepath.Join(examples, "subscribe.py"), at.Kafka, "", "2"},
		"go":     {goProgram, at.Kafka, "", "2"},
		"node":   {"node", filepath.Join(examples, "node", "subscribe.js"), at.Kafka, "", "2"},
		"kcat":   {filepath.Join(examples, "subscribe.sh"), at.Kafka, "", "-e"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they mostly wait for their groups
			folder := t.TempDir()
			for i := range command {
				if command[i] == "" {
					command[i] = folder
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, command[0], command[1:]...)
			cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(root, ".tools/subscribe/python"), "NODE_PATH="+filepath.Join(root, ".tools/subscribe/node/node_modules"))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if err := hasEvidence(folder, string(out), raised); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// hasEvidence checks that there are two alerts of the topic at least, each printed and
// with eight pictures.
func hasEvidence(folder, printed string, raised map[string]bool) error {
	dirs, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	if len(dirs) < 2 {
		return fmt.Errorf("pictures of %d alerts, want 2", len(dirs))
	}
	known := false
	for _, d := range dirs {
		// Alerts may have been raised since.
		if id := strings.Replace(d.Name(), "_", "/", 1); !strings.Contains(printed, "raised "+id+" ") {
			return fmt.Errorf("%s is not printed", id)
		}
		known = known || raised[d.Name()]
		for n := 1; n <= 8; n++ {
			f, err := os.Open(filepath.Join(folder, d.Name(), fmt.Sprintf("%d.jpg", n)))
			if err != nil {
				return err
			}
			picture, err := jpeg.Decode(f)
			_ = f.Close()
			if err != nil || picture.Bounds().Dx() < 100 {
				return fmt.Errorf("%s: %w", f.Name(), err)
			}
		}
	}
	if !known {
		return errors.New("none of the alerts was on the topic")
	}
	return nil
}

package notify

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandGetsTheNotificationAndNoSecrets(t *testing.T) {
	t.Setenv("REDIS_PASSWORD", "s3cret")
	file := filepath.Join(t.TempDir(), "got")
	if err := send(t, `- {name: ops, command: {run: [sh, -c, 'cat; env', ignored], env: {FILE: `+file+`}}}`); err != nil {
		t.Fatal(err)
	}
	if err := send(t, `- {name: ops, command: {run: [sh, -c, '(cat; echo; env) > "$FILE"'], env: {FILE: `+file+`}}}`); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	body, env, _ := strings.Cut(string(text), "\n")
	var n Notification
	if err := json.Unmarshal([]byte(body), &n); err != nil || n.Receiver != "ops" || n.Events[0].Alert.Camera != "test" {
		t.Errorf("%v: got %s", err, body)
	}
	if strings.Contains(env, "s3cret") || !strings.Contains(env, "PATH=") {
		t.Errorf("environment %s", env)
	}
}

func TestCommandsThatFail(t *testing.T) {
	for _, c := range []struct {
		run     string
		refused bool
		want    string
	}{
		{"[sh, -c, 'echo no room; exit 1']", false, "exit status 1: no room"},
		{"[sh, -c, 'exit 65']", true, "refused"},
		{"[sh, -c, 'yes | head -c 1000000; exit 1']", false, "exit status 1: y y"},
		{"[frostwatch-no-such-program]", false, "executable file not found"},
		{"[sleep, '100']", false, "it takes longer than 200ms"},
		{"[sh, -c, 'sleep 100 & wait']", false, "it takes longer than 200ms"},
	} {
		timeout := "30s"
		if strings.Contains(c.want, "200ms") {
			timeout = "200ms"
		}
		err := send(t, "- {name: ops, command: {run: "+c.run+", timeout: "+timeout+"}}")
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.HasSuffix(err.Error(), ": ") || errors.Is(err, ErrRefused) != c.refused || len(err.Error()) > 1000 {
			t.Errorf("%s: %.200v, want %q", c.run, err, c.want)
		}
	}
}

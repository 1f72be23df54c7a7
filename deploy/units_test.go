// Package deploy has the set-up, the release and its units. The tests hold the units and
// the examples to the program; deploy/release-test.sh tries the whole on a bare Debian.
package deploy

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/commands"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/shared"
)

// values are those of a key in a unit.
func values(unit, key string) (out []string) {
	for _, m := range regexp.MustCompile(`(?m)^`+key+`=(.*)$`).FindAllStringSubmatch(unit, -1) {
		out = append(out, m[1])
	}
	return out
}

func units(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("systemd/*.service")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(f), ".service")] = string(b)
	}
	return all
}

// A unit that starts what the program doesn't know, or is killed before the program has
// ended, would be found by users.
func TestUnitsStartWhatThereIs(t *testing.T) {
	all := units(t)
	for _, name := range []string{"frostwatch", "frostwatch-ingest", "frostwatch-infer", "frostwatch-alerts", "frostwatch-archive", "frostwatch-notify", "frostwatch-calibrate", "frostwatch-console"} {
		if all[name] == "" {
			t.Errorf("there is no unit %s", name)
		}
	}
	for name, unit := range all {
		start := values(unit, "ExecStart")
		if len(start) != 1 || !strings.HasPrefix(start[0], "/opt/frostwatch/frostwatch ") {
			t.Errorf("%s: ExecStart %q", name, start)
			continue
		}
		var out bytes.Buffer
		args := slices.Concat(strings.Fields(start[0])[1:], []string{"--help"}) // which is answered if command and flags are known
		if code := commands.Run(t.Context(), commands.Program{Args: args, Out: &out, Err: &out}); code != 0 {
			t.Errorf("%s: %s: %s", name, start[0], out.String())
		}
		if stop, err := time.ParseDuration(strings.Join(values(unit, "TimeoutStopSec"), "")); err != nil || stop < 4*bus.Grace {
			t.Errorf("%s: TimeoutStopSec %v: %v", name, stop, err)
		}
		for _, line := range []string{"User=frostwatch", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "StateDirectory=frostwatch", "Restart=on-failure", "CapabilityBoundingSet="} {
			if !slices.Contains(strings.Split(unit, "\n"), line) {
				t.Errorf("%s: %s is missing", name, line)
			}
		}
	}
}

func TestUnitsAreUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		shared.Missing(t, "systemd-analyze (`make setup-test` installs it)")
	}
	dir := t.TempDir()
	args := []string{"verify", "--man=no"}
	for name, unit := range units(t) {
		path := filepath.Join(dir, name+".service")
		unit = strings.NewReplacer("/opt/frostwatch/frostwatch", "/bin/true", "=frostwatch\n", "=root\n").Replace(unit)
		if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	if out, err := exec.Command("systemd-analyze", args...).CombinedOutput(); err != nil || strings.Contains(string(out), dir) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestExampleIsAConfiguration(t *testing.T) {
	f, err := config.Open("examples/frostwatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if f.Config.HTTP.Listen != "" { // then each has a port of its own, which docs name
		t.Errorf("several stages on one machine would want %s", f.Config.HTTP.Listen)
	}
}

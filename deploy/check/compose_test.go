package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func compose(t *testing.T) *types.Project {
	t.Helper()
	o, err := cli.NewProjectOptions([]string{"../compose/compose.yaml"}, cli.WithInterpolation(true), cli.WithResolvedPaths(true), cli.WithConsistency(true))
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.LoadProject(t.Context()) // by the specification's schema
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// apart is whether a source is among the dashboards and rules, in a checkout without them.
func apart(source string) bool {
	for _, dir := range []string{"grafana", "prometheus"} {
		path, err := filepath.Abs(filepath.Join("..", dir))
		if _, missing := os.Stat(path); err == nil && missing != nil && strings.HasPrefix(source, path) {
			return true
		}
	}
	return false
}

func TestComposeIsByTheSpecification(t *testing.T) {
	p := compose(t)
	for _, name := range append([]string{"kafka", "redis", "cameras", "words", "password", "prometheus", "grafana", "otel"}, stages...) {
		if _, has := p.Services[name]; !has {
			t.Errorf("no service %s", name)
		}
	}
	for name, s := range p.Services {
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil && !apart(v.Source) {
				t.Errorf("%s: %v", name, err)
			}
			if !v.ReadOnly {
				t.Errorf("%s may write to %s of this machine", name, v.Source)
			}
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s is reached by others than this machine at port %s", name, port.Published)
			}
		}
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || !slices.Equal(s.CapDrop, []string{"ALL"}) || s.Privileged {
			t.Errorf("%s may do more than it needs", name)
		}
		if !strings.HasPrefix(s.Image, "frostwatch:") && (!strings.Contains(s.Image, ":") || strings.HasSuffix(s.Image, ":latest")) {
			t.Errorf("%s: image %s is not pinned", name, s.Image)
		}
	}
}

// The commands of the services are ones that the program has, and the configuration is one
// that it takes.
func TestComposeRunsWhatThereIs(t *testing.T) {
	p := compose(t)
	for name, s := range p.Services {
		if !strings.HasPrefix(s.Image, "frostwatch:") {
			continue
		}
		if !s.ReadOnly || s.Build == nil || s.Build.Target != "cpu" {
			t.Errorf("%s: its root is writable, or it is not built", name)
		}
		if len(s.Entrypoint) > 0 {
			continue // a script
		}
		if out, err := frostwatch(t, append(slices.Clone(s.Command), "--help")...); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		if slices.Contains(stages, name) {
			if time.Duration(*s.StopGracePeriod) != 20*time.Second || !slices.Equal(s.HealthCheck.Test, types.HealthCheckTest{"CMD", "frostwatch", "healthcheck", "--ready"}) {
				t.Errorf("%s: %v to stop, asked by %v", name, s.StopGracePeriod, s.HealthCheck.Test)
			}
		}
	}
	if out, err := frostwatch(t, "config", "check", "../compose/frostwatch.yaml"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// The script that makes the console's password makes it once, and keeps no more than its hash.
func TestComposeMakesAPassword(t *testing.T) {
	s := compose(t).Services["password"]
	dir := t.TempDir()
	script := strings.ReplaceAll(strings.ReplaceAll(s.Command[0], "/run/frostwatch", dir), "frostwatch console", binary(t)+" console")
	first := shell(t, script)
	word := strings.TrimSpace(first[strings.LastIndex(first, " "):])
	hash, err := os.ReadFile(filepath.Join(dir, "admin"))
	if err != nil || len(word) < 16 || !strings.HasPrefix(string(hash), "$argon2id$") || strings.Contains(string(hash), word) {
		t.Fatalf("%v: it says %q, and keeps %q", err, first, hash)
	}
	if again := shell(t, script); again != "" {
		t.Errorf("at the second start it says %q", again)
	}
}

// As far as it can be judged without the rules, which are mounted beside it.
func TestComposeConfiguresPrometheus(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no promtool here (apt-get install prometheus)")
	}
	if out, err := exec.Command("promtool", "check", "config", "--syntax-only", "../compose/prometheus.yml").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

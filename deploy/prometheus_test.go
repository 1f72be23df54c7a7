package deploy

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

// prometheusRuleFile is Prometheus' rules.
type prometheusRuleFile struct {
	Groups []struct {
		Rules []prometheusRule
	}
}

type prometheusRule struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

// Each rule fires when it should and rests when it should not, as its tests say; there is a
// test of each.
func TestPrometheusRules(t *testing.T) {
	if _, err := exec.LookPath("promtool"); err != nil {
		shared.Missing(t, "promtool (`make setup-test` installs it)")
	}
	for _, args := range [][]string{{"check", "config", "prometheus/prometheus.yml"}, {"test", "rules", "prometheus/frostwatch.rules.test.yml"}} {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %q: %v\n%s", args, err, out)
		}
	}
	var tests struct {
		Tests []struct {
			Checks []struct {
				Alert string `yaml:"alertname"`
				Want  []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	telemetryYAML(t, "prometheus/frostwatch.rules.test.yml", &tests)
	fires, rests := map[string]bool{}, map[string]bool{}
	for _, test := range tests.Tests {
		for _, c := range test.Checks {
			fires[c.Alert] = fires[c.Alert] || len(c.Want) > 0
			rests[c.Alert] = rests[c.Alert] || len(c.Want) == 0
		}
	}
	page, listed := telemetryFile(t, "../docs/metrics.md"), stagetest.ListedMetrics(t)
	for _, r := range prometheusRules(t) {
		if !fires[r.Alert] || !rests[r.Alert] {
			t.Errorf("%s: no test in which it fires, or none in which it rests", r.Alert)
		}
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) || r.Annotations["summary"] == "" {
			t.Errorf("%s: labels %v, annotations %v", r.Alert, r.Labels, r.Annotations)
		}
		want := "https://github.com/frostwatch/frostwatch/blob/main/docs/metrics.md#" + strings.ToLower(r.Alert)
		if r.Annotations["runbook_url"] != want || strings.Count(page, "\n### "+r.Alert+"\n\n") != 1 {
			t.Errorf("%s: runbook %q, want %s, and that heading", r.Alert, r.Annotations["runbook_url"], want)
		}
		telemetryListed(t, listed, r.Alert, r.Expr)
	}
	for _, m := range regexp.MustCompile(`(?m)^### (Frostwatch\w+)$`).FindAllStringSubmatch(page, -1) {
		if !fires[m[1]] {
			t.Errorf("docs/metrics.md says what to do about %s, which is no alert", m[1])
		}
	}
}

// prometheusRules are the alerts about Frostwatch itself.
func prometheusRules(t *testing.T) (all []prometheusRule) {
	t.Helper()
	var f prometheusRuleFile
	telemetryYAML(t, "prometheus/frostwatch.rules.yml", &f)
	for _, g := range f.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// telemetryListed finds names and labels in a query that docs/metrics.md does not have.
func telemetryListed(t *testing.T, listed map[string]stagetest.ListedMetric, where, expr string) {
	t.Helper()
	labels := []string{"le", "instance", "job"}
	defer func() {
		for _, m := range regexp.MustCompile(`(?:by|on) \(([^)]+)\)|[{,]([a-z]+)(?:=|!=|=~|!~)"`).FindAllStringSubmatch(expr, -1) {
			for l := range strings.SplitSeq(m[1]+m[2], ", ") {
				if !slices.Contains(labels, l) {
					t.Errorf("%s asks for the label %s of %s", where, l, expr)
				}
			}
		}
	}()
	for _, name := range regexp.MustCompile(`\bfrostwatch_[a-z_]+\b`).FindAllString(expr, -1) {
		of, is := listed[name]
		if !is {
			of = listed[regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")]
		}
		labels = append(labels, of.Labels...)
		if !is && of.Type != "histogram" {
			t.Errorf("%s asks for %s, which docs/metrics.md does not have", where, name)
		}
	}
}

// grafanaDashboard is what is looked at of Grafana's JSON.
type grafanaDashboard struct {
	UID, Title string
	Panels     []grafanaPanel
}

type grafanaPanel struct {
	ID          int
	Type, Title string
	GridPos     struct{ X, Y, W, H int } `json:"gridPos"`
	Datasource  *struct{ UID string }
	Targets     []struct {
		RefID      string `json:"refId"`
		Expr       string
		Datasource struct{ UID string }
	}
}

// The dashboards are whole: what Grafana would not mend by itself, and only what is exposed.
// internal/e2e runs their queries.
func TestDashboards(t *testing.T) {
	files, err := filepath.Glob("grafana/dashboards/*.json")
	if err != nil || len(files) != 4 {
		t.Fatalf("%q, %v", files, err)
	}
	listed := stagetest.ListedMetrics(t)
	for _, file := range files {
		var d grafanaDashboard
		if err := json.Unmarshal([]byte(telemetryFile(t, file)), &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if d.UID != "frostwatch-"+name || d.Title != "Frostwatch: "+name {
			t.Errorf("%s: uid %q, title %q", file, d.UID, d.Title)
		}
		ids := map[int]bool{}
		for i, p := range d.Panels {
			if ids[p.ID] || p.Title == "" {
				t.Errorf("%s: panel %d %q", file, p.ID, p.Title)
			}
			ids[p.ID] = true
			for _, other := range d.Panels[:i] {
				if a, b := p.GridPos, other.GridPos; a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H || a.X+a.W > 24 {
					t.Errorf("%s: panel %q lies over %q, or outside", file, p.Title, other.Title)
				}
			}
			for _, q := range p.Targets {
				if q.Datasource.UID != "${datasource}" || q.RefID == "" {
					t.Errorf("%s: panel %q asks %q", file, p.Title, q.Datasource.UID)
				}
				telemetryListed(t, listed, file, q.Expr)
			}
			if (p.Type == "row") != (len(p.Targets) == 0) {
				t.Errorf("%s: panel %q has no query", file, p.Title)
			}
		}
	}
}

func telemetryYAML(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(telemetryFile(t, file)), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func telemetryFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/internal/stagetest"
)

// prometheus is one that scrapes a running `up`, with the configuration and the rules that
// users are given.
type prometheus struct{ address string }

// prometheusWindow stands for the interval that Grafana chooses, at a scrape each two seconds.
const prometheusWindow = "20s"

func startPrometheus(t *testing.T, at addresses) prometheus {
	t.Helper()
	need(t, "prometheus")
	given, dir, p := filepath.Join(shared.Root(t), "deploy", "prometheus"), t.TempDir(), prometheus{freeAddress(t)}
	text, err := os.ReadFile(filepath.Join(given, "prometheus.yml"))
	if err != nil {
		t.Fatal(err)
	}
	config := strings.ReplaceAll(string(text), "_interval: 15s", "_interval: 2s")
	config = strings.ReplaceAll(config, "frostwatch.rules.yml", filepath.Join(given, "frostwatch.rules.yml"))
	config = strings.ReplaceAll(config, "127.0.0.1:18080", at.HTTP)
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+p.address, "--enable-feature=exemplar-storage", "--log.level=error")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return p
}

// ask calls Prometheus' API and decodes its data.
func (p prometheus) ask(t *testing.T, path string, query url.Values, into any) {
	t.Helper()
	resp, err := http.Get("http://" + p.address + "/api/v1/" + path + "?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: into}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s of %v: %v, %s", path, query, err, answer.Error)
	}
}

// series is how many series answer a query.
func (p prometheus) series(t *testing.T, expr string) int {
	t.Helper()
	var data struct{ Result []any }
	p.ask(t, "query", url.Values{"query": {expr}}, &data)
	return len(data.Result)
}

// prometheusWatches tries what deploy/ has for those who watch Frostwatch.
func prometheusWatches(t *testing.T, p prometheus, at addresses) {
	metricsAreAsListed(t, at.HTTP)
	boards, err := filepath.Glob(filepath.Join(shared.Root(t), "deploy", "grafana", "dashboards", "*.json"))
	if err != nil || len(boards) != 4 {
		t.Fatalf("%d dashboards, %v", len(boards), err)
	}
	for _, file := range boards {
		p.shows(t, file)
	}
	var exemplars []struct {
		Exemplars []struct{ Labels map[string]string }
	}
	now := time.Now()
	p.ask(t, "query_exemplars", url.Values{
		"query": {"frostwatch_infer_clip_latency_seconds_bucket"}, "start": {now.Add(-time.Hour).Format(time.RFC3339)}, "end": {now.Format(time.RFC3339)},
	}, &exemplars)
	if len(exemplars) == 0 || len(exemplars[0].Exemplars) == 0 || len(exemplars[0].Exemplars[0].Labels["trace_id"]) != 32 {
		t.Errorf("no latency leads to a trace: %v", exemplars)
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	p.ask(t, "rules", nil, &rules)
	n := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if n++; r.Health != "ok" {
				t.Errorf("rule %s: %s, %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	if n < 20 {
		t.Errorf("%d rules", n)
	}
}

// without are metrics that the demo has none of: it has no receivers, no camera with the view
// zoom, and nothing goes wrong with it.
var without = regexp.MustCompile(`notify|clips_zoomed|clips_without_labels|framer_epochs|infer_clips_dropped_total\{camera=`)

// shows runs the queries of a dashboard.
func (p prometheus) shows(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Type, Definition string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, v := range board.Templating.List {
		if v.Type != "query" {
			continue
		}
		of := regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`).FindStringSubmatch(v.Definition)
		var values []string
		p.ask(t, "label/"+of[2]+"/values", url.Values{"match[]": {of[1]}}, &values)
		if v.Name != "camera" || !slices.Contains(values, "corridor_fall") {
			t.Errorf("%s: the variable %s has the values %q", filepath.Base(file), v.Name, values)
		}
	}
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			expr := strings.NewReplacer("$__rate_interval", prometheusWindow, "$camera", "corridor_fall").Replace(target.Expr)
			if n := p.series(t, expr); n == 0 && !without.MatchString(expr) {
				t.Errorf("%s, panel %q: nothing answers %s", filepath.Base(file), panel.Title, expr)
			}
		}
	}
}

// metricsAreAsListed compares what a process exposes with docs/metrics.md and with Prometheus'
// rules for names.
func metricsAreAsListed(t *testing.T, address string) {
	t.Helper()
	need(t, "promtool")
	_, body := get(t, "http://"+address+"/metrics")
	lint := exec.Command("promtool", "check", "metrics")
	lint.Stdin = strings.NewReader(body)
	if out, err := lint.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
	listed, types := stagetest.ListedMetrics(t), map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (frostwatch_\S+) (\S+)$`).FindAllStringSubmatch(body, -1) {
		if types[m[1]] = m[2]; listed[m[1]].Type != m[2] {
			t.Errorf("%s is exposed as %s and listed as %q", m[1], m[2], listed[m[1]].Type)
		}
	}
	label := regexp.MustCompile(`(\w+)="(?:[^"\\]|\\.)*"`)
	for _, m := range regexp.MustCompile(`(?m)^(frostwatch_\w+)(?:\{(.*)\})? `).FindAllStringSubmatch(body, -1) {
		name, labels := m[1], map[string]bool{}
		if histogram := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, ""); types[histogram] == "histogram" {
			name = histogram
		}
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			labels[l[1]] = true
		}
		delete(labels, "le")
		if got := slices.Sorted(maps.Keys(labels)); !slices.Equal(got, listed[name].Labels) {
			t.Errorf("%s has the labels %q, listed are %q", name, got, listed[name].Labels)
		}
	}
	if len(types) < 5 {
		t.Errorf("%s exposes %d metrics", address, len(types))
	}
}

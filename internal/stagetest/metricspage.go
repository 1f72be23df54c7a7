package stagetest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// ListedMetric is a metric as docs/metrics.md has it.
type ListedMetric struct {
	Type, Unit string
	Labels     []string // sorted
}

var metricLine = regexp.MustCompile("(?m)^\\| `(frostwatch_[a-z_]+)` \\| (counter|gauge|histogram), ([^|]+) \\|([^|]*)\\| ([^|]+) \\|[^|]*\\|$")

// ListedMetrics are the metrics that docs/metrics.md lists, by name.
func ListedMetrics(t testing.TB) map[string]ListedMetric {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(shared.Root(t), "docs/metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]ListedMetric{}
	for _, m := range metricLine.FindAllStringSubmatch(string(page), -1) {
		if _, twice := out[m[1]]; twice {
			t.Errorf("docs/metrics.md lists %s twice", m[1])
		}
		if strings.TrimSpace(m[5]) == "" {
			t.Errorf("docs/metrics.md does not say what %s says", m[1])
		}
		labels := regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(m[4], -1)
		one := ListedMetric{Type: m[2], Unit: m[3]}
		for _, l := range labels {
			one.Labels = append(one.Labels, l[1])
		}
		out[m[1]] = one
	}
	if rows := strings.Count(string(page), "\n| `frostwatch_"); rows != len(out) {
		t.Errorf("docs/metrics.md has %d rows, of which %d can be read", rows, len(out))
	}
	return out
}

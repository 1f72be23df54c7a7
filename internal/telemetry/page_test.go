package telemetry_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// made is an instrument that the code makes.
type made struct{ how, name, unit, description string }

// methods are those of telemetry.Instruments, with which of their arguments is the unit.
var methods = map[string]int{
	"Counter": 1, "CounterBy": 1, "Gauge": 1, "GaugeBy": 1, "FloatGaugeBy": 1, "Numbers": 1, "TimeBy": 0, "Seconds": 0,
}

// direct are the meter's own methods.
var direct = regexp.MustCompile(`^(Int|Float)64(Observable)?(Counter|UpDownCounter|Gauge|Histogram)$`)

// instruments finds what the product's code makes. A rare event's counter is exposed by no
// test, and is found here all the same.
func instruments(t *testing.T) (all []made) {
	t.Helper()
	root := shared.Root(t)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel == "internal/telemetry" || rel == "train" || rel != "." && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), `"frostwatch.`) && !strings.Contains(string(text), "otel/metric") {
			return err
		}
		found, err := instrumentsOf(rel, text)
		all = append(all, found...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func instrumentsOf(path string, text []byte) (all []made, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, is := n.(*ast.CallExpr)
		if !is || len(call.Args) < 2 {
			return true
		}
		method, is := call.Fun.(*ast.SelectorExpr)
		if !is {
			return true
		}
		name := literal(call.Args[0])
		unit, ours := methods[method.Sel.Name]
		switch {
		case direct.MatchString(method.Sel.Name):
			err = fmt.Errorf("%s makes an instrument by %s: make it by telemetry.Instruments", path, method.Sel.Name)
		case ours && strings.HasPrefix(name, "frostwatch."):
			one := made{how: method.Sel.Name, name: name, unit: "s", description: literal(call.Args[unit+1])}
			if unit > 0 {
				one.unit = literal(call.Args[unit])
			}
			all = append(all, one)
		}
		return true
	})
	return all, err
}

// literal is the value of a text that is written out, else empty.
func literal(e ast.Expr) string {
	l, is := e.(*ast.BasicLit)
	if !is || l.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(l.Value)
	if err != nil {
		return ""
	}
	return text
}

// expose makes an instrument and measures something by it.
func (m made) expose(t *testing.T, i *telemetry.Instruments) {
	ctx := context.Background()
	switch m.how {
	case "Counter", "CounterBy":
		i.CounterBy(m.name, m.unit, m.description).Add(ctx, 0)
	case "Gauge", "GaugeBy", "FloatGaugeBy": // read or set, it is exposed alike
		i.Gauge(m.name, m.unit, m.description).Record(ctx, 0)
	case "TimeBy":
		i.TimeBy(m.name, m.description).Add(ctx, 0)
	case "Seconds":
		i.Seconds(m.name, m.description, 1).Record(ctx, 0)
	case "Numbers":
		i.Numbers(m.name, m.unit, m.description, 1).Record(ctx, 0)
	default:
		t.Errorf("%s is made by %s", m.name, m.how)
	}
}

// docs/metrics.md has what the code makes, and nothing else, by the names under which
// Prometheus gets it.
func TestThePageHasEveryMetric(t *testing.T) {
	all := instruments(t)
	if len(all) < 60 {
		t.Fatalf("only %d instruments were found", len(all))
	}
	tel := start(t, telemetry.Options{Service: "test"})
	i := &telemetry.Instruments{Meter: tel.Meter("test")}
	units := map[string]string{"frostwatch_build_info": ""}
	for _, m := range all {
		if m.description == "" {
			t.Errorf("%s has no description, or not one that is written out", m.name)
		}
		if strings.HasSuffix(m.name, "_seconds") || strings.HasSuffix(m.name, "_bytes") || strings.HasSuffix(m.name, "_total") {
			t.Errorf("%s: the unit is no part of a name, and total is added by the exporter", m.name)
		}
		m.expose(t, i)
	}
	if err := i.Err(); err != nil {
		t.Fatal(err)
	}
	got := map[string]stagetest.ListedMetric{}
	for _, line := range regexp.MustCompile(`(?m)^# TYPE (frostwatch_\S+) (\S+)$`).FindAllStringSubmatch(scrape(t, tel), -1) {
		got[line[1]] = stagetest.ListedMetric{Type: line[2]}
	}
	for _, m := range all {
		if name := exposedAs(m.name, got); name == "" {
			t.Errorf("%s is not exposed", m.name)
		} else {
			units[name] = m.unit
		}
	}
	listed := stagetest.ListedMetrics(t)
	for _, name := range slices.Sorted(maps.Keys(got)) {
		want := stagetest.ListedMetric{Type: got[name].Type, Unit: unitOnPage(units[name])}
		if is := listed[name]; is.Type != want.Type || is.Unit != want.Unit {
			t.Errorf("docs/metrics.md has %s as %q, %q, want %q, %q", name, is.Type, is.Unit, want.Type, want.Unit)
		}
	}
	for name := range listed {
		if _, is := got[name]; !is {
			t.Errorf("docs/metrics.md lists %s, which nothing makes", name)
		}
	}
}

// exposedAs is the name under which an instrument is exposed: that of its own, in
// Prometheus' letters, and perhaps a unit and the kind.
func exposedAs(name string, exposed map[string]stagetest.ListedMetric) string {
	base := strings.ReplaceAll(name, ".", "_")
	for _, unit := range []string{"", "_seconds", "_bytes", "_hertz"} {
		for _, kind := range []string{"", "_total"} {
			if _, is := exposed[base+unit+kind]; is {
				return base + unit + kind
			}
		}
	}
	return ""
}

func unitOnPage(unit string) string {
	if unit == "" {
		return "0 or 1"
	}
	return strings.Trim(unit, "{}")
}

package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"
)

// odd are values that mean something else to YAML or to a template than their text.
var odd = []string{
	"x\"', injected: yes}]\ninjected: yes\n  injected: yes\n- injected: yes",
	"yes: # {{ fail \"injected\" }}",
	"123",
}

// leaves are the paths of all texts of values.
func leaves(v any, path []any) (out [][]any) {
	switch v := v.(type) {
	case string:
		return [][]any{slices.Clone(path)}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, leaves(v[k], append(path, k))...)
		}
	case []any:
		for i := range v {
			out = append(out, leaves(v[i], append(path, i))...)
		}
	}
	return out
}

// with is a copy of values with another text in one place.
func with(v any, path []any, text string) any {
	if len(path) == 0 {
		return text
	}
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		out[path[0].(string)] = with(v[path[0].(string)], path[1:], text)
		return out
	case []any:
		out := slices.Clone(v)
		out[path[0].(int)] = with(v[path[0].(int)], path[1:], text)
		return out
	}
	return v
}

// injected is whether a key is somewhere in a decoded document.
func injected(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if k == "injected" || injected(x) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, injected)
	}
	return false
}

// Whatever a value says, it is refused, or it stays the one text that it is: it adds no key and
// no manifest, and every field keeps its type.
func TestValuesStayWhatTheyAre(t *testing.T) {
	c, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	given, err := chartutil.ReadValues([]byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	all, err := chartutil.CoalesceValues(c, given)
	if err != nil {
		t.Fatal(err)
	}
	values := plain(t, all)
	number := len(render(t, everything))
	taken := 0
	for _, path := range leaves(values, nil) {
		for _, text := range odd {
			objects, err := renderValues(c, with(values, path, text).(map[string]any))
			if errors.As(err, new(*brokenYAML)) {
				t.Errorf("%v %q: %v", path, text, err)
			}
			if err != nil {
				continue
			}
			taken++
			if len(objects) != number {
				t.Errorf("%v %q: %d objects, want %d", path, text, len(objects), number)
			}
			for _, o := range objects {
				keeps(t, fmt.Sprintf("%v %q", path, text), o)
			}
		}
	}
	if taken < 50 { // or nothing was tried
		t.Errorf("%d values were taken", taken)
	}
}

func keeps(t *testing.T, what string, o object) {
	t.Helper()
	// A quantity that is none is refused by the API server.
	if err := strict(t, o); err != nil && !strings.Contains(err.Error(), "quantities must match") {
		t.Errorf("%s: %s %s: %v", what, o.kind, o.name, err)
	}
	var v map[string]any
	if err := json.Unmarshal(o.raw, &v); err != nil {
		t.Fatal(err)
	}
	if injected(v) {
		t.Errorf("%s: %s %s has a key that nobody gave it", what, o.kind, o.name)
	}
	if o.kind == "ConfigMap" {
		var file any
		if err := yaml.Unmarshal([]byte(v["data"].(map[string]any)["frostwatch.yaml"].(string)), &file); err != nil || injected(file) {
			t.Errorf("%s: the configuration: %v", what, err)
		}
	}
}

func plain(t *testing.T, v chartutil.Values) (out map[string]any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// brokenYAML is a manifest that is none: the value was not refused.
type brokenYAML struct{ error }

func renderValues(c *chart.Chart, v map[string]any) (all []object, err error) {
	top, err := chartutil.ToRenderValues(c, v, chartutil.ReleaseOptions{Name: "fw", Namespace: "video", Revision: 1, IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, top)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, "NOTES.txt") {
			continue
		}
		found, err := objects(files[name])
		if err != nil {
			return nil, &brokenYAML{err}
		}
		all = append(all, found...)
	}
	return all, nil
}

package vocab

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestChanges(t *testing.T) {
	a, b, c := Label{Name: "a"}, Label{Name: "b"}, Label{Name: "c"}
	for _, test := range []struct {
		name          string
		before, after []Label
		want          []Change
	}{
		{"nothing", []Label{a, b}, []Label{a, b}, nil},
		{"first", nil, []Label{a, b}, []Change{{"a", Added, ""}, {"b", Added, ""}}},
		{"all", []Label{a, b}, nil, []Change{{"a", Removed, ""}, {"b", Removed, ""}}},
		{"between", []Label{a, c}, []Label{b}, []Change{{"a", Removed, ""}, {"b", Added, ""}, {"c", Removed, ""}}},
		{"at the end", []Label{a}, []Label{a, c}, []Change{{"c", Added, ""}}},
	} {
		if got := Changes(Vocabulary{Labels: test.before}, Vocabulary{Labels: test.after}); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// A label whose value becomes invalid is reported as skipped, not as removed.
func TestALabelThatBreaksIsSkippedNotRemoved(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after map[string]string
		want          []Change
	}{
		{"breaks", map[string]string{"fall": "", "run": ""}, map[string]string{"fall": `{"treshold":1}`, "run": ""}, []Change{{"fall", Skipped, "treshold"}}},
		{"comes broken", map[string]string{"run": ""}, map[string]string{"fall": "{", "run": ""}, []Change{{"fall", Skipped, "not valid JSON"}}},
		{"stays broken", map[string]string{"fall": "{"}, map[string]string{"fall": "{", "run": ""}, []Change{{"run", Added, ""}}},
		{"is broken otherwise", map[string]string{"fall": "{"}, map[string]string{"fall": `{"x":1}`}, []Change{{"fall", Skipped, "unknown key"}}},
		{"is mended", map[string]string{"fall": "{"}, map[string]string{"fall": ""}, []Change{{"fall", Added, ""}}},
		{"is removed", map[string]string{"fall": "{", "run": ""}, map[string]string{"run": ""}, nil},
	} {
		before, _ := parse("default", c.before)
		after, _ := parse("default", c.after)
		got := Changes(before, after)
		same := slices.EqualFunc(got, c.want, func(a, b Change) bool {
			return a.Label == b.Label && a.What == b.What && strings.Contains(a.Why, b.Why)
		})
		if !same {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// Each field counts, also fields that are added to Label later.
func TestAnyFieldIsAChange(t *testing.T) {
	for i := range reflect.TypeFor[Label]().NumField() {
		one, other := Label{}, Label{}
		field := reflect.ValueOf(&other).Elem().Field(i)
		switch field.Kind() {
		case reflect.String:
			field.SetString("x")
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Float64:
			field.SetFloat(.5)
		case reflect.Slice:
			field.Set(reflect.ValueOf([]string{"x"}))
		default:
			t.Fatalf("a field of kind %v", field.Kind())
		}
		if one.equals(other) {
			t.Errorf("%s does not count", reflect.TypeFor[Label]().Field(i).Name)
		}
	}
}

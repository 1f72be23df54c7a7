package vocab

import (
	"reflect"
	"slices"
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
		{"first", nil, []Label{a, b}, []Change{{"a", Added}, {"b", Added}}},
		{"all", []Label{a, b}, nil, []Change{{"a", Removed}, {"b", Removed}}},
		{"between", []Label{a, c}, []Label{b}, []Change{{"a", Removed}, {"b", Added}, {"c", Removed}}},
		{"at the end", []Label{a}, []Label{a, c}, []Change{{"c", Added}}},
	} {
		if got := Changes(test.before, test.after); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// Each field counts, also one that is added later.
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

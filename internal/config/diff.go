package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/redact"
)

// Change is a key whose value differs between two configurations. Secrets are
// hidden in its texts.
type Change struct{ Key, Before, After string }

// String is the change as a person reads it.
func (c Change) String() string {
	if c.Before == c.After { // both are hidden, or are lists too long to show
		return c.Key
	}
	return fmt.Sprintf("%s: %s instead of %s", c.Key, c.After, c.Before)
}

// Diff lists how after differs from before, in the order of the file's keys.
func Diff(before, after Config) []Change {
	return diff(nil, "", reflect.ValueOf(before), reflect.ValueOf(after))
}

func diff(out []Change, path string, before, after reflect.Value) []Change {
	if before.Type() == reflect.TypeFor[Raw]() {
		a, b := before.Interface().(Raw), after.Interface().(Raw)
		if a.text() != b.text() {
			out = append(out, Change{Key: path})
		}
		return out
	}
	if !hasKeys(before.Type()) {
		if !reflect.DeepEqual(before.Interface(), after.Interface()) {
			out = append(out, Change{path, shown(before), shown(after)})
		}
		return out
	}
	for i := range before.NumField() {
		key := strings.TrimPrefix(path+"."+before.Type().Field(i).Tag.Get("yaml"), ".")
		out = diff(out, key, before.Field(i), after.Field(i))
	}
	return out
}

// shown is a value as the file would have it. Lists of keys are too long to
// show.
func shown(v reflect.Value) string {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct {
		return ""
	}
	if v.Type() == reflect.TypeFor[Secret]() {
		return hidden // even if it is empty
	}
	switch it := v.Interface().(type) {
	case time.Duration:
		return written(it)
	case *time.Duration:
		if it != nil {
			return written(*it)
		}
	}
	switch {
	case v.Kind() == reflect.String:
		return fmt.Sprintf("%q", redact.Text(v.String()))
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String:
		texts := make([]string, v.Len())
		for i := range texts {
			texts[i] = redact.Text(v.Index(i).String())
		}
		return fmt.Sprint(texts)
	}
	return fmt.Sprint(v.Interface())
}

// text is the part as YAML, or "" if it was left out.
func (r Raw) text() string {
	if r.node == nil {
		return ""
	}
	return r.node.String()
}

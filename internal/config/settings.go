package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/frostwatch/frostwatch/internal/redact"
)

// Setting is a key with the value that is in force, as a person reads it. Secrets are
// hidden; of a list of parts with keys, such as cameras, there are the names.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	// From is FromDefault, or the file and line, and the environment variables that are in
	// the value.
	From string `json:"from"`
	// Set is that the file holds the key.
	Set bool `json:"set"`
	// OfFile is the file's value where From is FromUp; else empty, as of a version before.
	OfFile string `json:"of_file,omitempty"`
}

// FromDefault is where a value comes from that nobody has set.
const FromDefault = "default"

// FromUp is where a value comes from that `frostwatch up` has chosen.
const FromUp = "frostwatch up"

// Settings lists every key, in the order of the documented file.
func (f File) Settings() []Setting { return f.InForce(f.Config) }

// InForce is Settings of a process that runs with c, the file's configuration in which
// `frostwatch up` has replaced some values.
func (f File) InForce(c Config) []Setting {
	return f.settings(nil, "", reflect.ValueOf(c), reflect.ValueOf(f.Config))
}

func (f File) settings(out []Setting, path string, v, ofFile reflect.Value) []Setting {
	if !hasKeys(v.Type()) || v.Type() == reflect.TypeFor[Raw]() {
		return append(out, f.setting(path, v, ofFile))
	}
	for i := range v.NumField() {
		key := strings.TrimPrefix(path+"."+v.Type().Field(i).Tag.Get("yaml"), ".")
		out = f.settings(out, key, v.Field(i), ofFile.Field(i))
	}
	return out
}

func (f File) setting(path string, v, ofFile reflect.Value) Setting {
	s := Setting{Key: path, Value: summary(v), From: FromDefault}
	line, has := f.lines[path]
	s.Set = has
	switch {
	case v.Type() != reflect.TypeFor[Raw]() && !same(v, ofFile):
		s.From, s.OfFile = FromUp, summary(ofFile)
	case has:
		s.From = fmt.Sprintf("%s:%d", f.Path, line)
		if names := f.variables(path); len(names) > 0 {
			s.From += ", environment " + strings.Join(names, ", ")
		}
	}
	return s
}

// same is whether two values of a key are; no list is as an empty one.
func same(a, b reflect.Value) bool {
	return reflect.DeepEqual(a.Interface(), b.Interface()) || a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0
}

// variables are the environment variables in the value of a key, or in a part of it.
func (f File) variables(key string) []string {
	var out []string
	for path, names := range f.named {
		rest, below := strings.CutPrefix(path, key)
		if below && (rest == "" || rest[0] == '[' || rest[0] == '.') {
			out = append(out, names...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// summary is a value in a line.
func summary(v reflect.Value) string {
	switch t := v.Type(); {
	case t == reflect.TypeFor[Raw]():
		return v.Interface().(Raw).summary()
	case t == reflect.TypeFor[Secret]() && v.String() == "":
		return `""`
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		var names []string
		for i := range v.Len() {
			if name := v.Index(i).FieldByName("Name"); name.IsValid() {
				names = append(names, name.String())
			}
		}
		return counted(v.Len(), names)
	}
	return shown(v)
}

// summary is how many parts there are, with their names, or else the keys.
func (r Raw) summary() string {
	var names []string
	switch n := r.node.(type) {
	case nil:
		return counted(0, nil)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			names = append(names, nameOf(v)...)
		}
		return counted(len(n.Values), names)
	case *ast.MappingNode:
		for _, v := range n.Values {
			names = append(names, v.Key.GetToken().Value)
		}
	case *ast.MappingValueNode:
		names = append(names, n.Key.GetToken().Value)
	}
	return counted(len(names), names)
}

// nameOf is the value of a mapping's key "name", if it has one.
func nameOf(n ast.Node) []string {
	m, ok := n.(ast.MapNode)
	if !ok {
		return nil
	}
	for it := m.MapRange(); it.Next(); {
		if it.Key().GetToken().Value == "name" && it.Value().GetToken() != nil {
			return []string{it.Value().GetToken().Value}
		}
	}
	return nil
}

// maxNames bounds the names in a summary.
const maxNames = 20

func counted(n int, names []string) string {
	if n == 0 {
		return "none"
	}
	more := ""
	if len(names) > maxNames {
		more = fmt.Sprintf(" and %d more", len(names)-maxNames)
		names = names[:maxNames]
	}
	shown := make([]string, len(names)) // anything may have been written for a name
	for i, name := range names {
		shown[i] = redact.Text(name)
	}
	return fmt.Sprintf("%d: %s%s", n, strings.Join(shown, ", "), more)
}

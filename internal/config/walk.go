package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// document walks the YAML together with the types that it is to fill, before it
// is decoded. It notes the line of every key, replaces environment variables,
// and reports every key and value that does not fit. The decoder alone would
// stop at the first problem and name Go types.
type document struct {
	name     string
	env      func(string) (string, bool) // nil: variables are already replaced
	lines    map[string]int              // by path
	named    map[string][]string         // environment variables, by the path of the value that they are in
	from     *origins                    // the values of these variables
	problems []error
}

const (
	maxNesting = 16
	tooDeep    = "nested too deeply"
	noAnchors  = "anchors, aliases and tags are not used here"
)

func (d *document) walk(n ast.Node, path string, t reflect.Type, depth int) {
	if n == nil {
		return
	}
	if t == reflect.TypeFor[Raw]() {
		d.raw(n, path, depth)
		return
	}
	if _, known := d.lines[path]; !known {
		d.lines[path] = n.GetToken().Position.Line
	}
	if depth > maxNesting {
		d.wrong(path, tooDeep)
		return
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		d.wrong(path, noAnchors)
	case *ast.MappingNode:
		for _, v := range n.Values {
			d.pair(v, path, t, depth)
		}
	case *ast.MappingValueNode:
		d.pair(n, path, t, depth)
	case *ast.SequenceNode:
		if t.Kind() != reflect.Slice {
			d.wrong(path, "a list: want "+wanted(t))
			return
		}
		for i, v := range n.Values {
			d.walk(v, fmt.Sprintf("%s[%d]", path, i), t.Elem(), depth+1)
		}
	case *ast.NullNode, *ast.CommentGroupNode: // the default
	case *ast.StringNode:
		n.Value = d.leaf(path, n.Value, true, t)
	case *ast.LiteralNode:
		n.Value.Value = d.leaf(path, n.Value.Value, true, t)
	default:
		d.leaf(path, n.GetToken().Value, false, t)
	}
	alone(n, t)
}

func (d *document) pair(v *ast.MappingValueNode, path string, t reflect.Type, depth int) {
	name := v.Key.GetToken().Value
	key := name
	if path != "" {
		key = path + "." + name
	}
	d.lines[key] = v.Key.GetToken().Position.Line
	if t.Kind() == reflect.Map {
		d.walk(v.Value, key, t.Elem(), depth+1)
		return
	}
	if !hasKeys(t) {
		d.wrong(path, "keys: want "+wanted(t))
		return
	}
	if _, plain := v.Key.(*ast.StringNode); !plain {
		d.wrong(key, "want a plain key, "+keyNames(t))
		return
	}
	field, ok := fieldOf(t, name)
	if !ok {
		d.wrong(key, "unknown key: want "+keyNames(t))
		return
	}
	// The decoder refuses a bare 0, which needs no unit; so it gets one here.
	if tk := v.Value.GetToken(); field.Type == reflect.TypeFor[time.Duration]() && tk != nil && tk.Value == "0" {
		v.Value = ast.String(token.String("0s", "0s", tk.Position))
	}
	d.walk(v.Value, key, field.Type, depth+1)
}

// leaf checks a value that is neither a list nor has keys, and returns its text
// with environment variables replaced. quoted says that YAML takes it for text.
func (d *document) leaf(path, text string, quoted bool, t reflect.Type) string {
	if quoted && d.env != nil && !cameraURL.MatchString(path) {
		text = d.expand(path, text)
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		if err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
			d.wrong(path, err.Error())
		}
		return text
	}
	var fits bool
	switch {
	case t == reflect.TypeFor[time.Duration]():
		_, err := time.ParseDuration(text)
		fits = err == nil
	case t.Kind() == reflect.String:
		fits = quoted
	case t.Kind() == reflect.Int:
		_, err := strconv.Atoi(text)
		fits = err == nil
	case t.Kind() == reflect.Float64:
		_, err := strconv.ParseFloat(strings.TrimPrefix(text, "."), 64) // YAML writes .inf
		fits = err == nil
	case t.Kind() == reflect.Bool:
		fits = !quoted && (text == "true" || text == "false")
	}
	switch {
	case fits:
	case t == reflect.TypeFor[Secret]():
		d.wrong(path, "want "+wanted(t))
	default:
		d.wrong(path, fmt.Sprintf("%.80q: want %s", text, wanted(t)))
	}
	return text
}

// wanted describes what a value of type t looks like.
func wanted(t reflect.Type) string {
	switch {
	case hasKeys(t):
		return "the keys " + strings.TrimPrefix(keyNames(t), "one of ")
	case t == reflect.TypeFor[time.Duration]():
		return "a number with a unit such as 250ms, 2.133s or 5m"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Map:
		return "keys with values"
	case t.Kind() == reflect.Int:
		return "a whole number"
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.Bool:
		return "true or false"
	}
	return "a text (a number or a word such as true needs quotes)"
}

// hasKeys reports whether t may be written as keys. A type that is an
// encoding.TextUnmarshaler too may be written as either: it needs an UnmarshalYAML
// that calls EitherForm.
func hasKeys(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return f.Tag.Get("yaml") != "" })
}

// EitherForm decodes a value that is written as one text or as keys. unmarshal is
// that of its UnmarshalYAML, text its UnmarshalText, and keys a pointer to a type of
// the same fields without these methods.
func EitherForm(unmarshal func(any) error, text func([]byte) error, keys any) error {
	var short string
	if err := unmarshal(&short); err == nil {
		return text([]byte(short))
	}
	return unmarshal(keys)
}

func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("yaml") == key {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// keyNames are the keys that t has, as one that is wanted.
func keyNames(t reflect.Type) string {
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("yaml"))
	}
	if len(names) == 1 {
		return names[0]
	}
	return "one of " + strings.Join(names, ", ")
}

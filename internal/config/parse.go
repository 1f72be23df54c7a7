package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFile bounds the file.
const maxFile = 1 << 20

// Load reads and checks a file. Keys that it leaves out keep their defaults.
func Load(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Config{}, fmt.Errorf("read configuration %s: %w", path, err)
	}
	return Parse(path, b, os.LookupEnv)
}

// Parse reads a configuration; name stands in errors, which tell the line.
// ${NAME} in a text is replaced by what env gives for NAME, after the YAML is
// understood, so that a value can't add keys; $$ is a dollar. A camera's url is
// left as it is, for its worker.
func Parse(name string, b []byte, env func(string) (string, bool)) (Config, error) {
	if len(b) > maxFile {
		return Config{}, fmt.Errorf("%s: more than %d bytes", name, maxFile)
	}
	file, err := parser.ParseBytes(b, 0)
	if err != nil {
		return Config{}, readable(name, err)
	}
	d := &document{name: name, env: env, lines: map[string]int{}, durations: durationKeys(reflect.TypeFor[Config](), "", map[string]bool{})}
	for _, doc := range file.Docs {
		d.walk(doc.Body, "", 0)
	}
	if err := errors.Join(d.problems...); err != nil {
		return Config{}, err
	}
	c := Default()
	if len(file.Docs) > 0 && file.Docs[0].Body != nil {
		if err := yaml.NodeToValue(file.Docs[0].Body, &c, yaml.Strict()); err != nil {
			return Config{}, readable(name, err)
		}
	}
	d.check(c)
	return c, errors.Join(d.problems...)
}

// readable is goccy's error as FILE:LINE: what.
func readable(name string, err error) error {
	var positioned yaml.Error
	if errors.As(err, &positioned) && positioned.GetToken() != nil {
		return fmt.Errorf("%s:%d: %s", name, positioned.GetToken().Position.Line, positioned.GetMessage())
	}
	return fmt.Errorf("%s: %w", name, err)
}

// document walks the YAML before it is decoded: it notes the line of every
// key, expands the environment and refuses what a configuration has no use for.
type document struct {
	name     string
	env      func(string) (string, bool)
	lines    map[string]int // by path
	problems []error
	// durations are the paths of keys that hold one, with [] for any index.
	durations map[string]bool
}

const maxNesting = 16

func (d *document) walk(n ast.Node, path string, depth int) {
	if n == nil {
		return
	}
	line := n.GetToken().Position.Line
	if _, known := d.lines[path]; !known {
		d.lines[path] = line
	}
	if depth > maxNesting {
		d.wrong(path, "nested too deeply")
		return
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			d.pair(v, path, depth)
		}
	case *ast.MappingValueNode:
		d.pair(n, path, depth)
	case *ast.SequenceNode:
		for i, v := range n.Values {
			d.walk(v, fmt.Sprintf("%s[%d]", path, i), depth+1)
		}
	case *ast.StringNode:
		if !cameraURL.MatchString(path) {
			n.Value = d.expand(path, n.Value)
		}
		d.duration(path, n.Value)
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		d.wrong(path, "anchors, aliases and tags are not used here")
	}
}

func (d *document) pair(v *ast.MappingValueNode, path string, depth int) {
	key := v.Key.String()
	if path != "" {
		key = path + "." + key
	}
	d.lines[key] = v.Key.GetToken().Position.Line
	d.walk(v.Value, key, depth+1)
}

// duration checks a text that is to be one here, where the line is known: the
// decoder's own error has none.
func (d *document) duration(path, text string) {
	if !d.durations[index.ReplaceAllString(path, "[]")] {
		return
	}
	if _, err := time.ParseDuration(text); err != nil {
		d.wrong(path, fmt.Sprintf("%q: want a number with a unit such as 250ms, 2.133s or 5m", text))
	}
}

// durationKeys are the paths of all keys that hold a duration.
func durationKeys(t reflect.Type, path string, found map[string]bool) map[string]bool {
	for i := range t.NumField() {
		f := t.Field(i)
		key, kind := path+f.Tag.Get("yaml"), f.Type
		if kind.Kind() == reflect.Slice {
			key, kind = key+"[]", kind.Elem()
		}
		switch {
		case kind.ConvertibleTo(reflect.TypeFor[time.Duration]()) && strings.HasSuffix(kind.Name(), "Duration"):
			found[key] = true
		case kind.Kind() == reflect.Struct:
			durationKeys(kind, key+".", found)
		}
	}
	return found
}

// expand replaces ${NAME}.
func (d *document) expand(path, text string) string {
	if !bytes.ContainsRune([]byte(text), '$') {
		return text
	}
	return envText.ReplaceAllStringFunc(text, func(m string) string {
		if m == "$$" {
			return "$"
		}
		name := m[2 : len(m)-1]
		value, ok := d.env(name)
		if !ok {
			d.wrong(path, "the environment variable "+name+" is not set")
		}
		return value
	})
}

// wrong notes a problem with the value at path.
func (d *document) wrong(path, what string) {
	line := d.lines[path]
	// A default has no line of its own; its section may have.
	d.problems = append(d.problems, fmt.Errorf("%s:%d: %s: %s", d.name, max(line, 1), path, what))
}

package config

import (
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Raw is a part of the file whose keys are known to another package, such as
// rules: the YAML as it was written, with environment variables replaced, and
// its place in the file. The zero value is a part that was left out or is empty.
type Raw struct {
	file, path string
	node       ast.Node
	from       *origins // of the whole file
}

// UnmarshalYAML keeps the part as it is.
func (r *Raw) UnmarshalYAML(n ast.Node) error {
	switch n := n.(type) {
	case *ast.SequenceNode:
		if len(n.Values) == 0 {
			return nil
		}
	case *ast.MappingNode:
		if len(n.Values) == 0 {
			return nil
		}
	}
	r.node = n
	return nil
}

// at returns the part with its place in the file, which errors name.
func (r Raw) at(file, path string, from *origins) Raw {
	if r.node == nil {
		return Raw{}
	}
	return Raw{file: file, path: path, node: r.node, from: from}
}

// String hides the part: a value in it may come from the environment.
func (r Raw) String() string { return r.path }

// GoString hides the part from %#v.
func (r Raw) GoString() string { return r.path }

// Decode fills v, a pointer to a value for the part's keys. The error lists
// every key and value that does not fit, with file, line and what is allowed.
// If there is none, the returned Part takes further problems that the caller
// finds.
func (r Raw) Decode(v any) (*Part, error) {
	d := &document{name: r.file, lines: map[string]int{}, from: r.from}
	part := &Part{document: d, path: r.path}
	if r.node == nil {
		return part, nil
	}
	d.walk(r.node, r.path, reflect.TypeOf(v).Elem(), 0)
	if err := d.err(); err != nil {
		return nil, err
	}
	if err := yaml.NodeToValue(r.node, v, yaml.Strict()); err != nil {
		return nil, r.from.readable(r.file, err)
	}
	return part, nil
}

// Part is a decoded Raw.
type Part struct {
	document *document
	path     string
}

// Wrong records a problem with the value at a path below the part, such as
// "[2]".
func (p *Part) Wrong(path, what string) { p.document.wrong(p.path+path, what) }

// WrongAt is like Wrong, but with the line of a key of the value, if the file has
// that key.
func (p *Part) WrongAt(path, key, what string) {
	d, path := p.document, p.path+path
	line, has := d.lines[path+"."+key]
	if !has {
		line = d.lines[path]
	}
	d.wrongOn(line, path, what)
}

// Err returns every problem recorded, each with its file and line; nil if none.
func (p *Part) Err() error { return p.document.err() }

// raw replaces environment variables in a part whose keys are not known here.
func (d *document) raw(n ast.Node, path string, depth int) {
	if n == nil {
		return
	}
	if _, known := d.lines[path]; !known {
		d.lines[path] = n.GetToken().Position.Line
	}
	if depth > maxNesting {
		d.wrong(path, tooDeep)
		return
	}
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		d.wrong(path, noAnchors)
	case *ast.MappingNode:
		for _, v := range n.Values {
			d.raw(v, path, depth)
		}
	case *ast.MappingValueNode:
		key := path + "." + n.Key.GetToken().Value
		d.lines[key] = n.Key.GetToken().Position.Line
		d.raw(n.Value, key, depth+1)
	case *ast.SequenceNode:
		for i, v := range n.Values {
			d.raw(v, fmt.Sprintf("%s[%d]", path, i), depth+1)
		}
	case *ast.StringNode:
		n.Value = d.expand(path, n.Value)
	case *ast.LiteralNode:
		n.Value.Value = d.expand(path, n.Value.Value)
	}
}

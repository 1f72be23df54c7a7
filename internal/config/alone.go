package config

import (
	"encoding"
	"reflect"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// alone cuts a value that is decoded by UnmarshalText off from the other tokens of its file.
// The decoder goes through all that are linked to such a value, for each of them: a file of
// 1 MB with a thousand rules would take an hour. What it wants is in the value's own token.
func alone(n ast.Node, t reflect.Type) {
	if !reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return
	}
	switch n := n.(type) {
	case *ast.StringNode:
		n.Token = unlinked(n.Token)
	case *ast.IntegerNode:
		n.Token = unlinked(n.Token)
	case *ast.FloatNode:
		n.Token = unlinked(n.Token)
	case *ast.BoolNode:
		n.Token = unlinked(n.Token)
	case *ast.InfinityNode:
		n.Token = unlinked(n.Token)
	case *ast.NanNode:
		n.Token = unlinked(n.Token)
	case *ast.LiteralNode:
		n.Start, n.Value.Token = unlinked(n.Start), unlinked(n.Value.Token)
		n.Start.Next, n.Value.Token.Prev = n.Value.Token, n.Start
	}
}

func unlinked(t *token.Token) *token.Token {
	if t == nil {
		return nil
	}
	own := *t
	own.Prev, own.Next = nil, nil
	if t.Position != nil { // by the column it would take indentation away
		at := *t.Position
		at.Column = 1
		own.Position = &at
	}
	return &own
}

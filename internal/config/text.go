package config

import (
	"fmt"

	"github.com/goccy/go-yaml/parser"
)

// RawOf parses a text that is not part of the file, such as a rule in Redis. name is
// what errors begin with, and a line; empty, for a text that nobody has written, they have
// neither. Unlike in the file, ${NAME} is not replaced: whoever may
// write such a text must not learn what is in a worker's environment.
func RawOf(name string, text []byte) (Raw, error) {
	if len(text) > maxFile {
		return Raw{}, fmt.Errorf("%s: more than %d bytes", name, maxFile)
	}
	if err := checkNesting(name, text); err != nil {
		return Raw{}, err
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return Raw{}, (*origins)(nil).readable(name, err)
	}
	raw := Raw{file: name}
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case raw.node != nil:
			return Raw{}, fmt.Errorf("%s:%d: a second document: want one", name, doc.Body.GetToken().Position.Line)
		default:
			raw.node = doc.Body
		}
	}
	return raw, nil
}

package config

import (
	"fmt"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// checkNesting refuses a file that opens more brackets, or begins more lists on one
// line, than any configuration needs. It looks at tokens, which take memory in
// proportion to the file: the parser takes memory in proportion to the square of
// the depth, 20 GB for a file of 800 KB.
func checkNesting(name string, b []byte) error {
	open, entries, line := 0, 0, 0
	for _, t := range lexer.Tokenize(string(b)) {
		if t.Position.Line != line {
			line, entries = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open--
		case token.SequenceEntryType:
			entries++
		}
		if open > maxNesting || entries > maxNesting {
			return fmt.Errorf("%s:%d: %s", name, line, tooDeep)
		}
	}
	return nil
}

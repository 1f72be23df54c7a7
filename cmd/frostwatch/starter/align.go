package starter

import (
	"strings"
	"unicode/utf8"
)

// widest is the longest value, with its key, that moves the comments of its neighbours.
const widest = 56

// aligned puts the comments behind values into a column, in each part of a file between blank
// lines: how long the values are is not known where the comments were written.
func aligned(text string) string {
	parts := strings.Split(text, "\n\n")
	for i, part := range parts {
		parts[i] = alignedPart(part)
	}
	return strings.Join(parts, "\n\n")
}

func alignedPart(part string) string {
	lines := strings.Split(part, "\n")
	column := 0
	for _, line := range lines {
		if value, comment := divided(line); comment != "" && utf8.RuneCountInString(value) <= widest {
			column = max(column, utf8.RuneCountInString(value))
		}
	}
	for i, line := range lines {
		if value, comment := divided(line); comment != "" {
			lines[i] = value + strings.Repeat(" ", max(column-utf8.RuneCountInString(value), 0)+2) + comment
		}
	}
	return strings.Join(lines, "\n")
}

// divided is a line's value, and the comment behind it, empty if there is none. A line that is
// a comment as a whole has no value.
func divided(line string) (value, comment string) {
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return line, ""
	}
	quoted, escaped := false, false // texts are in JSON's quotes
	for i, r := range line {
		switch {
		case escaped:
			escaped = false
		case quoted && r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case r == '#' && !quoted && strings.HasSuffix(line[:i], " "):
			return strings.TrimRight(line[:i], " "), line[i:]
		}
	}
	return line, ""
}

package config

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/frostwatch/frostwatch/internal/redact"
)

// origins are the values in a file that come from environment variables. It is only passed as
// a pointer, which fmt does not follow in what holds it.
type origins struct{ all []origin }

// origin is a value with variables in it, which are replaced.
type origin struct {
	path, text    string
	names, values []string
}

const (
	// shortest is the length of a text, in bytes, from which on it is taken for a part of a value
	// that is found in it; a shorter one must be all of it.
	shortest = 4
	// longestChance is up to which length a value may by chance be a word of another key's error.
	longestChance = 8
)

var (
	// longWord is longer than names are: a key, a token, a hash.
	longWord = regexp.MustCompile(`[A-Za-z0-9]{20,}`)
	withAt   = regexp.MustCompile(`\S+@\S+`)
)

// said is an error about the value at a path as it may be printed: a secret may have been put
// at the wrong key. What comes from a variable is replaced by its name; of what is quoted, no
// address has a password, and nothing is longer than a word.
func (o *origins) said(path, what string) string {
	var out strings.Builder
	for what != "" {
		quote := strings.IndexByte(what, '"')
		if quote < 0 {
			quote = len(what)
		}
		out.WriteString(o.plain(path, what[:quote]))
		what = what[quote:]
		if quoted, err := strconv.QuotedPrefix(what); err == nil {
			out.WriteString(o.quoted(quoted))
			what = what[len(quoted):]
		} else if what != "" {
			out.WriteByte('"')
			what = what[1:]
		}
	}
	return out.String()
}

// plain is what is said outside of quotes.
func (o *origins) plain(path, what string) string {
	if o != nil {
		for _, from := range o.all {
			for i, value := range from.values {
				if len(value) > longestChance || len(value) >= shortest && (within(path, from.path) || within(from.path, path)) {
					what = strings.ReplaceAll(what, value, "${"+from.names[i]+"}")
				}
			}
		}
	}
	return withAt.ReplaceAllStringFunc(what, redact.Text)
}

// within is whether a path is another, or a part of it.
func within(path, of string) bool {
	rest, below := strings.CutPrefix(path, of)
	return below && (of == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

func (o *origins) quoted(quoted string) string {
	text, err := strconv.Unquote(quoted)
	if err != nil || text == "" {
		return quoted
	}
	if o != nil {
		for _, from := range o.all {
			if from.holds(flat(text)) {
				return "${" + strings.Join(from.names, "} and ${") + "}"
			}
		}
	}
	if longWord.MatchString(text) {
		return strconv.Quote(redact.Hidden)
	}
	if shown := redact.Text(text); shown != text {
		return strconv.Quote(shown)
	}
	return quoted
}

// holds is whether a text, which may be cut, is the value, a part of it, or more than it.
func (from origin) holds(text string) bool {
	all := flat(from.text)
	if text == all || len(text) >= shortest && strings.Contains(all, text) || len(all) >= shortest && strings.Contains(text, all) {
		return true
	}
	for _, value := range from.values {
		if value = flat(value); text == value || len(value) >= shortest && strings.Contains(text, value) {
			return true
		}
	}
	return false
}

// flat is a text as topics.Clean leaves its spaces.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// shownPath is the path of a key, which may be any text that somebody has written.
func shownPath(path string) string {
	return longWord.ReplaceAllString(redact.Text(path), redact.Hidden)
}

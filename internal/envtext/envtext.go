// Package envtext puts environment variables into texts of the configuration and
// into cameras' URLs.
package envtext

import (
	"errors"
	"regexp"
	"strings"
)

// ErrReference is a ${ that names no variable. The text is not repeated: it may
// hold a password.
var ErrReference = errors.New("a ${ that is not ${NAME}: want the name of an environment variable, or $$ for a dollar")

var (
	mark = regexp.MustCompile(`\$\$|\$\{[^}]*\}?`)
	name = regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`)
)

// Expand replaces each ${NAME} by what value gives, and $$ by a dollar. value is
// also told where in text the reference begins, in bytes; its first error ends
// the work and is returned as it is.
func Expand(text string, value func(name string, at int) (string, error)) (string, error) {
	var out strings.Builder
	last := 0
	for _, m := range mark.FindAllStringIndex(text, -1) {
		found := text[m[0]:m[1]]
		put := "$"
		if found != "$$" {
			if !name.MatchString(found) {
				return "", ErrReference
			}
			var err error
			if put, err = value(found[2:len(found)-1], m[0]); err != nil {
				return "", err
			}
		}
		out.WriteString(text[last:m[0]])
		out.WriteString(put)
		last = m[1]
	}
	out.WriteString(text[last:])
	return out.String(), nil
}

// Package envtext replaces references to environment variables in texts of the
// configuration and in cameras' URLs.
package envtext

import (
	"errors"
	"regexp"
	"strings"
)

// ErrReference is returned for a ${ that names no variable. It does not repeat the
// text, which may contain a password.
var ErrReference = errors.New("a ${ that is not ${NAME}: want the name of an environment variable, or $$ for a dollar")

var (
	mark = regexp.MustCompile(`\$\$|\$\{[^}]*\}?`)
	name = regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`)
)

// Expand replaces each ${NAME} by what value returns, and $$ by a dollar. value is
// also passed the position of the reference in text, in bytes. Its first error is
// returned as it is.
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

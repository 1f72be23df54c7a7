package notify

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// leastSecret is the length from which on a part of a URL is taken for a secret.
const leastSecret = 4

// scrub takes out of a text what may be secret in a URL: all of it but its scheme.
// Services put its parts together anew, so that each run of letters and digits is
// taken out, as it is written and unescaped.
func scrub(text, secretURL string) string {
	_, rest, _ := strings.Cut(secretURL, "://")
	parts := map[string]bool{}
	add := func(whole string) {
		parts[whole] = true
		for _, run := range strings.FieldsFunc(whole, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			parts[run] = true
		}
	}
	for _, piece := range strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune("/:@?&=#", r) }) {
		add(piece)
		for _, unescape := range []func(string) (string, error){url.PathUnescape, url.QueryUnescape} {
			if plain, err := unescape(piece); err == nil {
				add(plain)
				add(url.PathEscape(plain))
				add(url.QueryEscape(plain))
			}
		}
	}
	var secrets []string
	for part := range parts {
		if len(part) >= leastSecret {
			secrets = append(secrets, part)
		}
	}
	// The longest first, or what is left of one would stay.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

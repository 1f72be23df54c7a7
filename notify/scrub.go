package notify

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/frostwatch/frostwatch/internal/config"
)

// leastSecret is the length from which on a part of a URL is taken for a secret.
const leastSecret = 4

// scrub takes out of a text what may be secret in a URL: all of it but its scheme.
// Services put its parts together anew, so that each run of letters and digits is
// taken out, as it is written and unescaped.
func scrub(text, secretURL string) string {
	_, rest, _ := strings.Cut(secretURL, "://")
	return hide(text, secretParts(rest))
}

// secretParts are what may be secret in a text such as a URL's path.
func secretParts(text string) map[string]bool {
	parts := map[string]bool{}
	add := func(whole string) {
		parts[whole] = true
		for _, run := range strings.FieldsFunc(whole, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			parts[run] = true
		}
	}
	for _, piece := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("/:@?&=#", r) }) {
		add(piece)
		for _, unescape := range []func(string) (string, error){url.PathUnescape, url.QueryUnescape} {
			if plain, err := unescape(piece); err == nil {
				add(plain)
				add(url.PathEscape(plain))
				add(url.QueryEscape(plain))
			}
		}
	}
	return parts
}

// secretsOf are what may be secret in a request: everything in the URL but its host, and
// the headers. Servers answer with what they were sent more often than one would think:
// "Cannot POST /services/T0/B0/XXXX".
func secretsOf(u *url.URL, headers map[string]config.Secret, more ...config.Secret) map[string]bool {
	all := secretParts(strings.Join([]string{u.User.String(), u.EscapedPath(), u.RawQuery}, "/"))
	if password, some := u.User.Password(); some {
		all[base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))] = true
	}
	for _, value := range headers {
		more = append(more, value)
	}
	for _, secret := range more {
		maps.Copy(all, secretParts(secret.Reveal()))
		all[secret.Reveal()] = true
	}
	return all
}

// hide takes secrets out of a text.
func hide(text string, parts map[string]bool) string {
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

package cameras

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

const hidden = "***"

// secretWord finds a name whose value is hidden, up to where the value begins:
// "…_password=", "/token/". Of these, passwordWord leaves user names out.
var (
	secretWord = regexp.MustCompile(`(?i)(pass|pwd|psw|\bpw|_pw|user|usr|login|token|jwt|key|auth|cred|secret|sign|\bsig|\bsid|session)[a-z0-9_-]*[=:]` +
		`|/[a-z0-9_-]*(pass|password|passwd|pwd|token|jwt|key|auth|cred|credentials|secret|signature)/|(password|passwd|pwd|token|secret|apikey)[_-]`)
	passwordWord = regexp.MustCompile(`(?i)(pass|pwd|psw|\bpw|_pw|token|jwt|key|auth|cred|secret|sign|\bsig)[a-z0-9_-]*[=:]`)
)

// referring is a URL whose password, or else its user name, is a ${NAME} and
// nothing more, which is no secret: scheme, user name and password, the rest.
var referring = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*://)((?:[A-Za-z0-9._~-]*|\$\{[A-Za-z_][A-Za-z0-9_]*\}):\$\{[A-Za-z_][A-Za-z0-9_]*\}|\$\{[A-Za-z_][A-Za-z0-9_]*\})@([^@]*)$`)

// RedactURL is a URL as it may be shown in logs, errors and to people: cleaned by
// topics.Clean, and without its password (unless that is a ${NAME}), its query and,
// in the path, what follows a word such as "password=" or "token/". A URL that can't
// be parsed, or that has an '@' behind its host, loses everything before the last
// '@' and after '?'.
func RedactURL(raw string) string { return topics.Clean(redact(raw)) }

func redact(raw string) string {
	if m := referring.FindStringSubmatch(raw); m != nil {
		scheme := m[1]
		return scheme + m[2] + "@" + strings.TrimPrefix(redact(scheme+m[3]), scheme)
	}
	u, err := url.Parse(raw)
	if err != nil || (u.Host == "" && strings.Contains(raw, "@")) || strings.Contains(raw[authorityEnd(raw):], "@") {
		return redactUnparsed(raw)
	}
	if u.User != nil {
		if _, has := u.User.Password(); has {
			u.User = url.UserPassword(u.User.Username(), hidden)
		}
	}
	if u.RawQuery != "" {
		u.RawQuery = hidden
	}
	// Decoded, so that no escape hides a word.
	if path, cut := redactPath(u.Path); cut {
		u.Path, u.RawPath = path, ""
	}
	if opaque, cut := redactPath(u.Opaque); cut {
		u.Opaque = opaque
	}
	u.Fragment, u.RawFragment = "", ""
	shown := strings.ReplaceAll(u.String(), "%2A%2A%2A", hidden)
	return escaped.ReplaceAllString(shown, "$${$1}")
}

// escaped is a ${NAME} as net/url writes it.
var escaped = regexp.MustCompile(`\$%7B([A-Za-z_][A-Za-z0-9_]*)%7D`)

// redactPath hides everything after the first secret word: where its value ends
// can't be known, since a password may hold any separator.
func redactPath(path string) (string, bool) {
	at := secretWord.FindStringIndex(path)
	if at == nil || at[1] == len(path) {
		return path, false
	}
	return path[:at[1]] + hidden, true
}

func redactUnparsed(raw string) string {
	scheme := ""
	if s, _, ok := strings.Cut(raw, "://"); ok && schemeText.MatchString(s) {
		scheme = s + "://"
	}
	last := strings.LastIndexByte(raw, '@')
	if last >= 0 && strings.Contains(raw[:last], "?") {
		// Either a query with an '@' or a password with a '?': the two can't be
		// distinguished, so everything is hidden.
		return scheme + hidden
	}
	rest := raw[last+1:]
	if rest == raw {
		rest = strings.TrimPrefix(rest, scheme)
	} else {
		rest = hidden + "@" + rest
	}
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest = rest[:end]
	}
	// The host may be hidden together with the path, because here it can't be
	// distinguished from it.
	rest, _ = redactPath(rest)
	return scheme + rest
}

// authorityEnd is where, for net/url, user, password and host end. An '@' behind it
// means that net/url may have cut a password at an unescaped '/', '?' or '#'.
func authorityEnd(raw string) int {
	start := 0
	if at := strings.Index(raw, "//"); at >= 0 {
		start = at + 2
	}
	if end := strings.IndexAny(raw[start:], "/?#"); end >= 0 {
		return start + end
	}
	return len(raw)
}

var schemeText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)

// PlainSecret is whether a URL holds a password or a key itself, rather than a
// ${NAME}: everyone who may read the cameras topic can then see it.
func PlainSecret(raw string) bool {
	const referred = "\x00"
	text := reference.ReplaceAllString(raw, referred)
	rest := text
	if _, after, ok := strings.Cut(text, "://"); ok {
		rest = after
		// Up to the last '@': a password typed raw may hold '/' or '?'.
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			if _, password, _ := strings.Cut(rest[:at], ":"); strings.Trim(password, referred) != "" {
				return true
			}
			rest = rest[at+1:]
		}
	}
	for _, part := range strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune("?&;#", r) }) {
		at := passwordWord.FindStringIndex(part)
		// What follows a reference may be the camera's, as "_channel=1".
		if at != nil && at[1] < len(part) && !strings.HasPrefix(part[at[1]:], referred) {
			return true
		}
	}
	return false
}

// reference is ${NAME} in a camera's URL.
var reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// References returns the names of the environment variables that a URL refers to,
// in the URL's order.
func References(raw string) []string {
	var names []string
	for _, m := range reference.FindAllStringSubmatch(raw, -1) {
		names = append(names, m[1])
	}
	return names
}

package telemetry

import (
	"net/url"
	"regexp"
	"strings"
)

const hidden = "***"

// RedactURL is raw with its password and its query values hidden, for logs and
// errors. What can't be parsed, or has an
// '@' behind its host, loses everything before the last '@' and after '?'.
func RedactURL(raw string) string {
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
	u.Fragment, u.RawFragment = "", ""
	return strings.ReplaceAll(u.String(), "%2A%2A%2A", hidden)
}

func redactUnparsed(raw string) string {
	scheme := ""
	if s, _, ok := strings.Cut(raw, "://"); ok && schemeText.MatchString(s) {
		scheme = s + "://"
	}
	last := strings.LastIndexByte(raw, '@')
	if last >= 0 && strings.Contains(raw[:last], "?") {
		// A query with an '@', or a password with a '?': who can tell?
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
	return scheme + rest
}

// authorityEnd is where net/url takes host and password to end. An '@' behind it
// means that it may have cut a password short at an unescaped '/', '?' or '#'.
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

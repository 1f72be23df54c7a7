package telemetry

import (
	"net/url"
	"regexp"
	"strings"
)

const hidden = "***"

// RedactURL is raw with its password and its query values hidden, for logs and
// errors. What can't be parsed loses everything before the last '@' and after
// '?'.
func RedactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || (u.Opaque != "" && strings.Contains(u.Opaque, "@")) {
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
	if strings.Contains(u.Path, "@") {
		return redactUnparsed(raw)
	}
	return strings.ReplaceAll(u.String(), "%2A%2A%2A", hidden)
}

func redactUnparsed(raw string) string {
	scheme := ""
	if s, _, ok := strings.Cut(raw, "://"); ok && schemeText.MatchString(s) {
		scheme = s + "://"
	}
	rest := raw[strings.LastIndexByte(raw, '@')+1:]
	if rest == raw {
		rest = strings.TrimPrefix(rest, scheme)
	} else {
		rest = hidden + "@" + rest
	}
	rest, _, _ = strings.Cut(rest, "?")
	return scheme + rest
}

var schemeText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)

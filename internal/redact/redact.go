// Package redact hides what may be secret in texts that are no secrets by their key: an address
// with a password, a parameter that is a token. Package cameras has its own for cameras' URLs,
// which people edit and so must recognise.
package redact

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Hidden stands for what is left out.
const Hidden = "***"

var (
	scheme = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://`)
	// assigned is the name of what may be a secret, with an equals sign. Where its value ends can't
	// be known.
	assigned = regexp.MustCompile(`(?is)([a-z0-9_.-]*(?:pass|pwd|psw|pw|user|token|jwt|key|auth|cred|secret|sign|sig|code|session|sid)[a-z0-9_.-]*=).+$`)
	// hostPort is a host; with anything else than a port behind it, it may be a user and a password
	// whose '@' was cut off.
	hostPort = regexp.MustCompile(`^(\[[0-9a-fA-F:.%]*\]|[^:\[\]]*)(:[0-9]{0,5})?$`)
	// folder is one behind whose name a secret may follow.
	folder = regexp.MustCompile(`(?is)(/[a-z0-9_-]*(?:pass|password|passwd|pwd|token|jwt|key|auth|cred|credentials|secret|signature)/).+$`)
)

// harmless are the parameters of addresses whose values are shown; of all others, they are not:
// how a service calls its secrets can't be known. These are of buckets.
var harmless = []string{
	"accelerate", "anonymous", "awssdk", "disable_https", "disableHTTPS", "dualstack", "endpoint", "fips", "hostname_immutable",
	"prefix", "profile", "region", "s3ForcePathStyle", "use_path_style", "usePathStyle",
}

// Text is a text as it may be shown. Of an address it leaves the scheme, the host, parameters
// that are known to be harmless, and the path of a file or bucket; user and password go up to
// the last '@', because one that is typed raw may hold any separator.
func Text(text string) string {
	begin, at := scheme.FindStringIndex(text), strings.LastIndexByte(text, '@')
	switch {
	case begin != nil && (begin[0] == 0 || at < begin[0]):
		return assigned.ReplaceAllString(text[:begin[0]], "${1}"+Hidden) + text[begin[0]:begin[1]] + address(text[begin[0]:begin[1]], text[begin[1]:])
	case strings.HasPrefix(text, "//"):
		return "//" + address("//", text[2:])
	case at >= 0 && (strings.ContainsAny(text[:at], ":/?=") || strings.ContainsAny(text[at+1:], ":/?=")): // else a name such as anna@example.com
		return address("//", text)
	}
	before, query, has := strings.Cut(text, "?")
	if has && strings.Contains(query, "=") {
		return assigned.ReplaceAllString(before, "${1}"+Hidden) + "?" + parameters(query)
	}
	return assigned.ReplaceAllString(text, "${1}"+Hidden)
}

// address is what follows the scheme.
func address(scheme, rest string) string {
	login := ""
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		login, rest = Hidden+"@", rest[at+1:]
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	if fragment != "" {
		fragment = "#" + Hidden
	}
	place, query, asks := strings.Cut(rest, "?")
	if asks {
		query = "?" + parameters(query)
	}
	host, path, _ := strings.Cut(place, "/")
	if path != "" || len(host) < len(place) {
		path = shownPath(scheme, path)
	}
	if !hostPort.MatchString(host) {
		host = Hidden
	}
	return login + assigned.ReplaceAllString(host, "${1}"+Hidden) + path + query + fragment
}

// shownPath is the path of a file or bucket; that of a web server may be the secret itself, as
// the addresses of hooks are.
func shownPath(scheme, path string) string {
	switch strings.ToLower(scheme) {
	case "//", "file://", "s3://":
		path = folder.ReplaceAllString("/"+path, "${1}"+Hidden)
		return assigned.ReplaceAllString(path, "${1}"+Hidden)
	}
	if path == "" {
		return "/"
	}
	return "/" + Hidden
}

func parameters(query string) string {
	parts := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' })
	for i, part := range parts {
		name, value, has := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(value)
		switch {
		case !has:
			parts[i] = Hidden
		case !slices.Contains(harmless, name) || err != nil || Text(plain) != plain:
			parts[i] = name + "=" + Hidden
		}
	}
	return strings.Join(parts, "&")
}

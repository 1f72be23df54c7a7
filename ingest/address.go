package ingest

import (
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/media"
)

// address is a camera's URL, ready to open. raw may hold a password: it goes to
// libav and nowhere else.
type address struct {
	raw    string
	scheme string
	host   string // empty for files
}

var reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// resolve expands ${NAME} in a camera's URL and checks that its scheme is one
// of those allowed. Its faults never repeat the URL. A value that stands for
// the user name or the password is escaped, so that it may hold '@' or '/'.
func resolve(raw string, schemes []string, getenv func(string) (string, bool)) (address, error) {
	expanded, err := expand(raw, getenv)
	if err != nil {
		return address{}, err
	}
	u, err := url.Parse(expanded)
	if err != nil {
		return address{}, media.NewFault(media.KindAddress, "the URL cannot be parsed")
	}
	a := address{raw: expanded, scheme: strings.ToLower(u.Scheme), host: u.Hostname()}
	if a.scheme == "" {
		a.scheme = "file"
	}
	if !slices.Contains(schemes, a.scheme) {
		// Not named: in a malformed URL it may be anything.
		return address{}, media.NewFault(media.KindAddress, "this kind of URL is not allowed: want %s", strings.Join(schemes, ", "))
	}
	if a.scheme == "file" {
		return fileAddress(u)
	}
	if a.host == "" {
		return address{}, media.NewFault(media.KindAddress, "the URL names no host")
	}
	return a, nil
}

// fileAddress takes file:///a/b, file:a/b and plain paths, and makes the path
// absolute so that libav can take it for nothing else.
func fileAddress(u *url.URL) (address, error) {
	path := u.Path
	if path == "" {
		path = u.Opaque
	}
	if path == "" || u.Host != "" {
		return address{}, media.NewFault(media.KindAddress, "the URL names no file on this machine: want file:///path")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return address{}, media.NewFault(media.KindAddress, "the file's path cannot be made absolute")
	}
	return address{raw: "file:" + path, scheme: "file"}, nil
}

func expand(raw string, getenv func(string) (string, bool)) (string, error) {
	user := userinfoEnd(raw)
	var out strings.Builder
	last := 0
	for _, m := range reference.FindAllStringSubmatchIndex(raw, -1) {
		name := raw[m[2]:m[3]]
		value, ok := getenv(name)
		if !ok {
			return "", media.NewFault(media.KindAddress, "environment variable %s is not set on this worker", name)
		}
		if m[0] < user {
			value = strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
		}
		out.WriteString(raw[last:m[0]])
		out.WriteString(value)
		last = m[1]
	}
	out.WriteString(raw[last:])
	return out.String(), nil
}

// userinfoEnd is where the user name and password of a URL end, 0 if it has
// none.
func userinfoEnd(raw string) int {
	start := strings.Index(raw, "://")
	if start < 0 {
		return 0
	}
	start += len("://")
	authority := raw[start:]
	if i := strings.IndexAny(authority, "/?#"); i >= 0 {
		authority = authority[:i]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		return start + i
	}
	return 0
}

package cameras

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

// Login is what a camera asks for. Each part may be a ${NAME} and nothing more.
type Login struct{ User, Password string }

// ShownURL is a camera's URL for people who edit it: without user name, password and
// query, and what RedactURL hides of the path. Where a password can't be told from the
// rest, nothing but the scheme is left.
func ShownURL(raw string) string {
	u := takeApart(raw)
	if u.blurred {
		return topics.Clean(u.scheme) + hidden
	}
	u.user = ""
	u.path = shownPath(u.path)
	if u.query != "" {
		u.query = "?" + hidden
	}
	return topics.Clean(u.String())
}

// HasLogin is whether a URL has a user name, or may have one.
func HasLogin(raw string) bool {
	u := takeApart(raw)
	return u.user != "" || u.blurred
}

// apart are the parts of a URL, which make it up again.
type apart struct {
	scheme, user, host, path, query string // "rtsp://", "name:password@", "10.0.0.7:554", "/path", "?query"
	// blurred: a password may go on behind the host.
	blurred bool
}

func (u apart) String() string { return u.scheme + u.user + u.host + u.path + u.query }

func takeApart(raw string) apart {
	raw = Spelled(raw)
	start := strings.Index(raw, "://")
	if start < 0 || !schemeText.MatchString(raw[:start]) || strings.EqualFold(raw[:start], "file") {
		return apart{path: raw, blurred: strings.ContainsAny(raw, "@?")}
	}
	u := apart{scheme: raw[:start+3]}
	end := authorityEnd(raw)
	authority, rest := raw[start+3:end], raw[end:]
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		u.user, authority = authority[:at+1], authority[at+1:]
	}
	u.host, u.path = authority, rest
	if at := strings.IndexAny(rest, "?#"); at >= 0 {
		u.path, u.query = rest[:at], rest[at:]
	}
	u.blurred = strings.Contains(rest, "@")
	return u
}

// shownPath is decoded where something is hidden, so that no escape hides a word.
func shownPath(path string) string {
	plain, err := url.PathUnescape(path)
	if err != nil {
		plain = path
	}
	if cut, is := redactPath(plain); is {
		return cut
	}
	return path
}

// ErrElsewhere is of a URL for which stored secrets are wanted that were typed for another
// host: they would be sent there.
var ErrElsewhere = errors.New("user name, password and what else is hidden of the stored address are not sent to another host, port or protocol: type them anew")

// Retyped is the URL that somebody means who was shown ShownURL(stored) and has typed
// something: what was hidden stays as it is stored, on the same server only. A login
// replaces the stored one; an empty one removes it.
func Retyped(stored, typed string, login *Login) (string, error) {
	if typed = Spelled(typed); typed == Spelled(ShownURL(stored)) && login == nil {
		return stored, nil
	}
	was, now := takeApart(stored), takeApart(typed)
	switch {
	case now.blurred && now.scheme != "":
		return "", errors.New("it has an @ behind its host: type user name and password beside the address")
	case now.user != "" && login != nil:
		return "", errors.New("user name and password are in the address and beside it: want one of them")
	case was.blurred && strings.Contains(typed, hidden):
		return "", fmt.Errorf("type all of the address: what %s stands for is not known", hidden)
	}
	secret := false
	if login != nil {
		now.user = login.userinfo()
	} else if now.user == "" && was.user != "" && now.scheme != "" && !was.blurred {
		now.user, secret = was.user, true
	}
	if strings.Contains(now.path, hidden) && now.path == shownPath(was.path) {
		now.path, secret = was.path, true
	}
	if now.query == "?"+hidden && was.query != "" {
		now.query, secret = was.query, true
	}
	switch out := now.String(); {
	case secret && !sameServer(was, now):
		return "", ErrElsewhere
	case strings.Contains(out, hidden) && !strings.Contains(stored, hidden):
		return "", fmt.Errorf("type what %s stands for", hidden)
	default:
		return out, nil
	}
}

// RetypedWatch is Retyped for the URL of a camera's smaller stream. The login of the main
// stream's URL, as that is from now on, goes for this one on the same server.
func RetypedWatch(stored, typed, main string, login *Login) (string, error) {
	if typed == "" {
		return "", nil
	}
	same := sameServer(takeApart(main), takeApart(typed))
	if login != nil && same && takeApart(typed).user == "" {
		return Retyped(stored, typed, login)
	}
	out, err := Retyped(stored, typed, nil)
	if same && !strings.Contains(typed, hidden) && (errors.Is(err, ErrElsewhere) || err == nil && out != stored && takeApart(out).user == "") {
		return Retyped(main, typed, nil)
	}
	return out, err
}

// sameServer is whether one server answers for both, and not with less protection.
func sameServer(was, now apart) bool {
	if was.host == "" || !strings.EqualFold(was.host, now.host) && !strings.EqualFold(was.place(), now.place()) {
		return false
	}
	return strings.EqualFold(was.scheme, now.scheme) || strings.EqualFold(strings.TrimSuffix(was.scheme, "://")+"s://", now.scheme)
}

var usualPorts = map[string]string{"rtsp": ":554", "rtsps": ":322", "http": ":80", "https": ":443"}

// place is the host with its port, unless that is the usual one.
func (u apart) place() string {
	return strings.TrimSuffix(u.host, usualPorts[strings.ToLower(strings.TrimSuffix(u.scheme, "://"))])
}

var onlyReference = regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`)

// userinfo is the login as URLs have it.
func (l Login) userinfo() string {
	escape := func(text string) string {
		if onlyReference.MatchString(text) {
			return text
		}
		return strings.ReplaceAll(url.User(text).String(), "$", "%24") // which begins no reference
	}
	switch {
	case l == Login{}:
		return ""
	case l.Password == "":
		return escape(l.User) + "@"
	}
	return escape(l.User) + ":" + escape(l.Password) + "@"
}

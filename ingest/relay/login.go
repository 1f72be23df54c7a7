package relay

import (
	"crypto/md5" //nolint:gosec // the cameras' own choice
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// login answers a camera's challenges (RFC 7616, 7617, and 2069 for those that offer
// no qop). Safe for concurrent use.
type login struct {
	user *url.Userinfo // nil: the URL has none

	mu    sync.Mutex
	last  *challenge // nil: none yet
	count int        // of requests that were answered by last
}

// challenge is one way to log in that a server offers.
type challenge struct {
	scheme string // lower case
	params map[string]string
}

// maxTries bounds how often a request is sent again: for the first challenge, and for one
// or two that go stale meanwhile.
const maxTries = 3

// challenged takes over what a server that refuses a request asks for. answered is
// whether the request already answered a challenge made to itself: if so, another try
// is of use only where the server calls that challenge stale.
func (l *login) challenged(headers []string, answered bool) error {
	if l.user == nil {
		return media.NewFault(media.KindCredentials, "wrong user name or password: the camera wants them, and its URL has none")
	}
	var offered []challenge
	for _, h := range headers {
		offered = append(offered, challenges(h)...)
	}
	best := slices.MaxFunc(append(offered, challenge{}), func(a, b challenge) int { return a.rank() - b.rank() })
	switch {
	case best.rank() == 0 && len(offered) > 0:
		return unknownSchemes(offered)
	case best.rank() == 0, answered && !strings.EqualFold(best.params["stale"], "true"):
		return media.NewFault(media.KindCredentials, "wrong user name or password")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.count = &best, 0
	return nil
}

func unknownSchemes(offered []challenge) error {
	var names []string
	for _, c := range offered {
		name := c.scheme
		if c.params["algorithm"] != "" {
			name += " with " + c.params["algorithm"]
		}
		if c.params["qop"] != "" {
			name += " and qop " + c.params["qop"]
		}
		names = append(names, name)
	}
	return media.NewFault(media.KindCredentials, "the camera knows no way to log in that we do: it offers %.200s; we know basic, and digest with MD5 and SHA-256",
		topics.Clean(strings.Join(names, ", ")))
}

// rank orders ways to log in by how well they hide the password; 0: not known to us.
func (c challenge) rank() int {
	switch {
	case c.scheme == "basic":
		return 1
	case c.scheme != "digest" || c.params["qop"] != "" && !c.auth():
		return 0
	}
	switch strings.ToUpper(c.params["algorithm"]) {
	case "", "MD5", "MD5-SESS":
		return 2
	case "SHA-256", "SHA-256-SESS":
		return 3
	}
	return 0
}

// auth is whether the server takes qop=auth.
func (c challenge) auth() bool {
	return slices.ContainsFunc(strings.FieldsFunc(c.params["qop"], func(r rune) bool { return r == ',' || r == ' ' }),
		func(q string) bool { return strings.EqualFold(q, "auth") })
}

// authorization is the value of that header for a request; "" before the first
// challenge.
func (l *login) authorization(method, uri string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		return ""
	}
	l.count++
	password, _ := l.user.Password()
	if l.last.scheme == "basic" {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(l.user.Username()+":"+password))
	}
	return l.last.digest(answer{l.user.Username(), password, method, uri, rand.Text(), l.count})
}

// answer is what goes into the response to a digest challenge.
type answer struct {
	user, password string
	method, uri    string
	cnonce         string
	count          int // of this nonce
}

func (c challenge) digest(a answer) string {
	algorithm := c.params["algorithm"]
	h := hasher(md5.New)
	if strings.HasPrefix(strings.ToUpper(algorithm), "SHA-256") {
		h = sha256.New
	}
	nonce := c.params["nonce"]
	secret := h.of(a.user, c.params["realm"], a.password)
	session := strings.HasSuffix(strings.ToUpper(algorithm), "-SESS")
	if session {
		secret = h.of(secret, nonce, a.cnonce)
	}
	asked := h.of(a.method, a.uri)
	out := fmt.Sprintf("Digest username=%s, realm=%s, nonce=%s, uri=%s", quoted(a.user), quoted(c.params["realm"]), quoted(nonce), quoted(a.uri))
	count := fmt.Sprintf("%08x", a.count)
	if c.auth() {
		out += fmt.Sprintf(`, response="%s", qop=auth, nc=%s`, h.of(secret, nonce, count, a.cnonce, "auth", asked), count)
	} else {
		out += fmt.Sprintf(`, response="%s"`, h.of(secret, nonce, asked))
	}
	if c.auth() || session {
		out += ", cnonce=" + quoted(a.cnonce)
	}
	if algorithm != "" {
		out += ", algorithm=" + algorithm
	}
	if opaque, ok := c.params["opaque"]; ok {
		out += ", opaque=" + quoted(opaque)
	}
	return out
}

type hasher func() hash.Hash

// of is the hash of parts joined by colons, in hexadecimal.
func (h hasher) of(parts ...string) string {
	s := h()
	_, _ = s.Write([]byte(strings.Join(parts, ":"))) // a hash takes everything
	return hex.EncodeToString(s.Sum(nil))
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// challenges reads the value of a WWW-Authenticate header, which may hold several,
// each a scheme and its parameters, all separated by commas. What can't be read is
// passed over.
func challenges(header string) (out []challenge) {
	rest := header
	for {
		rest = strings.TrimLeft(rest, ", \t")
		name, after := token(rest)
		if name == "" {
			return out
		}
		value, isParam := strings.CutPrefix(strings.TrimLeft(after, " \t"), "=")
		switch {
		case !isParam:
			out = append(out, challenge{strings.ToLower(name), map[string]string{}})
			rest = after
		case len(out) == 0:
			return nil
		default:
			value, rest = text(strings.TrimLeft(value, " \t"))
			params := out[len(out)-1].params
			if name = strings.ToLower(name); params[name] == "" {
				params[name] = value
			}
		}
	}
}

// token is a name at the beginning of s.
func token(s string) (name, rest string) {
	end := strings.IndexAny(s, "=, \t\"")
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}

// text is a value at the beginning of s, in quotes or without.
func text(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ", \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// Digest answers the challenge of a server that is not a camera's stream, such as its
// services of ONVIF. It never answers in a way that shows the password.
func Digest(user *url.Userinfo, challenges []string, method, uri string) (string, error) {
	l := &login{user: user}
	if err := l.challenged(challenges, false); err != nil {
		return "", err
	}
	if l.last.scheme == "basic" {
		return "", media.NewFault(media.KindCredentials, "it takes the password in clear text alone (Basic), which is not sent")
	}
	return l.authorization(method, uri), nil
}

package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"

	"github.com/frostwatch/frostwatch/internal/passwords"
	"github.com/frostwatch/frostwatch/topics"
)

// Console is the web page, and who may use it.
type Console struct {
	Listen  string         `yaml:"listen"`
	Hosts   []string       `yaml:"hosts"`
	TLS     ConsoleTLS     `yaml:"tls"`
	Proxies []string       `yaml:"proxies"`
	Users   []ConsoleUser  `yaml:"users"`
	Tokens  []ConsoleToken `yaml:"tokens"`
}

// ConsoleTLS is who encrypts: the console itself by a certificate, a proxy, or nobody.
type ConsoleTLS struct {
	Mode string `yaml:"mode"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// What the console's tls.mode may be besides empty.
const (
	TLSByProxy = "proxy"
	TLSOff     = "off"
)

// Roles of the console, each of which may do what those before it may.
var Roles = []string{"viewer", "operator", "admin"}

// ConsoleUser is a person who logs in.
type ConsoleUser struct {
	Name         string   `yaml:"name"`
	Password     Secret   `yaml:"password"` // a hash
	PasswordFile string   `yaml:"password_file"`
	Role         string   `yaml:"role"`
	Tags         []string `yaml:"tags"` // empty: every camera
}

// ConsoleToken is a program that uses the console's API.
type ConsoleToken struct {
	Name  string   `yaml:"name"`
	Token Secret   `yaml:"token"` // itself, or TokenHash and its SHA-256 in hex
	Role  string   `yaml:"role"`
	Tags  []string `yaml:"tags"`
}

// TokenHash is what a token's hash begins with.
const TokenHash = "sha256:"

// ShortestToken is how many characters a token has at least: it is long enough to not be
// guessed, so that its hash need not be slow.
const ShortestToken = 32

// Alone is whether the console listens to this machine alone, and nothing in front of it
// lets others in.
func (c Console) Alone() bool {
	return c.OnLoopback() && len(c.Hosts) == 0 && c.TLS.Mode != TLSByProxy
}

// OnLoopback is whether the console listens to this machine alone.
func (c Console) OnLoopback() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// Protected is whether who uses the console shows who that is.
func (c Console) Protected() bool { return len(c.Users)+len(c.Tokens) > 0 }

// Problem is what is wrong with the value of a key.
type Problem struct{ Key, Text string }

// Problems are what is wrong with the console's keys; each names its own in the file.
func (c Console) Problems() (out []Problem) {
	wrong := func(key, format string, args ...any) {
		key = "console." + key
		out = append(out, Problem{key, (*origins)(nil).said(key, fmt.Sprintf(format, args...))})
	}
	c.checkReach(wrong)
	names := map[string]bool{}
	for i, u := range c.Users {
		at := fmt.Sprintf("users[%d]", i)
		checkPerson(at, u.Name, u.Role, u.Tags, names, wrong)
		switch {
		case (u.Password == "") == (u.PasswordFile == ""):
			wrong(at, "want password, an argon2id hash, or password_file, a file that holds one; `frostwatch console hash` makes it")
		case u.Password != "":
			if _, err := passwords.Parse(u.Password.Reveal()); err != nil {
				wrong(at+".password", "%v", err)
			}
		}
	}
	for i, t := range c.Tokens {
		at := fmt.Sprintf("tokens[%d]", i)
		checkPerson(at, t.Name, t.Role, t.Tags, names, wrong)
		if !rightToken(t.Token.Reveal()) {
			wrong(at+".token", "want ${NAME} of a variable that holds at least %d letters and digits, or sha256: and its hash; `frostwatch console hash --token` makes both", ShortestToken)
		}
	}
	if n := max(len(c.Users), len(c.Tokens)); n > maxConsoleUsers {
		wrong("users", "%d users or tokens: want at most %d of each", n, maxConsoleUsers)
	}
	return out
}

const (
	maxConsoleUsers = 1000
	maxConsoleTags  = 32
)

var (
	userName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)
	hostName  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,62}\.?)*$`)
	tokenText = regexp.MustCompile(`^[A-Za-z0-9._~+/=-]+$`) // what a bearer token may be
	tokenHash = regexp.MustCompile(`^` + TokenHash + `[0-9a-f]{64}$`)
)

func rightToken(t string) bool {
	if strings.HasPrefix(t, TokenHash) {
		return tokenHash.MatchString(t)
	}
	return len(t) >= ShortestToken && len(t) <= 512 && tokenText.MatchString(t)
}

func checkPerson(at, name, role string, tags []string, names map[string]bool, wrong func(key, format string, args ...any)) {
	if !userName.MatchString(name) {
		wrong(at+".name", "%.80q: want letters, digits, '.', '_', '@' and '-', at most 64", name)
	}
	if names[name] {
		wrong(at+".name", "duplicate name %q, also of tokens", name)
	}
	names[name] = true
	if !isRole(role) {
		wrong(at+".role", "%.80q: want %s", role, strings.Join(Roles, ", "))
	}
	if len(tags) > maxConsoleTags {
		wrong(at+".tags", "%d: want at most %d", len(tags), maxConsoleTags)
	}
	for i, tag := range tags {
		if err := topics.CheckTag(tag); err != nil {
			wrong(fmt.Sprintf("%s.tags[%d]", at, i), "%v", err)
		}
	}
}

func isRole(text string) bool {
	for _, r := range Roles {
		if r == text {
			return true
		}
	}
	return false
}

// checkReach checks from where the console is reached, and that it then asks who it is.
func (c Console) checkReach(wrong func(key, format string, args ...any)) {
	for i, h := range c.Hosts {
		if _, err := netip.ParseAddr(h); err != nil && (len(h) > 253 || !hostName.MatchString(h)) {
			wrong(fmt.Sprintf("hosts[%d]", i), "%.80q: want a host name or an address, without a port", h)
		}
	}
	for i, p := range c.Proxies {
		if _, err := Network(p); err != nil {
			wrong(fmt.Sprintf("proxies[%d]", i), "%.80q: want an address or a network, such as 10.0.0.5 or 10.0.0.0/24", p)
		}
	}
	t := c.TLS
	switch {
	case t.Mode != "" && t.Mode != TLSByProxy && t.Mode != TLSOff:
		wrong("tls.mode", "%.80q: want %s, %s or nothing", t.Mode, TLSByProxy, TLSOff)
	case (t.Cert == "") != (t.Key == ""):
		wrong("tls", "want both cert and key, or neither")
	case t.Mode != "" && t.Cert != "":
		wrong("tls.mode", "%q: want none where there is a cert", t.Mode)
	case !c.OnLoopback() && t == (ConsoleTLS{}):
		wrong("tls", "passwords and pictures would cross the network in the clear: want cert and key; or mode: proxy, where a proxy in front does TLS; or mode: off, if that is meant")
	}
	if !c.Alone() && !c.Protected() {
		wrong("listen", "%q with what hosts and tls.mode say lets others in than this machine: want users or tokens (docs/console.md); or listen 127.0.0.1:8070 alone, and reach it by a tunnel, as with `ssh -L`", c.Listen)
	}
}

// Network is an address, or a network of them.
func Network(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap()
		return a.Prefix(a.BitLen())
	}
	return netip.ParsePrefix(text)
}

func (d *document) checkConsole(c Console) {
	d.address("console.listen", c.Listen)
	for _, p := range c.Problems() {
		d.wrong(p.Key, p.Text)
	}
}

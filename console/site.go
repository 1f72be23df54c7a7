package console

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/frostwatch/frostwatch/console/access"
	"github.com/frostwatch/frostwatch/internal/config"
)

// site is how the console is reached, and by whom.
type site struct {
	config.Console
	users   *access.Users
	hosts   map[string]bool
	proxies []netip.Prefix
}

func newSite(c config.Console) (*site, error) {
	users, err := access.Compile(c)
	if err != nil {
		return nil, err
	}
	s := &site{Console: c, users: users, hosts: map[string]bool{}}
	for _, h := range c.Hosts {
		s.hosts[plainHost(h)] = true
	}
	for _, p := range c.Proxies {
		if n, err := config.Network(p); err == nil { // Compile has checked it
			s.proxies = append(s.proxies, n)
		}
	}
	return s, nil
}

// secure is whether browsers reach the console by TLS.
func (s *site) secure() bool { return s.TLS.Cert != "" || s.TLS.Mode == config.TLSByProxy }

// cookie is the name of the cookie that holds a session's id. With the prefix, browsers
// take it from this very host alone, and no other one of its domain can plant one.
func (s *site) cookie() string {
	if s.secure() {
		return "__Host-frostwatch"
	}
	return "frostwatch"
}

// own is whether a request names this console. By a name that another site made resolve
// to it, that site's pages would read everything here; no page does so by an address.
func (s *site) own(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = plainHost(host)
	if host == "localhost" || s.hosts[host] {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	if ip = ip.Unmap(); ip.IsLoopback() {
		return true
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil {
		return false
	}
	at, err := netip.ParseAddrPort(local.String())
	return err == nil && at.Addr().Unmap().WithZone("") == ip.WithZone("")
}

func plainHost(h string) string {
	return strings.ToLower(strings.TrimSuffix(strings.Trim(h, "[]"), "."))
}

// from is the address from which a request comes: of one that comes from a proxy that is
// believed, what the nearest such proxy says.
func (s *site) from(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	address := at.Addr().Unmap()
	said := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(said) - 1; i >= 0 && s.believes(address); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(said[i]))
		if err != nil {
			break
		}
		address = next.Unmap()
	}
	return address.WithZone("").String()
}

func (s *site) believes(a netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Prepare checks how the console is to be reached and by whom, and changes nothing. commit
// puts it in force. An address and a certificate stay as they were at the start: what is
// new is checked against these.
func (c *Console) Prepare(next config.Console) (commit func() []string, err error) {
	next.Listen, next.TLS = c.Access.Listen, c.Access.TLS
	s, err := newSite(next)
	if err != nil {
		return nil, err
	}
	return func() []string { return c.enter(s, nil) }, nil
}

// enter puts a site in force, where was still is if it is not nil, and returns what has
// changed in words.
func (c *Console) enter(s, was *site) []string {
	c.entering.Lock()
	defer c.entering.Unlock()
	now := c.site.Load()
	if was != nil && was != now {
		return nil
	}
	c.site.Store(s)
	c.gate.Set(s.users)
	if s.users.Same(now.users) {
		return nil
	}
	users, tokens := s.users.Count()
	return []string{fmt.Sprintf("who may use the console has changed; users: %d, tokens: %d", users, tokens)}
}

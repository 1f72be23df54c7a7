package ingest

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/internal/envtext"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Trust is what cameras may ask of this worker. Whoever can write to the cameras
// topic chooses what workers connect to and which of their secrets are sent
// there, so a record on its own may only have the network's other hosts watched.
// What it says of its own source counts for nothing: anyone can write that.
type Trust struct {
	// Own are the cameras of this worker's own configuration file and flags. A
	// record of the same name, URL and certificate may do all that its operator can.
	Own []topics.Camera
	// Env are the environment variables that ${NAME} in any camera's URL may name.
	Env []string
	// Allow is what any camera may be besides hosts of the network: "file", and
	// host names, addresses and networks (127.0.0.1, 169.254.0.0/16) on
	// this machine or its link.
	Allow []string
}

// trust is a Trust in the form that cameras are checked by. Safe for concurrent use.
type trust struct {
	mu      sync.Mutex
	own     map[string]topics.Camera // by name
	changed chan struct{}            // closed when own is replaced

	env      []string
	files    bool
	hosts    []string // lower case
	networks []netip.Prefix
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?$`)

// parse reads one entry of Trust.Allow into t.
func (t *trust) parse(entry string) error {
	if strings.EqualFold(entry, "file") {
		t.files = true
		return nil
	}
	if n, err := netip.ParsePrefix(entry); err == nil {
		t.networks = append(t.networks, n.Masked())
		return nil
	}
	if a, err := netip.ParseAddr(entry); err == nil {
		t.networks = append(t.networks, netip.PrefixFrom(a, a.BitLen()))
		return nil
	}
	if strings.Contains(entry, "/") || !hostName.MatchString(entry) {
		return fmt.Errorf("ingest: allow %.80q: want file, a host name, an address or a network such as 127.0.0.0/8", entry)
	}
	t.hosts = append(t.hosts, strings.ToLower(entry))
	return nil
}

func (o Trust) read() (*trust, error) {
	t := &trust{env: o.Env, changed: make(chan struct{})}
	t.setOwn(o.Own)
	for _, entry := range o.Allow {
		if err := t.parse(entry); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// CheckAllow reports what is wrong with an entry of Trust.Allow.
func CheckAllow(entry string) error { return new(trust).parse(entry) }

func (t *trust) setOwn(cameras []topics.Camera) {
	own := make(map[string]topics.Camera, len(cameras))
	for _, c := range cameras {
		own[c.Name] = c
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.own = own
	close(t.changed)
	t.changed = make(chan struct{})
}

// owns is whether a camera is one of Trust.Own.
func (t *trust) owns(c topics.Camera) bool {
	owns, _ := t.ownership(c)
	return owns
}

// ownership also returns a channel that is closed when the answer may change.
func (t *trust) ownership(c topics.Camera) (owns bool, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own, ok := t.own[c.Name]
	return ok && own.URL == c.URL && own.Watch == c.Watch && sameCertificate(own, c), t.changed
}

// sameCertificate is whether two cameras ask for the same of a certificate: a record
// that asks for less must not be sent secrets that only the operator's file may name.
func sameCertificate(a, b topics.Camera) bool {
	if topics.Fingerprint(a.TLSFingerprint) != topics.Fingerprint(b.TLSFingerprint) || (a.TLSVerify == nil) != (b.TLSVerify == nil) {
		return false
	}
	return a.TLSVerify == nil || *a.TLSVerify == *b.TLSVerify
}

// await waits until a camera that is not one of Trust.Own becomes one; false where
// ctx ends first.
func (t *trust) await(ctx context.Context, c topics.Camera) bool {
	for {
		owns, changed := t.ownership(c)
		if owns {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// mayName is an error where a URL may not refer to an environment variable.
func (t *trust) mayName(variable string) error {
	if slices.Contains(t.env, variable) {
		return nil
	}
	return media.NewFault(media.KindAddress, "its URL uses ${%.80s}: add %[1]s to ingest.env in %s and restart them", variable, where)
}

// mayOpenFiles is an error where a camera that is not the operator's may not be a
// file.
func (t *trust) mayOpenFiles() error {
	if t.files {
		return nil
	}
	return media.NewFault(media.KindAddress, "it is a file on this worker: %s", allowing("file"))
}

// Withheld are the environment variables that a camera's URL refers to, and that the
// workers keep from it.
func (o Trust) Withheld(c topics.Camera) (names []string) {
	t, err := o.read()
	if err != nil || t.owns(c) {
		return nil
	}
	for _, raw := range []string{c.URL, c.Watch} {
		_, _ = envtext.Expand(raw, func(name string, _ int) (string, error) { // a mistake in it is reported elsewhere
			if !slices.Contains(names, name) && t.mayName(name) != nil {
				names = append(names, name)
			}
			return "", nil
		})
	}
	return names
}

// Refusal returns why a worker refuses a camera, where that is certain before its
// host is looked up and the worker's environment is known; nil where it is not.
func (o Trust) Refusal(c topics.Camera) error {
	t, err := o.read()
	if err != nil || t.owns(c) {
		return err
	}
	if c.Watch != "" {
		if err := t.refusal(c.Watch); err != nil {
			return err
		}
	}
	return t.refusal(c.URL)
}

func (t *trust) refusal(of string) error {
	text := cameras.Spelled(of)
	if strings.HasPrefix(text, "${") {
		return nil
	}
	raw, err := envtext.Expand(text, func(string, int) (string, error) { return "1", nil })
	if err != nil {
		return nil //nolint:nilerr // the camera's own limits refuse it
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	host := u.Hostname()
	switch address, err := netip.ParseAddr(host); {
	case u.Scheme == "" || strings.EqualFold(u.Scheme, "file"):
		return t.mayOpenFiles()
	case t.names(host):
		return nil
	case err == nil:
		return t.mayReach(address, "")
	case alwaysHere(host):
		return t.mayReach(netip.AddrFrom4([4]byte{127, 0, 0, 1}), host)
	}
	return nil
}

// names is whether a host's name itself is allowed, wherever it leads.
func (t *trust) names(host string) bool { return slices.Contains(t.hosts, strings.ToLower(host)) }

// mayReach is an error where a camera that is not the operator's may not be at an
// address. name is the host's name that leads there, "" where the URL has the
// address itself. A name may lead elsewhere one day, an address can't.
func (t *trust) mayReach(a netip.Addr, name string) error {
	what := reserved(a)
	if what == "" {
		return nil
	}
	plain := a.Unmap().WithZone("")
	if slices.ContainsFunc(t.networks, func(n netip.Prefix) bool { return n.Contains(plain) }) {
		return nil
	}
	if name == "" {
		return media.NewFault(media.KindAddress, "%s is %s: %s", plain, what, allowing(plain.String()))
	}
	kind := kindRefused
	if alwaysHere(name) {
		kind = media.KindAddress
	}
	return media.NewFault(kind, "%s leads to %s, which is %s: %s", name, plain, what, allowing(name))
}

// where says what to edit to allow a camera more. It does not name the file's path:
// others than the operator read status and readiness.
const where = "the configuration file of the ingest workers"

// allowing says how an operator allows what a camera asks for.
func allowing(entry string) string {
	return "to allow it, add this camera to cameras in " + where + ", or add " + entry + " to ingest.allow there and restart them"
}

// alwaysHere is whether a host's name can mean no other machine (RFC 6761).
func alwaysHere(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// metadata are addresses at which clouds give a machine its own secrets, beside
// those on its link.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),   // AWS
	netip.MustParseAddr("100.100.100.200"), // Alibaba
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle
}

// reserved says in words what is special about an address that no camera of the
// network can have; "" where nothing is.
func reserved(a netip.Addr) string {
	a = embedded(a.Unmap().WithZone(""))
	switch {
	case a.IsLoopback():
		return "this machine itself"
	case a.IsUnspecified() || a.Is4() && a.As4()[0] == 0:
		return "no address of a host"
	case a.IsLinkLocalUnicast():
		return "an address of this machine's own link"
	case slices.Contains(metadata, a):
		return "a cloud's own service"
	}
	return ""
}

// embedded is the IPv4 address that a translating gateway (NAT64, 6to4) would make
// of an IPv6 one; any other address is returned as it is.
func embedded(a netip.Addr) netip.Addr {
	b := a.As16()
	switch {
	case !a.Is6():
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a), netip.MustParsePrefix("::/96").Contains(a) && !a.IsLoopback() && !a.IsUnspecified():
		return netip.AddrFrom4([4]byte(b[12:]))
	case netip.MustParsePrefix("2002::/16").Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return a
}

// MayReach is an error where a camera that is not the operator's own may not be at an
// address.
func (o Trust) MayReach(a netip.Addr) error {
	t, err := o.read()
	if err != nil {
		return err
	}
	return t.mayReach(a, "")
}

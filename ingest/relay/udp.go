package relay

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"sync"
	"syscall"

	"github.com/frostwatch/frostwatch/media"
)

// pair relays one track of RTP over UDP, and its RTCP on the next port. Datagrams are
// passed on one by one: what is lost or comes out of order is libav's to see.
type pair struct {
	outer  [2]*net.UDPConn // to the camera
	libav  [2]int          // its ports
	inner  [2]*net.UDPConn // to libav; nil until the camera has answered
	camera [2]netip.AddrPort
	from   []netip.Addr // that the camera's datagrams may come from
	pumps  sync.WaitGroup
}

var (
	clientPorts = regexp.MustCompile(`(?i)client_port=(\d{1,5})(?:-(\d{1,5}))?`)
	serverPorts = regexp.MustCompile(`(?i)server_port=(\d{1,5})(?:-(\d{1,5}))?`)
	sourceAddr  = regexp.MustCompile(`(?i)source=([0-9A-Fa-f.:]+)`)
)

// offerPorts puts ports of ours in the place of libav's in its request for UDP.
func (s *session) offerPorts(q *request) error {
	transport := q.get("Transport")
	libav, ok := portsIn(clientPorts, transport)
	if q.method != "SETUP" || !ok {
		return nil
	}
	p, err := newPair(s.camera.LocalAddr())
	if err != nil {
		s.relay.blame(media.NewFault(media.KindOther, "open ports for the camera's UDP: %s", err))
		return err
	}
	p.libav, q.ports = libav, p
	s.mu.Lock()
	s.pairs = append(s.pairs, p)
	many := len(s.pairs)
	s.mu.Unlock()
	if many > maxPairs {
		return errStop
	}
	q.set("Transport", clientPorts.ReplaceAllString(transport, portText("client_port", p.outer)))
	return nil
}

// maxPairs bounds the tracks of a camera. libav asks for those of video.
const maxPairs = 8

// connectPorts begins to relay between the ports that a camera gives in its answer
// and libav's, and tells libav of ours in place of the camera's.
func (s *session) connectPorts(q *request, m *message) error {
	p := q.ports
	transport := m.get("Transport")
	peer, err := netip.ParseAddrPort(s.camera.RemoteAddr().String())
	if err != nil {
		return err
	}
	p.from = []netip.Addr{peer.Addr().Unmap()}
	if f := sourceAddr.FindStringSubmatch(transport); f != nil {
		if a, err := netip.ParseAddr(f[1]); err == nil {
			p.from = append(p.from, a.Unmap())
		}
	}
	// Nothing is sent to any host but the one that was connected to.
	if ports, ok := portsIn(serverPorts, transport); ok {
		for i, port := range ports {
			p.camera[i] = netip.AddrPortFrom(peer.Addr(), uint16(port)) //nolint:gosec // portsIn has checked it
		}
	}
	if err := p.join(); err != nil {
		return err
	}
	m.set("Transport", fmt.Sprintf("RTP/AVP/UDP;unicast;client_port=%d-%d;%s", p.libav[0], p.libav[1], portText("server_port", p.inner)))
	return nil
}

// portsIn finds the two ports that a Transport header names; the second defaults to
// the next one.
func portsIn(name *regexp.Regexp, transport string) (ports [2]int, ok bool) {
	f := name.FindStringSubmatch(transport)
	if f == nil {
		return ports, false
	}
	ports[0], _ = strconv.Atoi(f[1]) // digits
	ports[1] = ports[0] + 1
	if f[2] != "" {
		ports[1], _ = strconv.Atoi(f[2])
	}
	for _, p := range ports {
		if p < 1 || p > 65535 {
			return ports, false
		}
	}
	return ports, true
}

func portText(name string, of [2]*net.UDPConn) string {
	return fmt.Sprintf("%s=%d-%d", name, portOf(of[0]), portOf(of[1]))
}

func portOf(c *net.UDPConn) int { return c.LocalAddr().(*net.UDPAddr).Port }

// newPair opens two ports that follow one another, the first even (RFC 3550, 11), on
// the address that the camera knows.
func newPair(local net.Addr) (*pair, error) {
	at, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return nil, err
	}
	for range 100 {
		first, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at.Addr(), 0)))
		if err != nil {
			return nil, err
		}
		if port := portOf(first); port%2 == 0 {
			second, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at.Addr(), uint16(port+1)))) //nolint:gosec // even, and so below 65535
			if err == nil {
				// With the kernel's default size, packets of a keyframe are lost.
				_ = first.SetReadBuffer(2 << 20)
				return &pair{outer: [2]*net.UDPConn{first, second}}, nil
			}
		}
		_ = first.Close()
	}
	return nil, fmt.Errorf("no two ports in a row are free")
}

// join connects to libav's ports and begins to relay.
func (p *pair) join() error {
	for i := range p.inner {
		if p.inner[i] != nil {
			return nil // answered before
		}
		here := net.IPv4(127, 0, 0, 1)
		c, err := net.DialUDP("udp4", &net.UDPAddr{IP: here}, &net.UDPAddr{IP: here, Port: p.libav[i]})
		if err != nil {
			return err
		}
		p.inner[i] = c
		_ = c.SetWriteBuffer(2 << 20)
	}
	for i := range p.inner {
		p.pumps.Go(func() { p.inwards(i) })
		p.pumps.Go(func() { p.outwards(i) })
	}
	return nil
}

const maxDatagram = 64 << 10

// inwards hands libav what the camera sends.
func (p *pair) inwards(i int) {
	b := make([]byte, maxDatagram)
	for {
		n, from, err := p.outer[i].ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if p.knows(from.Addr().Unmap()) {
			_, _ = p.inner[i].Write(b[:n]) // libav may have no port open yet, or any more
		}
	}
}

func (p *pair) knows(a netip.Addr) bool {
	for _, f := range p.from {
		if a.WithZone("") == f.WithZone("") {
			return true
		}
	}
	return false
}

// outwards sends the camera what libav reports, and what is to open the way through
// firewalls.
func (p *pair) outwards(i int) {
	b := make([]byte, 4<<10)
	for {
		n, err := p.inner[i].Read(b)
		switch {
		case err == nil && p.camera[i].IsValid():
			_, _ = p.outer[i].WriteToUDPAddrPort(b[:n], p.camera[i])
		case err != nil && !isRefused(err):
			return
		}
	}
}

func (s *session) closePairs() {
	s.mu.Lock()
	pairs := s.pairs
	s.mu.Unlock()
	for _, p := range pairs {
		for _, c := range []*net.UDPConn{p.outer[0], p.outer[1], p.inner[0], p.inner[1]} {
			if c != nil {
				_ = c.Close()
			}
		}
		p.pumps.Wait()
	}
}

// isRefused is the error of a port of libav's that is closed at the moment, which a
// later read outlives.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// Package onvif finds cameras on the local network (WS-Discovery), and asks them for their
// streams (the services Device, Media and Media2 of ONVIF). Whatever answers is a stranger:
// answers are bounded, and nothing is asked of another address than the one that answered.
package onvif

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/frostwatch/frostwatch/ingest"
)

// Options say where devices are looked for. For and Trust are required.
type Options struct {
	// At is asked alone, instead of all devices of the network; zero: these are asked.
	At netip.AddrPort
	// Interface is that of the network; empty: the system's choice.
	Interface string
	For       time.Duration // in which answers count
	// Trust says which addresses may be asked for anything.
	Trust ingest.Trust
}

const (
	// Port is that of WS-Discovery.
	Port = 3702
	// DevicesMost bounds the devices that are told apart, and answersMost the answers that
	// are read at all.
	DevicesMost = 256
	answersMost = 5000
	answerBytes = 64 << 10
	// sends is how often the question is sent, since packets are lost.
	sends     = 3
	sendEvery = 300 * time.Millisecond
)

// group is where devices listen for questions.
var group = netip.AddrPortFrom(netip.AddrFrom4([4]byte{239, 255, 255, 250}), Port)

// Discover asks who is there, and collects the devices that answer within Options.For, by
// address.
func Discover(ctx context.Context, o Options) ([]Device, error) {
	conn, err := o.listen(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for devices: %w", err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, o.For)
	defer cancel()
	end := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer end()
	to := group
	if o.At.IsValid() {
		to = o.At
	}
	id := newID()
	asked := make(chan error, 1)
	go func() { asked <- ask(ctx, conn, to, id) }()
	found := o.collect(conn, id)
	cancel()
	if err := <-asked; err != nil {
		return nil, fmt.Errorf("look for devices: %w", err)
	}
	return found, nil
}

// listen opens a socket on the network's interface.
func (o Options) listen(ctx context.Context) (*net.UDPConn, error) {
	var config net.ListenConfig
	address := "0.0.0.0:0"
	if o.At.IsValid() && o.At.Addr().Is6() {
		address = "[::]:0"
	}
	if o.Interface != "" {
		own, err := addressOf(o.Interface)
		if err != nil {
			return nil, err
		}
		address = net.JoinHostPort(own.String(), "0")
		config.Control = func(_, _ string, c syscall.RawConn) (err error) {
			failed := c.Control(func(fd uintptr) {
				err = syscall.SetsockoptInet4Addr(int(fd), syscall.IPPROTO_IP, syscall.IP_MULTICAST_IF, own.As4())
			})
			return errors.Join(failed, err)
		}
	}
	conn, err := config.ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

// addressOf is the IPv4 address of an interface.
func addressOf(name string) (netip.Addr, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("there is no network interface %.40q", name)
	}
	all, err := i.Addrs()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			return p.Addr(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("the network interface %s has no IPv4 address", name)
}

// ask sends the question a few times.
func ask(ctx context.Context, conn *net.UDPConn, to netip.AddrPort, id string) error {
	question := probeMessage(id)
	for i := range sends {
		if _, err := conn.WriteToUDPAddrPort(question, to); err != nil {
			if i > 0 {
				return nil //nolint:nilerr // it was sent before
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sendEvery):
		}
	}
	return nil
}

// collect reads answers to a question until the deadline.
func (o Options) collect(conn *net.UDPConn, id string) (found []Device) {
	buffer := make([]byte, answerBytes)
	for range answersMost {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			break
		}
		address := from.Addr().Unmap()
		if o.At.IsValid() && address != o.At.Addr().Unmap() {
			continue
		}
		for _, d := range readAnswer(buffer[:n], id, address, o.Trust) {
			if len(found) < DevicesMost && !slices.ContainsFunc(found, d.same) {
				found = append(found, d)
			}
		}
	}
	slices.SortFunc(found, func(a, b Device) int { return a.Address.Compare(b.Address) })
	return found
}

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return "urn:uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// probeMessage asks for transmitters of video over a network.
func probeMessage(id string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` +
		`<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" ` +
		`xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>` +
		`<w:MessageID>` + id + `</w:MessageID><w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>` +
		`<w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>` +
		`<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>`)
}

package onvif

import (
	"encoding/xml"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/topics"
)

// Device is what has answered. All of its texts are its own, cleaned and bounded.
type Device struct {
	Address  netip.Addr `json:"address"` // from which it answered
	ID       string     `json:"id,omitempty"`
	Name     string     `json:"name,omitempty"`
	Hardware string     `json:"hardware,omitempty"`
	Scopes   []string   `json:"scopes,omitempty"` // as it says them, without ONVIF's prefix
	// Services are the URLs of its device service, all at Address.
	Services []string `json:"services,omitempty"`
	// Refused is what it names that is not asked, and why.
	Refused []string `json:"refused,omitempty"`
	// Maker and Model are what it says when it is asked with a password.
	Maker   string   `json:"manufacturer,omitempty"`
	Model   string   `json:"model,omitempty"`
	Streams []Stream `json:"streams,omitempty"`
	// Failed is why its streams are not known, if it was asked for them.
	Failed string `json:"failed,omitempty"`
}

const (
	textMost     = 120 // characters of a text
	scopesMost   = 24
	servicesMost = 8
)

func (d Device) same(o Device) bool {
	return d.Address == o.Address && (d.ID == o.ID || slices.Equal(d.Services, o.Services))
}

// matches is an answer to a probe, by the local names of its elements.
type matches struct {
	RelatesTo string `xml:"Header>RelatesTo"`
	Found     []struct {
		ID     string `xml:"EndpointReference>Address"`
		Scopes string `xml:"Scopes"`
		XAddrs string `xml:"XAddrs"`
	} `xml:"Body>ProbeMatches>ProbeMatch"`
}

// readAnswer are the devices of an answer to the question of an id. What is no such answer
// has none.
func readAnswer(data []byte, id string, from netip.Addr, trust ingest.Trust) (found []Device) {
	var m matches
	if xml.Unmarshal(data, &m) != nil || strings.TrimSpace(m.RelatesTo) != id {
		return nil
	}
	for _, f := range m.Found[:min(len(m.Found), servicesMost)] {
		d := Device{Address: from, ID: clean(f.ID)}
		d.describe(strings.Fields(f.Scopes))
		for _, raw := range firstOf(strings.Fields(f.XAddrs), servicesMost) {
			service, err := at(raw, from)
			if err == nil {
				err = trust.MayReach(from)
			}
			if err != nil {
				d.Refused = append(d.Refused, err.Error())
				continue
			}
			d.Services = append(d.Services, service.String())
		}
		found = append(found, d)
	}
	return found
}

// describe reads what scopes say of a device.
func (d *Device) describe(scopes []string) {
	for _, raw := range firstOf(scopes, scopesMost) {
		rest, known := strings.CutPrefix(raw, "onvif://www.onvif.org/")
		if !known {
			continue
		}
		if plain, err := url.PathUnescape(rest); err == nil {
			rest = plain
		}
		kind, value, _ := strings.Cut(rest, "/")
		switch value = clean(value); kind {
		case "name":
			d.Name = value
		case "hardware":
			d.Hardware = value
		default:
			d.Scopes = append(d.Scopes, clean(rest))
		}
	}
}

// at is a URL that a device names, if it leads to the address that answered. Names are not
// looked up: they may lead anywhere.
func at(raw string, from netip.Addr) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("a service at something that is no URL of http")
	}
	host, err := netip.ParseAddr(u.Hostname())
	if err != nil || host.Unmap() != from {
		return nil, fmt.Errorf("a service at %s, which is not the address that answered (%s)", clean(u.Host), from)
	}
	u.User, u.Fragment = nil, ""
	return u, nil
}

func firstOf(all []string, most int) []string { return all[:min(len(all), most)] }

// clean makes a text of a device's fit to be shown.
func clean(text string) string {
	text = strings.TrimSpace(topics.Clean(text))
	if r := []rune(text); len(r) > textMost {
		text = string(r[:textMost]) + "…"
	}
	return text
}

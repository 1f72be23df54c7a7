package onvif

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Stream is a video that a device offers.
type Stream struct {
	Profile string  `json:"profile"` // the device's name for it
	Codec   string  `json:"codec,omitempty"`
	Width   int     `json:"width,omitempty"`
	Height  int     `json:"height,omitempty"`
	FPS     float64 `json:"fps,omitempty"`     // at most, as it says
	KBits   int     `json:"kbit_s,omitempty"`  // the same
	Group   int     `json:"gop,omitempty"`     // frames from one keyframe to the next
	URL     string  `json:"url"`               // without user name and password
	Refused string  `json:"refused,omitempty"` // why there is none
}

// streamsMost bounds the streams of a device that are asked for.
const streamsMost = 8

// Describe asks a device for its make and its streams, as a user of it. It waits for half a
// minute at most.
func (d *Device) Describe(ctx context.Context, user, password string) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if len(d.Services) == 0 {
		d.Failed = "it names no service that may be asked"
		return
	}
	p := newPeer(d.Address, user, password)
	if err := d.describeBy(ctx, p, d.Services[0]); err != nil {
		d.Failed = err.Error()
	}
}

func (d *Device) describeBy(ctx context.Context, p *peer, service string) error {
	p.ahead = p.clock(ctx, service)
	var about struct {
		Maker string `xml:"Manufacturer"`
		Model string
	}
	if err := p.call(ctx, service, `<GetDeviceInformation xmlns="http://www.onvif.org/ver10/device/wsdl"/>`, true, &about); err != nil {
		return err
	}
	d.Maker, d.Model = clean(about.Maker), clean(about.Model)
	services, err := p.services(ctx, service)
	if err != nil {
		return err
	}
	failed := errors.New("it has no service for video")
	for _, s := range services {
		if d.Streams, failed = p.streams(ctx, s); failed == nil {
			return nil
		}
	}
	return failed
}

// clock is by how much a device's clock is ahead of ours; 0 where it doesn't say. Digests
// carry the time, and many cameras' clocks are wrong.
func (p *peer) clock(ctx context.Context, service string) time.Duration {
	var t struct {
		Date struct{ Year, Month, Day int }     `xml:"SystemDateAndTime>UTCDateTime>Date"`
		Time struct{ Hour, Minute, Second int } `xml:"SystemDateAndTime>UTCDateTime>Time"`
	}
	err := p.call(ctx, service, `<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/>`, false, &t)
	if err != nil || t.Date.Year < 1970 || t.Date.Year > 9999 {
		return 0
	}
	return time.Until(time.Date(t.Date.Year, time.Month(t.Date.Month), t.Date.Day, t.Time.Hour, t.Time.Minute, t.Time.Second, 0, time.UTC))
}

// The services that give streams, the better one first.
const (
	media2 = "http://www.onvif.org/ver20/media/wsdl"
	media1 = "http://www.onvif.org/ver10/media/wsdl"
)

type mediaService struct{ namespace, url string }

// services are those of a device that give streams.
func (p *peer) services(ctx context.Context, service string) (found []mediaService, err error) {
	var all struct {
		Service []struct{ Namespace, XAddr string }
	}
	if err := p.call(ctx, service, `<GetServices xmlns="http://www.onvif.org/ver10/device/wsdl"><IncludeCapability>false</IncludeCapability></GetServices>`, true, &all); err != nil {
		return p.oldServices(ctx, service)
	}
	for _, namespace := range []string{media2, media1} {
		for _, s := range all.Service {
			if s.Namespace == namespace && len(found) < 2*servicesMost {
				found = append(found, mediaService{namespace, strings.TrimSpace(s.XAddr)})
			}
		}
	}
	return found, nil
}

// oldServices is for devices that don't know GetServices.
func (p *peer) oldServices(ctx context.Context, service string) ([]mediaService, error) {
	var c struct {
		Media string `xml:"Capabilities>Media>XAddr"`
	}
	if err := p.call(ctx, service, `<GetCapabilities xmlns="http://www.onvif.org/ver10/device/wsdl"><Category>Media</Category></GetCapabilities>`, true, &c); err != nil {
		return nil, err
	}
	return []mediaService{{media1, strings.TrimSpace(c.Media)}}, nil
}

// encoder is how a video is coded; of both versions of the service.
type encoder struct {
	Encoding string
	W        int     `xml:"Resolution>Width"`
	H        int     `xml:"Resolution>Height"`
	FPS      float64 `xml:"RateControl>FrameRateLimit"`
	KBits    int     `xml:"RateControl>BitrateLimit"`
	Group2   int     `xml:"GovLength,attr"`
	Group1   int     `xml:"H264>GovLength"`
}

// streams asks for the profiles and then for the URL of each.
func (p *peer) streams(ctx context.Context, s mediaService) ([]Stream, error) {
	var all struct {
		Profiles []struct {
			Token string   `xml:"token,attr"`
			Name  string   `xml:"Name"`
			One   *encoder `xml:"VideoEncoderConfiguration"`
			Two   *encoder `xml:"Configurations>VideoEncoder"`
		}
	}
	ask := `<GetProfiles xmlns="` + s.namespace + `"/>`
	if s.namespace == media2 {
		ask = `<GetProfiles xmlns="` + s.namespace + `"><Type>VideoEncoder</Type></GetProfiles>`
	}
	if err := p.call(ctx, s.url, ask, true, &all); err != nil {
		return nil, err
	}
	var out []Stream
	for _, f := range all.Profiles {
		e := cmp.Or(f.Two, f.One)
		if e == nil || len(out) == streamsMost || len(f.Token) > textMost {
			continue
		}
		one := Stream{Profile: clean(cmp.Or(f.Name, f.Token)), Codec: clean(e.Encoding), Width: e.W, Height: e.H, FPS: e.FPS, KBits: e.KBits, Group: cmp.Or(e.Group2, e.Group1)}
		var err error
		if one.URL, err = p.streamURL(ctx, s, f.Token); err != nil {
			one.Refused = err.Error()
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		return nil, errors.New("it has no profile with video")
	}
	slices.SortStableFunc(out, func(a, b Stream) int { return b.Width*b.Height - a.Width*a.Height })
	return out, nil
}

func (p *peer) streamURL(ctx context.Context, s mediaService, token string) (string, error) {
	ask := `<GetStreamUri xmlns="` + media1 + `"><StreamSetup><Stream xmlns="http://www.onvif.org/ver10/schema">RTP-Unicast</Stream>` +
		`<Transport xmlns="http://www.onvif.org/ver10/schema"><Protocol>RTSP</Protocol></Transport></StreamSetup><ProfileToken>` + escaped(token) + `</ProfileToken></GetStreamUri>`
	if s.namespace == media2 {
		ask = `<GetStreamUri xmlns="` + media2 + `"><Protocol>RTSP</Protocol><ProfileToken>` + escaped(token) + `</ProfileToken></GetStreamUri>`
	}
	var a struct {
		One string `xml:"MediaUri>Uri"`
		Two string `xml:"Uri"`
	}
	if err := p.call(ctx, s.url, ask, true, &a); err != nil {
		return "", err
	}
	return streamAt(cmp.Or(strings.TrimSpace(a.One), strings.TrimSpace(a.Two)), p.address)
}

// streamAt is the URL of a stream, if it is at the address that answered: people paste it,
// with a password. Nothing of it is left that a shell or a configuration would replace.
func streamAt(raw string, from netip.Addr) (string, error) {
	const longest = 1000
	u, err := url.Parse(raw)
	if err != nil || len(raw) > longest || u.Scheme != "rtsp" && u.Scheme != "rtsps" {
		return "", errors.New("its stream is at something that is no URL of rtsp")
	}
	if host, err := netip.ParseAddr(u.Hostname()); err != nil || host.Unmap() != from {
		return "", fmt.Errorf("its stream is at %s, which is not the address that answered (%s)", clean(u.Host), from)
	}
	u.User, u.Fragment = nil, ""
	plain := &strings.Builder{}
	for _, c := range []byte(u.String()) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("'\"`$\\;|<>!(){}*^~", c) >= 0 {
			fmt.Fprintf(plain, "%%%02X", c)
			continue
		}
		plain.WriteByte(c)
	}
	return plain.String(), nil
}

// Main and Sub are the streams for films and for looking at: the largest that can be read,
// and a smaller one of some 640x360; nil: there is none.
func (d Device) Main() *Stream {
	for i, s := range d.Streams {
		if s.readable() {
			return &d.Streams[i]
		}
	}
	return nil
}

// Sub is as for Main.
func (d Device) Sub() (best *Stream) {
	main := d.Main()
	if main == nil {
		return nil
	}
	for i, s := range d.Streams {
		smaller := s.Width*s.Height < main.Width*main.Height && min(s.Width, s.Height) >= subLeast
		if s.readable() && smaller && s.URL != main.URL && (best == nil || off(s) < off(*best)) {
			best = &d.Streams[i]
		}
	}
	return best
}

const (
	// subLeast is the short side, in pixels, below which a stream is too small to be looked at.
	subLeast = 224
	subLines = 360
)

// off is how far a stream is from the size that is wished.
func off(s Stream) int { return max(s.Height-subLines, subLines-s.Height) }

func (s Stream) readable() bool {
	switch strings.ToUpper(strings.NewReplacer(".", "", "-", "").Replace(s.Codec)) {
	case "H264", "H265", "HEVC":
		return s.URL != ""
	}
	return false
}

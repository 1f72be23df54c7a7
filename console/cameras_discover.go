package console

import (
	"context"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/ingest/onvif"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// discoverFor is how long answers are waited for, discoverTime how long all may take.
	discoverFor  = 3 * time.Second
	discoverTime = 60 * time.Second
)

type discoverInput struct {
	Body struct {
		At        string       `json:"at,omitempty" maxLength:"64" doc:"an address that is asked alone, with its port if it is not 3702"`
		Interface string       `json:"interface,omitempty" maxLength:"32" doc:"network interface on which is asked; empty: the system's choice"`
		Login     *CameraLogin `json:"login,omitempty" doc:"to ask devices for their streams: they are sent the user name and a digest of the password"`
	}
}

// Found is a device that has answered. Its texts are its own, cleaned.
type Found struct {
	Address string         `json:"address"`
	Name    string         `json:"name" doc:"for its camera; no other camera has it"`
	Says    string         `json:"says,omitempty" doc:"its own name and make"`
	URL     string         `json:"url,omitempty" doc:"its largest stream"`
	Watch   string         `json:"watch,omitempty" doc:"a smaller one to look at"`
	Streams []onvif.Stream `json:"streams,omitempty"`
	Reason  string         `json:"reason,omitempty" doc:"why its streams are not known"`
	Refused []string       `json:"refused,omitempty" doc:"what it names that is not asked, and why"`
}

type discoverOutput struct {
	Body struct {
		Devices []Found `json:"devices"`
	}
}

// discoverCameras asks the network as `camera discover` does.
func (c *Console) discoverCameras(ctx context.Context, in *discoverInput) (*discoverOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	done, err := c.finders.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	o := onvif.Options{Interface: in.Body.Interface, For: discoverFor, Trust: c.editor().Trust}
	o.Trust.Own = nil
	if in.Body.At != "" {
		if o.At, err = addressAt(in.Body.At); err == nil {
			err = o.Trust.MayReach(o.At.Addr())
		}
		if err != nil {
			return nil, refusal(err)
		}
	}
	c.audit(ctx, "discover cameras", "at", topics.Clean(in.Body.At), "interface", topics.Clean(in.Body.Interface), "login", in.Body.Login != nil)
	devices, err := onvif.Discover(ctx, o)
	if err != nil {
		return nil, refusal(err)
	}
	if l := in.Body.Login; l != nil && l.User != "" {
		onvif.DescribeAll(ctx, devices, l.User, l.Password)
	}
	out := &discoverOutput{}
	out.Body.Devices = c.found(devices)
	return out, nil
}

// addressAt reads an address, with or without a port.
func addressAt(text string) (netip.AddrPort, error) {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at, nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.AddrPort{}, huma.Error422UnprocessableEntity("want an address, such as 10.0.0.7")
	}
	return netip.AddrPortFrom(address, onvif.Port), nil
}

func (c *Console) found(devices []onvif.Device) []Found {
	all, _ := c.cameras.List() // an older list does
	taken := map[string]bool{}
	for _, e := range all {
		taken[e.Name] = true
	}
	out := []Found{}
	for _, d := range devices {
		f := Found{
			Address: d.Address.String(), Name: d.CameraName(taken), Says: topics.Clean(d.Says()), Streams: d.Streams,
			Reason: topics.Clean(d.Failed), Refused: cleaned(d.Refused),
		}
		if main := d.Main(); main != nil {
			f.URL = main.URL
		}
		if sub := d.Sub(); sub != nil {
			f.Watch = sub.URL
		}
		out = append(out, f)
	}
	return out
}

package commands

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/frostwatch/frostwatch/topics"
)

// cameraFlags are the properties of a camera beside its name and URL.
type cameraFlags struct {
	tags      []string
	watch     string
	transport string
	stride    topics.Stride
	window    time.Duration
	words     string // vocabulary
	views     []string
	masks     []string
	zones     []string
	decode    string
	record    string
	pre, post string
	disable   bool

	poll        time.Duration
	verify      yesNo
	fingerprint string
}

func (f *cameraFlags) add(cmd *cobra.Command) {
	f.addConnection(cmd)
	cmd.Flags().StringVar(&f.watch, "watch", "", "URL of a smaller stream of the same camera, which is looked at; its own URL is then read for films of its alerts alone, and not decoded; '' is none")
	cmd.Flags().StringSliceVar(&f.tags, "tag", nil, "tag that its clips, recognitions and alerts carry, and by which rules may choose cameras (camera_tags); repeatable")
	cmd.Flags().TextVar(&f.stride, "stride", topics.Stride{}, "time between the starts of two clips: such as 2s, or '4 steps' (default: framer.stride of the configuration)")
	cmd.Flags().Lookup("stride").DefValue = "" // help would name the zero value
	vocabularyFlag(cmd.Flags(), &f.words, "vocabulary that its clips are scored against (default: that of vocab.sets of the configuration, or else vocab.name)")
	cmd.Flags().StringSliceVar(&f.views, "views", nil, "squares of its picture that are recognised: centre, tiles, squash, zoom (default: framer.views of the configuration)")
	cmd.Flags().StringArrayVar(&f.masks, "mask", nil, "area of its picture that is painted out before it leaves ingest: corners in fractions of the picture, such as '0,0 0.4,0 0.4,0.3', or two of a rectangle; repeatable, '' is none")
	cmd.Flags().StringArrayVar(&f.zones, "zone", nil, "named part of its picture, for rules about what is seen in it: such as 'door=0.1,0.2 0.4,0.2 0.4,0.9', or two corners of a rectangle; repeatable, the others stay; 'door=' removes one, '' all")
	cmd.Flags().StringVar(&f.decode, "decode", "", "always, or demand: only keyframes while nothing happens (default: ingest.decode of the configuration)")
	cmd.Flags().StringVar(&f.record, "record", "", "events: its packets are kept for films of its alerts; or none (default: ingest.record of the configuration)")
	cmd.Flags().StringVar(&f.pre, "pre", "", "how much films show before the onset of an alert, such as 10s (default: ingest.pre of the configuration)")
	cmd.Flags().StringVar(&f.post, "post", "", "how much films show after the end of an alert, such as 5s (default: ingest.post of the configuration)")
	cmd.Flags().BoolVar(&f.disable, "disable", false, "leave it on the table, and its stream alone; --disable=false has it watched again")
	cmd.Flags().Var(length{&f.window, "4.267s"}, "window", "length of a clip (default: framer.window of the configuration)")
}

// addConnection adds those that say how to connect.
func (f *cameraFlags) addConnection(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.transport, "transport", "", "tcp or udp, for RTSP")
	cmd.Flags().Var(length{&f.poll, "2s"}, "poll", "time between two looks at a URL that answers with a single picture; 0s: it is a video")
	cmd.Flags().Var(&f.verify, "tls-verify", "false takes any certificate of a camera of rtsps or https; '' is the configuration's ingest.tls_verify")
	cmd.Flags().StringVar(&f.fingerprint, "tls-fingerprint", "", "sha256:... of the one certificate that the camera must show, whoever has signed it")
}

// apply copies the flags that were given to a camera.
func (f *cameraFlags) apply(cmd *cobra.Command, c *topics.Camera) error {
	given := cmd.Flags().Changed
	if given("tag") {
		c.Tags = slices.DeleteFunc(slices.Clone(f.tags), func(tag string) bool { return tag == "" })
	}
	if given("watch") {
		c.Watch = f.watch
	}
	if given("transport") {
		c.Transport = f.transport
	}
	if given("stride") {
		c.Stride = f.stride
	}
	if given("window") {
		c.Window = topics.Duration(f.window)
	}
	if given("decode") {
		c.Decode = topics.Decode(f.decode)
	}
	if given("disable") {
		c.Disabled = f.disable
	}
	if given("poll") {
		c.Poll = topics.Duration(f.poll)
	}
	if given("tls-verify") {
		c.TLSVerify = f.verify.value
	}
	if given("tls-fingerprint") {
		c.TLSFingerprint = f.fingerprint
	}
	if given("views") {
		c.Views = nil
		for _, v := range f.views {
			if v != "" {
				c.Views = append(c.Views, topics.View(v))
			}
		}
	}
	if given("vocab") || given("vocabulary") {
		c.Vocabulary = f.words
	}
	if given("record") {
		c.Record = topics.Record(f.record)
	}
	var errs [4]error
	if given("pre") {
		c.Pre, errs[0] = around("pre", f.pre)
	}
	if given("post") {
		c.Post, errs[1] = around("post", f.post)
	}
	if given("mask") {
		errs[2] = f.applyMasks(c)
	}
	if given("zone") {
		errs[3] = f.applyZones(c)
	}
	return cmp.Or(errs[:]...)
}

// around reads how much films show before or after an alert; empty: the default.
func around(flag, text string) (*topics.Duration, error) {
	if text == "" {
		return nil, nil
	}
	var d topics.Duration
	if err := d.UnmarshalText([]byte(text)); err != nil {
		return nil, fmt.Errorf("--%s %q: want a number with a unit such as 10s", flag, text)
	}
	return &d, nil
}

func (f *cameraFlags) applyMasks(c *topics.Camera) error {
	c.Masks = nil
	for _, text := range f.masks {
		var m topics.Polygon
		if text == "" {
			continue
		}
		if err := m.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("--mask: %w", err)
		}
		c.Masks = append(c.Masks, m)
	}
	return nil
}

// applyZones adds zones to a camera's, draws those of the same name anew, and removes those
// that are given without corners.
func (f *cameraFlags) applyZones(c *topics.Camera) error {
	zones := maps.Clone(c.Zones)
	for _, text := range f.zones {
		if text == "" {
			clear(zones)
			continue
		}
		name, corners, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("--zone %.80q: want NAME=CORNERS, such as 'door=0.1,0.2 0.4,0.2 0.4,0.9', or NAME= to remove it", text)
		}
		if strings.TrimSpace(corners) == "" {
			if _, has := zones[name]; !has {
				return fmt.Errorf("--zone %.80q: camera %s has no such zone", text, c.Name)
			}
			delete(zones, name)
			continue
		}
		var area topics.Polygon
		if err := area.UnmarshalText([]byte(corners)); err != nil {
			return fmt.Errorf("--zone: %w", err)
		}
		if zones == nil {
			zones = map[string]topics.Polygon{}
		}
		zones[name] = area
	}
	c.Zones = zones
	return nil
}

// beyondTags is whether `camera set` was given a flag of its own other than --tag.
func beyondTags(cmd *cobra.Command) (beyond bool) {
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { beyond = beyond || f.Changed && f.Name != "tag" })
	return beyond
}

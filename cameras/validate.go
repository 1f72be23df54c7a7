package cameras

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// Limits are what the configuration allows to cameras, and their defaults.
type Limits struct {
	Protocols []string      // URL schemes that a camera may use
	Window    time.Duration // of a clip, where the camera doesn't say
	Stride    topics.Stride // between clips, where the camera doesn't say
}

// Validate returns an error for the first thing that a worker could not use. It
// never repeats the URL, which may hold a password.
func (l Limits) Validate(c topics.Camera) error {
	if err := c.Validate(); err != nil {
		return err
	}
	window, stride := cmp.Or(time.Duration(c.Window), l.Window), cmp.Or(c.Stride, l.Stride)
	if err := topics.CheckTimes(window, stride); err != nil {
		return fmt.Errorf("camera %s: %w", c.Name, err)
	}
	if err := l.checkURL(c.URL); err != nil {
		return fmt.Errorf("camera %s: url: %w", c.Name, err)
	}
	if err := l.checkWatch(c); err != nil {
		return fmt.Errorf("camera %s: %w", c.Name, err)
	}
	switch scheme := schemeOf(c.Looked()); {
	case asksForCertificate(c) && (scheme == "" || scheme == "file"):
		return fmt.Errorf("camera %s: tls_verify and tls_fingerprint are for rtsps and https: its URL is a file", c.Name)
	case c.Poll != 0 && scheme != "http" && scheme != "https" && !strings.HasPrefix(scheme, "$"):
		return fmt.Errorf("camera %s: poll is for URLs of http and https that answer with a single picture", c.Name)
	}
	return nil
}

// checkWatch checks the URL of a substream.
func (l Limits) checkWatch(c topics.Camera) error {
	if c.Watch == "" {
		return nil
	}
	if err := l.checkURL(c.Watch); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	for _, raw := range []string{c.URL, c.Watch} {
		if scheme := schemeOf(raw); scheme == "" || scheme == "file" {
			return errors.New("watch: it is for cameras with two streams, and one of the two is a file")
		}
	}
	return nil
}

// schemeOf is a URL's scheme in lower case, empty for a plain path; a reference where
// only its worker knows it.
func schemeOf(raw string) string {
	raw = strings.TrimSpace(raw)
	scheme, _, has := strings.Cut(raw, ":")
	if !has && !strings.HasPrefix(raw, "$") {
		return ""
	}
	return strings.ToLower(scheme)
}

func asksForCertificate(c topics.Camera) bool { return c.TLSVerify != nil || c.TLSFingerprint != "" }

// bracesForgotten is a URL whose password is $NAME, where ${NAME} was meant.
var bracesForgotten = regexp.MustCompile(`^[A-Za-z]+://[^/?#@]*:\$[A-Za-z_][A-Za-z0-9_]*@`)

// checkURL checks what can be known of a URL before ${NAME} is replaced in it.
func (l Limits) checkURL(raw string) error {
	raw = Spelled(raw)
	scheme, _, has := strings.Cut(raw, "://")
	switch {
	case strings.Contains(raw, "${}"):
		return errors.New("${} names no variable: want ${NAME}, or $$ for a dollar")
	case has && reference.MatchString(scheme) || !has && strings.HasPrefix(raw, "${"):
		return nil // only its worker knows the values
	case !has && filepath.IsAbs(raw):
		scheme = "file"
	case !has && strings.HasPrefix(strings.ToLower(raw), "file:/"):
		scheme = "file"
	case !has:
		return fmt.Errorf("want %s, or the absolute path of a file", l.examples())
	}
	if scheme = strings.ToLower(scheme); !slices.Contains(l.Protocols, scheme) {
		return fmt.Errorf("its scheme%s is not one of ingest.protocols: want %s", shownScheme(scheme), l.examples())
	}
	if scheme == "file" {
		return nil
	}
	u, err := url.Parse(reference.ReplaceAllString(raw, "1")) // a port, too
	if err != nil {
		return errors.New("it can't be parsed: a password with @, :, /, ?, # or % in it is best given as ${NAME}")
	}
	if u.Hostname() == "" {
		return errors.New("it names no host")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("its port%s is not one from 1 to 65535", shownPort(raw, port))
		}
	}
	return nil
}

// shownScheme is a scheme as an error shows it; empty where it may be something else,
// such as a password that is followed by "://".
func shownScheme(scheme string) string {
	if !plainScheme.MatchString(scheme) {
		return ""
	}
	return fmt.Sprintf(" %q", scheme)
}

var plainScheme = regexp.MustCompile(`^[a-z]{1,10}$`)

// shownPort is a port as an error shows it; empty where it may be the beginning of a
// password that holds a / (rtsp://viewer:99999/secret@host).
func shownPort(raw, port string) string {
	if strings.Contains(raw[authorityEnd(raw):], "@") {
		return ""
	}
	return " " + port
}

func (l Limits) examples() string {
	var out []string
	for _, p := range l.Protocols {
		if p == "file" {
			out = append(out, "file:///path")
		} else {
			out = append(out, p+"://host/path")
		}
	}
	return strings.Join(out, ", ")
}

// Advice returns warnings for the person who puts a camera: what is unwise about
// it, though it may work.
func Advice(c topics.Camera) []string {
	var out []string
	if PlainSecret(c.URL) || PlainSecret(c.Watch) {
		out = append(out, fmt.Sprintf("camera %s: its URL holds a password, which everyone who may read the cameras topic can now see: write it as ${NAME}, set NAME in the environment of the ingest workers, and list it under ingest.env", c.Name))
	}
	if scheme := schemeOf(c.Looked()); asksForCertificate(c) && (scheme == "rtsp" || scheme == "http") {
		out = append(out, fmt.Sprintf("camera %s: its URL is of %s, without TLS: tls_verify and tls_fingerprint count only if it redirects to %[2]ss", c.Name, scheme))
	}
	if c.Record == topics.RecordEvents && len(c.Masks) > 0 {
		out = append(out, fmt.Sprintf("camera %s: it has masks, which cover nothing in its packets: none are kept, and there are no films of its alerts", c.Name))
	}
	if c.Watch != "" && (c.Record == topics.RecordNone || len(c.Masks) > 0) {
		out = append(out, fmt.Sprintf("camera %s: no packets of it are kept, so that its url is not read: its watch alone is", c.Name))
	}
	for _, zone := range c.CoveredZones() {
		out = append(out, fmt.Sprintf("camera %s: its masks cover all of zone %s: nothing is ever seen in it", c.Name, zone))
	}
	if bracesForgotten.MatchString(c.URL) || bracesForgotten.MatchString(c.Watch) {
		out = append(out, fmt.Sprintf("camera %s: its password begins with $: if that is the name of a variable, write it as ${NAME}, with braces", c.Name))
	}
	if !PlainSecret(c.URL) || !strings.Contains(c.URL, "@") {
		return out
	}
	if u, err := url.Parse(c.URL); err == nil && u.User == nil && strings.Contains(c.URL[authorityEnd(c.URL):], "@") {
		out = append(out, fmt.Sprintf("camera %s: the password seems to hold a / or ?, which ends the host's name: write it as ${NAME}, or / as %%2F and ? as %%3F", c.Name))
	}
	return out
}

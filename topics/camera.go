package topics

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Camera is one entry of the live table of cameras. The zero value of an optional
// field means the stage's configured default.
type Camera struct {
	Name string `json:"name"`
	// URL to open. ${NAME} in it is replaced with that variable of the ingest
	// worker's environment, so that passwords need not be written to Kafka.
	URL string `json:"url"`
	// Watch is the URL of a smaller stream of the same camera, which is looked at in place
	// of URL; that one is then read for films of alerts alone, and not decoded.
	Watch     string   `json:"watch,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	Transport string   `json:"transport,omitempty"` // "tcp" or "udp", RTSP only
	Stride    Stride   `json:"stride,omitzero"`     // between window starts
	Window    Duration `json:"window,omitempty"`    // length of a window
	// Vocabulary that its clips are scored against. Empty: that of the set in the
	// configuration of infer that the camera is in, or else the default one.
	Vocabulary string `json:"vocabulary,omitempty"`
	// Poll is the time between two looks at a URL of http or https that answers with a
	// single picture; where there is Watch, it is about that.
	Poll Duration `json:"poll,omitempty"`
	// TLSVerify false takes any certificate of a camera of rtsps or https; nil: what
	// ingest.tls_verify of the worker's configuration says.
	TLSVerify *bool `json:"tls_verify,omitempty"`
	// TLSFingerprint is that of the certificate that the camera must show, whoever has
	// signed it: sha256: and 64 hexadecimal digits.
	TLSFingerprint string `json:"tls_fingerprint,omitempty"`
	// Views are the squares of its picture that are recognised (CheckViews).
	Views []View `json:"views,omitempty"`
	// Masks are painted out before a picture leaves ingest.
	Masks []Polygon `json:"masks,omitempty"`
	// Zones are parts of its picture by name, for rules about what is seen in them.
	Zones map[string]Polygon `json:"zones,omitempty"`
	// Decode says which of its pictures are decoded; empty: what ingest.decode says.
	Decode Decode `json:"decode,omitempty"`
	// Record says whether its packets are kept, so that there are films of its alerts;
	// empty: what ingest.record says. Of a camera with masks none are kept.
	Record Record `json:"record,omitempty"`
	// Disabled leaves the camera on the table and its stream alone: nothing connects to it.
	// Workers older than this field watch it all the same.
	Disabled bool `json:"disabled,omitempty"`
	// Pre and Post are how much films show before the onset of an alert and after its
	// end; nil: what ingest.pre and ingest.post say.
	Pre  *Duration `json:"pre,omitempty"`
	Post *Duration `json:"post,omitempty"`
	// Source says who put the record: SourcePerson, SourceFile or SourceUp; empty
	// counts as SourcePerson. A configuration file or `frostwatch up` changes and
	// removes only records of its own.
	Source string `json:"source,omitempty"`
	// OwnTags is set where a person has set the tags of a camera that a file or
	// `up` put: when these change the camera, they keep its tags.
	OwnTags bool `json:"own_tags,omitempty"`
}

// Decode says which of a camera's pictures are decoded.
type Decode string

// The values of Decode.
const (
	DecodeAlways Decode = "always" // all
	DecodeDemand Decode = "demand" // keyframes while nothing happens, else all
)

// Record says whether a camera's packets are kept.
type Record string

// The values of Record.
const (
	RecordNone   Record = "none"   // they are not
	RecordEvents Record = "events" // for as long as films of alerts need them
)

// MaxAround bounds what a film shows before and after an alert.
const MaxAround = time.Minute

// Duration is a time.Duration that is written as in Go, such as "2.133s".
type Duration time.Duration

// MarshalText writes the duration with its unit.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText parses a number with a unit; empty text is 0.
func (d *Duration) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("duration %q: want a number with a unit such as 2.133s", b)
	}
	*d = Duration(v)
	return nil
}

// Who put a camera on the table (Camera.Source).
const (
	SourcePerson = "person" // a command or the console
	SourceUp     = "up"     // the flags or the demo of `frostwatch up`
	SourceFile   = "file"   // the cameras of a configuration file
)

var cameraName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// CheckCameraName returns an error if no camera may have this name.
func CheckCameraName(name string) error {
	if !cameraName.MatchString(name) {
		return fmt.Errorf("camera name %.80q: want 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit", name)
	}
	return nil
}

// CheckVocabularyName returns an error if no camera may name such a vocabulary.
func CheckVocabularyName(name string) error {
	if !cameraName.MatchString(name) {
		return fmt.Errorf("vocabulary %.80q: want 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit", name)
	}
	return nil
}

// maxURL keeps a camera's record within its bounds, also if every byte is escaped.
const maxURL = 8 << 10 // bytes

// The time between two polled pictures. No clip spans a longer pause (framer).
const (
	minPoll = 100 * time.Millisecond
	maxPoll = 3 * time.Second
)

// Validate returns an error about the first field that an ingest worker could not
// use. It never repeats the URL.
func (c Camera) Validate() error {
	if !cameraName.MatchString(c.Name) {
		return fmt.Errorf("camera name %.80q: want 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit", c.Name)
	}
	if c.URL == "" {
		return fmt.Errorf("camera %s: url is empty", c.Name)
	}
	if len(c.URL) > maxURL {
		return fmt.Errorf("camera %s: url of %d bytes: want at most %d", c.Name, len(c.URL), maxURL)
	}
	if len(c.Watch) > maxURL {
		return fmt.Errorf("camera %s: watch of %d bytes: want at most %d", c.Name, len(c.Watch), maxURL)
	}
	if c.Watch == c.URL {
		return fmt.Errorf("camera %s: watch is the same as url: leave it out", c.Name)
	}
	// The error does not contain the URL, because that may hold a password.
	if u, err := url.Parse(c.URL); err == nil && u.Scheme == "" && u.Path == "" {
		return fmt.Errorf("camera %s: url has neither a scheme nor a path", c.Name)
	}
	if !slices.Contains([]string{"", "tcp", "udp"}, c.Transport) {
		return fmt.Errorf("camera %s: transport %.80q: want tcp or udp", c.Name, c.Transport)
	}
	if !slices.Contains([]Decode{"", DecodeAlways, DecodeDemand}, c.Decode) {
		return fmt.Errorf("camera %s: decode %.80q: want %s or %s", c.Name, string(c.Decode), DecodeDemand, DecodeAlways)
	}
	if !slices.Contains([]Record{"", RecordNone, RecordEvents}, c.Record) {
		return fmt.Errorf("camera %s: record %.80q: want %s or %s", c.Name, string(c.Record), RecordEvents, RecordNone)
	}
	if err := cmp.Or(checkAround("pre", c.Pre), checkAround("post", c.Post)); err != nil {
		return fmt.Errorf("camera %s: %w", c.Name, err)
	}
	if p := time.Duration(c.Poll); p != 0 && (p < minPoll || p > maxPoll) {
		return fmt.Errorf("camera %s: poll %v: want %v to %v", c.Name, p, minPoll, maxPoll)
	}
	if c.TLSFingerprint != "" && Fingerprint(c.TLSFingerprint) == "" {
		return fmt.Errorf("camera %s: tls_fingerprint %.100q: want %s and the certificate's SHA-256 in 64 hexadecimal digits", c.Name, c.TLSFingerprint, FingerprintPrefix)
	}
	if c.TLSFingerprint != "" && c.TLSVerify != nil && !*c.TLSVerify {
		return fmt.Errorf("camera %s: tls_verify is false, and tls_fingerprint names a certificate: want one of them", c.Name)
	}
	if !areTags(c.Tags) {
		return fmt.Errorf("camera %s: %w", c.Name, errBadTags)
	}
	if err := CheckVocabularyName(c.Vocabulary); c.Vocabulary != "" && err != nil {
		return fmt.Errorf("camera %s: %w", c.Name, err)
	}
	if err := cmp.Or(CheckViews(c.Views), CheckMasks(c.Masks), CheckZones(c.Zones)); err != nil {
		return fmt.Errorf("camera %s: %w", c.Name, err)
	}
	if !slices.Contains([]string{"", SourcePerson, SourceUp, SourceFile}, c.Source) {
		return fmt.Errorf("camera %s: source %.80q: want %s, %s or %s", c.Name, c.Source, SourcePerson, SourceFile, SourceUp)
	}
	if c.Stride.Time < 0 || c.Stride.Steps < 0 || c.Window < 0 {
		return fmt.Errorf("camera %s: stride and window must not be negative", c.Name)
	}
	return nil
}

func checkAround(key string, d *Duration) error {
	if d != nil && (*d < 0 || time.Duration(*d) > MaxAround) {
		return fmt.Errorf("%s %v: want 0s to %v", key, time.Duration(*d), MaxAround)
	}
	return nil
}

// FingerprintPrefix is what a fingerprint begins with.
const FingerprintPrefix = "sha256:"

var fingerprint = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// Fingerprint is a certificate's fingerprint in one spelling: in lower case, and
// without the colons between bytes that other programs write. It is empty where text
// is none.
func Fingerprint(text string) string {
	prefix, digits, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text)), ":")
	out := prefix + ":" + strings.ReplaceAll(digits, ":", "")
	if !fingerprint.MatchString(out) {
		return ""
	}
	return out
}

// Looked is the URL of the stream that is looked at.
func (c Camera) Looked() string { return cmp.Or(c.Watch, c.URL) }

// EncodeCamera makes the JSON record of a valid camera.
func EncodeCamera(c Camera) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return json.Marshal(c)
}

// DecodeCamera parses and validates a record of the cameras topic.
func DecodeCamera(b []byte) (Camera, error) {
	var c Camera
	if err := decodeJSON(b, &c, cameraBounds); err != nil {
		return Camera{}, fmt.Errorf("decode camera: %w", err)
	}
	return c, c.Validate()
}

package alerts

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
)

// StreamRule is what must not be wrong with a camera's stream: in YAML {offline: 2m,
// black: 30s, frozen: 1m, fps_below: 5} with one of the keys or more, or for one of the
// first three the text "offline for 2m".
type StreamRule struct {
	Offline time.Duration `yaml:"offline"` // how long it may give no video; 0: the rule is not about that
	Black   time.Duration `yaml:"black"`   // how long its picture may be black
	Frozen  time.Duration `yaml:"frozen"`  // how long its picture may stay the same
	// FPSBelow is the lowest rate of frames that is right, in frames a second.
	FPSBelow float64 `yaml:"fps_below"`
}

const (
	// minFault is as long as ingest takes to be sure that something is wrong.
	minFault = 10 * time.Second
	maxFault = 24 * time.Hour
	maxFPS   = 240
)

var streamText = regexp.MustCompile(`^\s*(offline|black|frozen)\s+for\s+(\S+)\s*$`)

// UnmarshalText reads "offline for 2m".
func (s *StreamRule) UnmarshalText(b []byte) error {
	m := streamText.FindSubmatch(b)
	var length time.Duration
	var err error
	if m != nil {
		length, err = time.ParseDuration(string(m[2]))
	}
	if m == nil || err != nil {
		return fmt.Errorf("stream: %.80q: want offline, black or frozen for a time, as offline for 2m, or {offline: 2m, black: 30s, frozen: 1m, fps_below: 5}", b)
	}
	switch string(m[1]) {
	case "offline":
		s.Offline = length
	case "black":
		s.Black = length
	case "frozen":
		s.Frozen = length
	}
	return nil
}

// UnmarshalYAML reads the text or the keys.
func (s *StreamRule) UnmarshalYAML(unmarshal func(any) error) error {
	type keys StreamRule
	return config.EitherForm(unmarshal, s.UnmarshalText, (*keys)(s))
}

// checkStream checks what is particular to a rule about streams.
func (r Rule) checkStream(wrong func(string, ...any)) {
	s := *r.Stream
	for key, limit := range map[string]time.Duration{"offline": s.Offline, "black": s.Black, "frozen": s.Frozen} {
		if limit != 0 && (limit < minFault || limit > maxFault) {
			wrong("stream: %s for %v: want %v to %v", key, limit, minFault, maxFault)
		}
	}
	if fine := s.FPSBelow >= 0 && s.FPSBelow <= maxFPS; !fine { // NaN is not
		wrong("stream: fps_below %v: want more than 0 and at most %d", s.FPSBelow, maxFPS)
	}
	if s == (StreamRule{}) {
		wrong("stream: want at least one of offline, black, frozen and fps_below")
	}
	for _, key := range r.otherKeys() {
		wrong(key + ": a rule on streams looks at no clips: want only cameras, camera_tags, cooldown, severity, schedule and quiet beside stream")
	}
}

// otherKeys are the keys that are set and that a rule on streams does not have.
func (r Rule) otherKeys() (keys []string) {
	own := " name cameras camera_tags stream cooldown severity schedule quiet "
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if !v.Field(i).IsZero() && !strings.Contains(own, " "+key+" ") {
			keys = append(keys, key)
		}
	}
	return keys
}

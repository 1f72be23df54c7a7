package alerts

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/config"
)

// StreamRule is what must not be wrong with a camera's stream: in YAML {offline: 2m,
// black: 30s, fps_below: 5} with one of the keys or more, or for one that is a time the
// text "offline for 2m".
type StreamRule struct {
	Offline time.Duration `yaml:"offline"` // how long it may give no video; 0: the rule is not about that
	Black   time.Duration `yaml:"black"`   // how long its picture may be black
	Frozen  time.Duration `yaml:"frozen"`  // how long its picture may stay the same
	Covered time.Duration `yaml:"covered"` // how long its lens may be covered
	Moved   time.Duration `yaml:"moved"`   // how long it may show another view than usual
	// Defocused is how long its picture may be without the details that it usually has.
	Defocused time.Duration `yaml:"defocused"`
	// FPSBelow is the lowest rate of frames that is right, in frames a second.
	FPSBelow float64 `yaml:"fps_below"`
}

const (
	// minFault is as long as ingest takes to be sure that something is wrong.
	minFault = 10 * time.Second
	maxFault = 24 * time.Hour
	maxFPS   = 240
)

var streamText = regexp.MustCompile(`^\s*(\w+)\s+for\s+(\S+)\s*$`)

// times are the keys that are a time.
func (s *StreamRule) times() map[string]*time.Duration {
	return map[string]*time.Duration{
		"offline": &s.Offline, "black": &s.Black, "frozen": &s.Frozen,
		"covered": &s.Covered, "moved": &s.Moved, "defocused": &s.Defocused,
	}
}

// UnmarshalText reads "offline for 2m".
func (s *StreamRule) UnmarshalText(b []byte) error {
	var limit *time.Duration
	var length time.Duration
	err := errors.New("no time")
	if m := streamText.FindSubmatch(b); m != nil {
		limit = s.times()[string(m[1])]
		length, err = time.ParseDuration(string(m[2]))
	}
	if limit == nil || err != nil {
		return fmt.Errorf("stream: %.80q: want offline, black, frozen, covered, moved or defocused for a time, as offline for 2m, or {offline: 2m, black: 30s, fps_below: 5}", b)
	}
	*limit = length
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
	for key, limit := range s.times() {
		if *limit != 0 && (*limit < minFault || *limit > maxFault) {
			wrong("stream: %s for %v: want %v to %v", key, *limit, minFault, maxFault)
		}
	}
	if fine := s.FPSBelow >= 0 && s.FPSBelow <= maxFPS; !fine { // NaN is not
		wrong("stream: fps_below %v: want more than 0 and at most %d", s.FPSBelow, maxFPS)
	}
	if s == (StreamRule{}) {
		wrong("stream: want at least one of offline, black, frozen, covered, moved, defocused and fps_below")
	}
	for _, key := range r.otherKeys() {
		wrong(key + ": a rule on streams looks at no clips: want only cameras, camera_tags, cooldown, severity, schedule, quiet and notify beside stream")
	}
}

// otherKeys are the keys that are set and that a rule on streams does not have.
func (r Rule) otherKeys() (keys []string) {
	own := " name cameras camera_tags stream cooldown severity schedule quiet notify "
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if !v.Field(i).IsZero() && !strings.Contains(own, " "+key+" ") {
			keys = append(keys, key)
		}
	}
	return keys
}

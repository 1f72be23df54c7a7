package topics

import (
	"fmt"
	"time"
)

// ProfileKey is the key, on the topic silences, of the profile that is in force. It is no
// silence's.
const ProfileKey = "profile/"

// Profile says which of the profiles in the configuration is in force: of the alerts that
// it disarms none is delivered.
type Profile struct {
	Name  string    `json:"profile"`
	At    time.Time `json:"at"`             // since when
	Until time.Time `json:"until,omitzero"` // before when; zero: until another is set
	By    string    `json:"by,omitempty"`
	// Earlier are those that were in force before, the newest first, as far as alerts of
	// their time may still be delivered.
	Earlier []ProfileSpan `json:"earlier,omitempty"`
}

// ProfileSpan is when a profile was in force: from At on, and before Until.
type ProfileSpan struct {
	Name  string    `json:"profile"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
}

// MaxEarlier bounds the earlier profiles of a record.
const MaxEarlier = 64

// Spans are the times at which profiles are and were in force, the newest first. The Until
// of one that nothing has ended is zero. Times before the last of them are not known: no
// profile is taken for in force then.
func (p Profile) Spans() []ProfileSpan {
	if p.Name == "" {
		return nil
	}
	return append([]ProfileSpan{{p.Name, p.At, p.Until}}, p.Earlier...)
}

// Followed is the record of a profile that is put in force after p, at a time; without a
// name, none is. What ended before a time is forgotten.
func (p Profile) Followed(name, by string, now, forget time.Time) Profile {
	next := Profile{Name: name, At: now, By: by}
	for _, s := range p.Spans() {
		if s.Until.IsZero() || s.Until.After(now) {
			s.Until = now
		}
		if s.Until.After(s.At) && s.Until.After(forget) && len(next.Earlier) < MaxEarlier {
			next.Earlier = append(next.Earlier, s)
		}
	}
	if name == "" && len(next.Earlier) > 0 { // the last one, which has ended
		last := next.Earlier[0]
		return Profile{Name: last.Name, At: last.At, Until: last.Until, By: by, Earlier: next.Earlier[1:]}
	}
	return next
}

// CheckProfileName returns an error if no profile may have the name.
func CheckProfileName(name string) error {
	if !cameraName.MatchString(name) {
		return fmt.Errorf("profile %.80q: want 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit", name)
	}
	return nil
}

// Validate checks everything that readers rely on.
func (p Profile) Validate() error {
	switch {
	case p.At.IsZero() || p.By != "" && !isID(p.By):
		return fmt.Errorf("profile %.80q: want a time, and who has set it in at most %d bytes of printable text", p.Name, maxID)
	case !ordinary(p.At, p.Until):
		return fmt.Errorf("profile %.80q: want years of 1 to 9998", p.Name)
	case !p.Until.IsZero() && p.Until.Before(p.At):
		return fmt.Errorf("profile %.80q: it ends before it begins", p.Name)
	case len(p.Earlier) > MaxEarlier:
		return fmt.Errorf("earlier: %d elements, want at most %d", len(p.Earlier), MaxEarlier)
	}
	for _, s := range p.Earlier {
		if s.At.IsZero() || s.Until.Before(s.At) || !ordinary(s.At, s.Until) {
			return fmt.Errorf("earlier: %.80q: want a time and one after it", s.Name)
		}
		if err := CheckProfileName(s.Name); err != nil {
			return fmt.Errorf("earlier: %w", err)
		}
	}
	return CheckProfileName(p.Name)
}

// EncodeProfile makes the JSON record.
func EncodeProfile(p Profile) ([]byte, error) { return encodeChecked("profile", p) }

// DecodeProfile parses and validates the record of ProfileKey.
func DecodeProfile(b []byte) (Profile, error) {
	return decodeChecked[Profile]("profile", b, silenceBounds)
}

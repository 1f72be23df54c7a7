package notify

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/topics"
)

// silences are what people have silenced, and the profile that they have put in force, as
// of the table of silences. What happens to an alert counts for the time at which Kafka
// took its record: a stage that was down delivers nothing that was silenced meanwhile.
type silences struct {
	mu       sync.Mutex
	all      *silenceIndex
	profile  topics.Profile // without a name: none
	profiles []config.Profile
	loosened int           // how often something was changed that may have ended a silence early
	changed  chan struct{} // closed when anything has changed
	read     chan struct{} // closed once the table has been read, or can't be
	wasRead  sync.Once
}

// maxSilences bounds the silences that are remembered.
const maxSilences = 10_000

func newSilences(profiles []config.Profile) *silences {
	return &silences{all: newSilenceIndex(), profiles: profiles, changed: make(chan struct{}), read: make(chan struct{})}
}

// followSilences reads the table until ctx ends. While it can't be read, nothing more is
// silenced, and a warning says so: an alert too many is better than none.
func (s *Stage) followSilences(ctx context.Context) {
	const part = "silences"
	defer s.Reporter.Warning(part, nil)
	s.Bus.Table(s.Names.Of(topics.Silences)).Keep(ctx, func(m bus.Message) error {
		err := s.silences.note(m)
		s.reportProfile()
		return err
	}, func(err error) {
		if err != nil {
			err = fmt.Errorf("read the silences: %w; alerts are delivered without regard to new ones", err)
		}
		s.Reporter.Warning(part, err)
		s.silences.wasRead.Do(func() { close(s.silences.read) })
	})
}

// awaitSilences returns once the silences are known, or can't be, or ctx has ended.
func (s *Stage) awaitSilences(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.silences.read:
	}
}

// note takes a record of the table; an empty one removes its key.
func (s *silences) note(m bus.Message) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if string(m.Key) == topics.ProfileKey {
		var p topics.Profile
		if len(m.Value) > 0 {
			p, err = topics.DecodeProfile(m.Value)
		}
		if err == nil && !reflect.DeepEqual(p, s.profile) {
			s.profile = p
			s.hasChanged(true)
		}
		return err
	}
	if len(m.Value) == 0 {
		s.remove(string(m.Key))
		return nil
	}
	one, err := topics.DecodeSilence(m.Value)
	if err != nil {
		return err
	}
	if one.ID != string(m.Key) {
		return fmt.Errorf("the silence of key %.80q has the id %q", m.Key, one.ID)
	}
	if m.Time.Sub(one.Until) > maxKeep { // nothing so old is delivered
		s.remove(one.ID)
		return nil
	}
	was, known := s.all.byID[one.ID]
	if !known && len(s.all.byID) >= maxSilences {
		return fmt.Errorf("there are %d silences already", maxSilences)
	}
	s.all.put(one)
	s.hasChanged(known && !reflect.DeepEqual(*was, one))
	return nil
}

func (s *silences) remove(id string) {
	if _, known := s.all.byID[id]; known {
		s.all.remove(id)
		s.hasChanged(true)
	}
}

// hasChanged needs the lock. loosened is whether something may be silenced no more.
func (s *silences) hasChanged(loosened bool) {
	if loosened {
		s.loosened++
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// state is how often something was loosened, and what is closed at the next change.
func (s *silences) state() (loosened int, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loosened, s.changed
}

// setProfiles replaces those of the configuration.
func (s *silences) setProfiles(all []config.Profile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.profiles = all
	s.hasChanged(true)
}

// never is later than all times.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// cover is whether what happens to an alert at a time is not to be delivered.
func (s *silences) cover(a topics.Alert, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.covered(a, at).After(at)
}

// maxChain bounds how many silences that follow each other are gone through at once.
const maxChain = 100

// end is when an alert that is silenced at a time is silenced no more, as far as that is
// known; the time itself, if it is not silenced then.
func (s *silences) end(a topics.Alert, at time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range maxChain {
		until := s.covered(a, at)
		if !until.After(at) {
			break
		}
		at = until
	}
	return at
}

// covered is the latest end of what silences an alert at a time; the zero time: nothing
// does. It needs the lock.
func (s *silences) covered(a topics.Alert, at time.Time) (until time.Time) {
	s.all.each(a, func(one *topics.Silence) {
		if one.Until.After(until) && one.Covers(a, at) {
			until = one.Until
		}
	})
	for _, span := range s.profile.Spans() {
		if span.Until.IsZero() {
			span.Until = never
		}
		if at.Before(span.At) || !at.Before(span.Until) || !span.Until.After(until) {
			continue
		}
		i := slices.IndexFunc(s.profiles, func(p config.Profile) bool { return p.Name == span.Name })
		if i >= 0 && slices.ContainsFunc(s.profiles[i].Disarm, func(c topics.Choice) bool { return c.Chooses(a) }) {
			until = span.Until
		}
	}
	return until
}

// next is the first time after now at which a silence or the profile ends; never, if none
// does by itself.
func (s *silences) next(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := never
	for _, one := range s.all.byID {
		if one.Until.After(now) && one.Until.Before(next) {
			next = one.Until
		}
	}
	if until := s.profile.Until; until.After(now) && until.Before(next) { // of a clock that is ahead
		next = until
	}
	return next
}

// unknown is the profile that is in force and not configured; empty: it is.
func (s *silences) unknown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := !s.profile.Until.IsZero()
	if ended || slices.ContainsFunc(s.profiles, func(p config.Profile) bool { return p.Name == s.profile.Name }) {
		return ""
	}
	return s.profile.Name
}

// SetProfiles replaces the profiles, before Run or while it runs.
func (s *Stage) SetProfiles(all []config.Profile) {
	s.silences.setProfiles(all)
	s.reportProfile()
}

// reportProfile warns of a profile that is in force and disarms nothing.
func (s *Stage) reportProfile() {
	var err error
	if name := s.silences.unknown(); name != "" {
		err = fmt.Errorf("the profile %s is in force, and notify.profiles has none of that name: it disarms nothing", name)
	}
	s.Reporter.Warning("profile", err)
}

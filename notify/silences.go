package notify

import (
	"context"
	"fmt"
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
	byID     map[string]topics.Silence
	inForce  topics.Profile // without a name: none
	profiles []config.Profile
	read     chan struct{} // closed once the table has been read, or can't be
	wasRead  sync.Once
}

// maxSilences bounds the silences that are remembered.
const maxSilences = 10_000

func newSilences(profiles []config.Profile) *silences {
	return &silences{byID: map[string]topics.Silence{}, profiles: profiles, read: make(chan struct{})}
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
		if err == nil {
			s.inForce = p
		}
		return err
	}
	if len(m.Value) == 0 {
		delete(s.byID, string(m.Key))
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
		delete(s.byID, one.ID)
		return nil
	}
	if _, known := s.byID[one.ID]; !known && len(s.byID) >= maxSilences {
		return fmt.Errorf("there are %d silences already", maxSilences)
	}
	s.byID[one.ID] = one
	return nil
}

// setProfiles replaces those of the configuration.
func (s *silences) setProfiles(all []config.Profile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.profiles = all
}

// cover is whether what happens to an alert at a time is not to be delivered.
func (s *silences) cover(a topics.Alert, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.byID {
		if one.Covers(a, at) {
			return true
		}
	}
	p, known := s.profile()
	return known && !at.Before(s.inForce.At) && slices.ContainsFunc(p.Disarm, func(c topics.Choice) bool { return c.Chooses(a) })
}

// profile is the one in force, as configured. It needs the lock.
func (s *silences) profile() (p config.Profile, known bool) {
	i := slices.IndexFunc(s.profiles, func(p config.Profile) bool { return p.Name == s.inForce.Name })
	if i < 0 {
		return p, false
	}
	return s.profiles[i], true
}

// unknown is the profile that is in force and not configured; empty: it is.
func (s *silences) unknown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.profile(); known {
		return ""
	}
	return s.inForce.Name
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

// quiet are alerts of a partition whose raise was silenced: their clears would be news of
// what nobody has heard of.
type quiet map[string]struct{}

// maxQuiet bounds the alerts that are remembered. Of more, and after a restart, clears are
// delivered.
const maxQuiet = 10_000

// silenced is whether a record is not to be delivered. A clear goes the way of its raise.
func (q quiet) silenced(by *silences, a topics.Alert, at time.Time) bool {
	if a.State == topics.AlertCleared {
		_, was := q[a.ID]
		delete(q, a.ID)
		return was
	}
	covered := by.cover(a, at)
	switch {
	case !covered: // an escalation of it is news, and then its clear is too
		delete(q, a.ID)
	case a.State == topics.AlertRaised && len(q) < maxQuiet:
		q[a.ID] = struct{}{}
	}
	return covered
}

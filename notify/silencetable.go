package notify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// SilenceTable is the table of silences and of the profile in force, for those who edit it.
type SilenceTable struct{ table *bus.Table }

// OpenSilences returns the table.
func OpenSilences(c *bus.Client, n topics.Names) SilenceTable {
	return SilenceTable{c.Table(n.Of(topics.Silences))}
}

// List returns all silences, also those that have ended, and the profile in force, which
// has no name where there is none. Records that nobody could use are left out.
func (t SilenceTable) List(ctx context.Context) (all []topics.Silence, p topics.Profile, err error) {
	all, p, err = t.list(ctx)
	if !p.Until.IsZero() {
		p = topics.Profile{}
	}
	return all, p, err
}

// list is List, with the profile also where it has ended.
func (t SilenceTable) list(ctx context.Context) (all []topics.Silence, p topics.Profile, err error) {
	rows, err := t.table.List(ctx)
	if err != nil {
		return nil, p, fmt.Errorf("read the silences: %w", err)
	}
	for key, row := range rows {
		if key == topics.ProfileKey {
			p, _ = topics.DecodeProfile(row.Value) // as the stage does, which logs it
			continue
		}
		if s, err := topics.DecodeSilence(row.Value); err == nil && s.ID == key {
			all = append(all, s)
		}
	}
	return all, p, nil
}

// Add puts a silence, whose id it makes, and forgets those that ended so long ago that
// nothing from their time is delivered any more.
func (t SilenceTable) Add(ctx context.Context, s topics.Silence) (topics.Silence, error) {
	all, _, err := t.List(ctx)
	if err != nil {
		return s, err
	}
	for _, old := range all {
		if s.At.Sub(old.Until) > maxKeep {
			if err := t.table.Delete(ctx, old.ID, ""); err != nil {
				return s, err
			}
		}
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	s.ID = hex.EncodeToString(random)
	return s, t.put(ctx, s)
}

// Lift ends a silence. What it silenced until then stays silenced.
func (t SilenceTable) Lift(ctx context.Context, s topics.Silence, now time.Time) error {
	if s.Until = now; s.Until.Before(s.At) { // the clock of another machine is ahead
		s.Until = s.At
	}
	return t.put(ctx, s)
}

func (t SilenceTable) put(ctx context.Context, s topics.Silence) error {
	value, err := topics.EncodeSilence(s)
	if err != nil {
		return err
	}
	_, err = t.table.Put(ctx, s.ID, value, "")
	return err
}

// SetProfile puts a profile in force; without a name, none is. The record keeps which ones
// were in force before: alerts that wait for the stage go by those.
func (t SilenceTable) SetProfile(ctx context.Context, name, by string, now time.Time) error {
	_, was, err := t.list(ctx)
	if err != nil {
		return err
	}
	p := was.Followed(name, by, now, now.Add(-maxKeep))
	if p.Name == "" {
		return t.table.Delete(ctx, topics.ProfileKey, "")
	}
	value, err := topics.EncodeProfile(p)
	if err != nil {
		return err
	}
	_, err = t.table.Put(ctx, topics.ProfileKey, value, "")
	return err
}

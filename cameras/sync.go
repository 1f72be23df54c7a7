package cameras

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

// Owner is what brings a set of cameras: a configuration file, or `frostwatch up`.
type Owner struct {
	Source string // topics.SourceFile or topics.SourceUp
	// ID distinguishes sets of one source: for a file, its absolute path.
	// Workers with copies of one file at the same path share the set.
	ID string
}

// Sync takes over the cameras that an owner now brings. It compares each with
// what the same owner brought last, which is stored on the topic, and acts only on
// what has changed since: an entry that is new or changed is put, one that is gone
// is removed. An entry that has not changed is left alone, so that what a person
// has done to its camera since stays in force, be it a removal or another URL. A
// camera that someone else put is neither changed nor removed. Both lists of lines
// are for people: what was done, and which entries are not in force and why.
//
// Tags that a person has set hold (Camera.OwnTags), whatever else changes. A camera of
// `up` that a person has changed otherwise is that person's, and still follows the port
// on which `up` serves it.
//
// An entry that is not put because a camera of another owner has its name counts
// as new once that owner has withdrawn it.
func (t *Table) Sync(ctx context.Context, owner Owner, brings []topics.Camera) (done, left []string, err error) {
	key := topics.CameraSetKey(owner.Source, owner.ID)
	all, sets, err := t.records(ctx)
	if err != nil {
		return nil, nil, err
	}
	last, known := sets[key]
	next := topics.CameraSet{Source: owner.Source, ID: owner.ID, Cameras: map[string]string{}}
	for _, c := range brings {
		if err := t.follow(ctx, owner, c, all); err != nil {
			return done, left, err
		}
		c, entry, err := owner.entry(c, all)
		if err != nil {
			return done, left, err
		}
		before, had := last.Cameras[c.Name]
		if held, there := all[c.Name]; !there || byPerson(held) || held.Source == c.Source {
			next.Cameras[c.Name] = entry
		} else if had {
			next.Cameras[c.Name] = before
		}
		did, not, err := t.bring(ctx, c, all, entry == before)
		if err != nil {
			return done, left, err
		}
		done, left = appendLine(done, did), appendLine(left, not)
	}
	withdrawn, err := t.withdraw(ctx, owner, all, last, brings)
	if done = append(done, withdrawn...); err != nil {
		return done, left, err
	}
	// Written last: if anything fails before, all of it is done again next time.
	if len(brings) == 0 && !known || known && maps.Equal(next.Cameras, last.Cameras) {
		return done, left, nil
	}
	value, err := topics.EncodeCameraSet(next)
	if err != nil {
		return done, left, err
	}
	if _, err := t.Cameras.Put(ctx, key, value, ""); err != nil {
		return done, left, fmt.Errorf("store the cameras of %s: %w", owner, err)
	}
	return done, left, nil
}

// follow gives a person's camera the port on which `up` now serves what it shows.
func (t *Table) follow(ctx context.Context, owner Owner, c topics.Camera, all map[string]topics.Camera) error {
	now, there := all[c.Name]
	if !there || owner.Source != topics.SourceUp || !byPerson(now) || now.URL == c.URL || withoutPort(now.URL) != withoutPort(c.URL) {
		return nil
	}
	now.URL = c.URL
	if err := t.Put(ctx, now); err != nil {
		return err
	}
	all[c.Name] = now
	return nil
}

// entry is a camera as the owner brings it, with the tags that a person has set, and
// the hash of what the owner itself asks for.
func (o Owner) entry(c topics.Camera, all map[string]topics.Camera) (topics.Camera, string, error) {
	c.Source = o.Source
	hash, err := entryHash(c)
	if now := all[c.Name]; now.OwnTags && now.Source == c.Source {
		c.Tags, c.OwnTags = now.Tags, true
	}
	return c, hash, err
}

// withdraw removes the cameras that an owner brought last and no longer brings.
func (t *Table) withdraw(ctx context.Context, owner Owner, all map[string]topics.Camera, last topics.CameraSet, brings []topics.Camera) (done []string, err error) {
	for _, name := range slices.Sorted(maps.Keys(last.Cameras)) {
		now, there := all[name]
		still := slices.ContainsFunc(brings, func(c topics.Camera) bool { return c.Name == name })
		if still || !there || now.Source != owner.Source {
			continue
		}
		if err := t.Remove(ctx, name); err != nil {
			return done, err
		}
		done = append(done, fmt.Sprintf("camera %s removed: %s no longer has it", name, owner))
	}
	return done, nil
}

// bring puts one camera of an owner, or says why its entry is not in force.
func (t *Table) bring(ctx context.Context, c topics.Camera, all map[string]topics.Camera, unchanged bool) (done, left string, err error) {
	put, left := decide(c, all, unchanged)
	if !put {
		return "", left, nil
	}
	if err := t.Put(ctx, c); err != nil {
		return "", "", err
	}
	if _, there := all[c.Name]; there {
		return fmt.Sprintf("camera %s changed: %s", c.Name, RedactURL(c.URL)), "", nil
	}
	return fmt.Sprintf("camera %s added: %s", c.Name, RedactURL(c.URL)), "", nil
}

// decide reports whether an owner's entry is to be put, or else why it is not in
// force; "" if it is. unchanged: the owner brought the same before.
func decide(c topics.Camera, all map[string]topics.Camera, unchanged bool) (put bool, left string) {
	now, there := all[c.Name]
	switch {
	case there && same(now, c):
		return false, ""
	case there && now.Source != c.Source:
		if now.Source = c.Source; same(now, c) {
			return false, ""
		}
		if now.URL == c.URL {
			return false, fmt.Sprintf("camera %s left as it is: %s has changed it", c.Name, by(all[c.Name].Source))
		}
		return false, fmt.Sprintf("camera %s left as it is: %s put another of that name", c.Name, by(all[c.Name].Source))
	case !there && unchanged:
		return false, fmt.Sprintf("camera %s left out: it was removed since its entry last changed", c.Name)
	case unchanged && c.Source != topics.SourceUp: // another copy of the file has already put a newer entry
		return false, ""
	}
	return true, ""
}

// NotInForce says of each of an owner's entries that Sync has left out, and is still
// out of force, why that is. It changes nothing.
func (t *Table) NotInForce(ctx context.Context, owner Owner, brings []topics.Camera) (lines []string, err error) {
	if len(brings) == 0 {
		return nil, nil
	}
	all, sets, err := t.records(ctx)
	if err != nil {
		return nil, err
	}
	last := sets[topics.CameraSetKey(owner.Source, owner.ID)]
	for _, c := range brings {
		c, entry, err := owner.entry(c, all)
		if err != nil {
			return nil, err
		}
		_, left := decide(c, all, entry == last.Cameras[c.Name])
		lines = appendLine(lines, left)
	}
	return lines, nil
}

func appendLine(lines []string, line string) []string {
	if line == "" {
		return lines
	}
	return append(lines, line)
}

// String names the owner for people.
func (o Owner) String() string {
	if o.Source == topics.SourceUp {
		return "this `up`"
	}
	return o.ID
}

func by(source string) string {
	switch source {
	case topics.SourceFile:
		return "a configuration file"
	case topics.SourceUp:
		return "`up`"
	}
	return "a person"
}

// byPerson is whether a person put the camera, rather than a file or `up`.
func byPerson(c topics.Camera) bool { return c.Source == "" || c.Source == topics.SourcePerson }

// entryHash identifies what an owner asks for. The port of a URL does not count for
// `up`: its simulator may listen on another one at each start.
func entryHash(c topics.Camera) (string, error) {
	if c.Source == topics.SourceUp {
		c.URL = withoutPort(c.URL)
	}
	return hash(c)
}

func withoutPort(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Port() == "" {
		return raw
	}
	u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	return u.String()
}

// hash is equal for equal entries.
func hash(c topics.Camera) (string, error) {
	b, err := topics.EncodeCamera(c)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), nil
}

// same is whether two records ask for the same; an empty list and none are the same.
func same(a, b topics.Camera) bool {
	x, errX := hash(a)
	y, errY := hash(b)
	return errX == nil && errY == nil && x == y
}

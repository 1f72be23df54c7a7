package alerts

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// tally is the state of a rule that counts cameras.
type tally struct {
	hash     string               // of the rule; empty: it is not known
	versions map[string]*presence // sightings by the hash of the rule that they are by
	reports  map[int]report       // by partition of the actions topic
	open     *topics.Alert        // raised and not yet cleared
	sure     time.Time            // up to which the open alert is known to last
	until    time.Time            // and up to which it lasts by the sightings that were looked at
	closed   string               // id of the last alert that was cleared
	ended    time.Time            // sightings up to then count for no other alert
	resting  time.Time            // end of the cooldown
	pruned   time.Time            // what was known when old sightings were last dropped
}

// report is how far a partition has come.
type report struct {
	through time.Time     // zero: it has no cameras of the rule
	at      time.Duration // on the counter's clock
}

// report notes how far a partition has come. One that has not said so before has come no
// further than its first sighting.
func (t *tally) report(s topics.Sighting, clock time.Duration) {
	before, known := t.reports[s.Partition]
	next := report{s.Through, clock}
	if s.Seen != nil && s.Through.IsZero() {
		next.through = s.Seen.End
		if known {
			next.through = before.through
		}
	}
	if known || len(t.reports) < maxReports {
		t.reports[s.Partition] = next
	}
}

// add takes a sighting, and returns the run that it belongs to; nil where it does not
// count now. r is the rule, nil where it is not known.
func (t *tally) add(s topics.Sighting, r *rule) *run {
	most, within := maxUnknown, minCounted // what is kept in short runs can be joined later
	if r != nil && s.RuleHash == r.hash {
		most, within = maxCounting, r.Count.Within
	}
	if t.versions[s.RuleHash] == nil {
		t.makeRoom()
	}
	p := t.presence(s.RuleHash, within)
	s.Seen.Label.Tags = nil // not needed
	in := p.add(s.Seen)
	p.bound(most)
	if most == maxUnknown {
		return nil
	}
	return &in
}

// makeRoom drops the sightings of another version of the rule where there are many.
func (t *tally) makeRoom() {
	for _, hash := range slices.Sorted(maps.Keys(t.versions)) {
		if len(t.versions) >= maxVersions && hash != t.hash {
			delete(t.versions, hash)
		}
	}
}

// presence is that of a version of the rule, which counts within a time. It may have been
// kept before that was known.
func (t *tally) presence(hash string, within time.Duration) *presence {
	before := t.versions[hash]
	if before != nil && before.within == within {
		return before
	}
	p := newPresence(within)
	if before != nil {
		for _, all := range before.runs {
			for _, r := range all {
				p.add(r.first)
				p.add(r.last)
			}
		}
	}
	t.versions[hash] = p
	return p
}

// decide returns what the sightings raise and clear, where all up to a time are known.
// near is the run that has changed since it was asked last.
func (t *tally) decide(r *rule, known time.Time, near *run) (out []topics.Alert) {
	p := t.presence(r.hash, r.Count.Within)
	for {
		if t.open == nil {
			found, when := p.enough(t.ended, t.resting, r.Count.Cameras, near)
			if found == nil {
				t.prune(p, known)
				return out
			}
			out = append(out, t.raise(r, p, found, when))
		}
		if known.Before(t.until) {
			return out
		}
		t.until = p.last(t.sure, r.Count.Cameras)
		if known.Before(t.until) {
			t.sure = later(t.sure, known)
			p.drop(func(r run) bool { return r.last.End.Add(p.within).Before(t.sure) })
			return out
		}
		t.clearInto(&out, t.until, fmt.Sprintf("fewer than %s", r.Count), r.Cooldown)
		near = nil // others may have come while it was open
	}
}

// prune drops sightings that can begin no alert any more, unless others come more than a
// minute later than they should.
func (t *tally) prune(p *presence, known time.Time) {
	if known.Sub(t.pruned) < p.within {
		return
	}
	t.pruned = known
	p.drop(func(r run) bool {
		return !r.last.End.After(t.ended) || r.last.End.Add(2*p.within+time.Minute).Before(known)
	})
}

// raise begins an alert with the sighting that made the cameras enough.
func (t *tally) raise(r *rule, p *presence, found *topics.Seen, when time.Time) topics.Alert {
	cameras, onset := p.at(when, t.ended)
	if onset == nil {
		onset = found
	}
	a := topics.Alert{
		ID: topics.AlertID(r.Name, onset.ClipID), State: topics.AlertRaised, Rule: r.Name, Severity: r.Severity,
		Camera: found.Camera, Tags: found.Tags, Cameras: cameras[:min(len(cameras), topics.MaxAlertCameras)],
		Label: found.Label.Label, Score: found.Label.Score, Similarity: found.Label.Similarity, Contrast: found.Label.Contrast,
		View: found.View, Box: found.Box, Zone: zoneName(&found.Label),
		Measure: found.Measure, Threshold: found.Threshold, Novel: found.Label.Novel, NearestBase: found.Label.NearestBase,
		Onset: onset.Start, At: found.End, OnsetClip: onset.ClipID, Clip: found.ClipID,
		Reason:   topics.Clean(fmt.Sprintf("seen by %d cameras within %s: %s", len(cameras), r.Count.Within, namedCameras(cameras))),
		Evidence: &found.Clip, Model: found.Model, Vocab: found.Vocab, Notify: r.Notify, Verify: r.Verify,
	}
	t.begin(a, when)
	return a
}

// begin notes that an alert is open.
func (t *tally) begin(a topics.Alert, at time.Time) { t.open, t.sure, t.until = &a, at, at }

// clearInto adds the clear of the open alert, if there is one.
func (t *tally) clearInto(out *[]topics.Alert, at time.Time, reason string, cooldown time.Duration) {
	if t.open == nil {
		return
	}
	a := cleared(*t.open, later(at, t.open.At), reason)
	t.end(a.ID, a.At, cooldown)
	*out = append(*out, a)
}

// end is what follows from a clear, a restored one too.
func (t *tally) end(id string, at time.Time, cooldown time.Duration) {
	t.open, t.closed, t.ended, t.resting = nil, id, at, at.Add(cooldown)
}

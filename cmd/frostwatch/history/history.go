// Package history checks what became of clips: from the ledger of what a fleet sent, and
// every record that the stages made of it, it finds what was lost, repeated or invented.
//
// Stages publish at least once, and every record has a computed id, so that a record that
// comes again is no fault by itself. What may come again, and what is a violation, is said
// at each Class.
package history

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/fleet"
	"github.com/frostwatch/frostwatch/topics"
)

// Class is a kind of violation.
type Class string

// The classes.
const (
	// LostClip: the broker acknowledged the clip and does not have it.
	LostClip Class = "acknowledged clip lost"
	// LostRecognition: the clip is on the topic, and has neither a recognition nor a dead
	// letter, and was not said to be skipped.
	LostRecognition Class = "recognition lost"
	// Repeated: a record came again where it should not. It may come again as the same bytes
	// under the same generation, since a send whose answer was lost is repeated, and under
	// another generation, since a worker may die or lose its partition between publishing
	// and committing. It may not come again in other bytes under one generation, which would
	// be work done twice by one worker, nor at all where nothing was disturbed.
	Repeated Class = "repeated"
	// Contradiction: clips with the same pixels, or one clip twice, were recognised differently
	// by the same model and vocabulary; or one event of an alert says two things.
	Contradiction Class = "contradiction"
	// Invented: the recognition of a clip that was never sent.
	Invented Class = "recognition of no clip"
	// Disorder: a clip was recognised after a later one of its camera and epoch, both for the first
	// time, or an alert's event is dated before one of its camera and rule that came earlier.
	Disorder Class = "order"
	// Unaccounted: a clip that was not acknowledged, for no reason, or is in no line of the ledger.
	Unaccounted Class = "dropped without a reason"
	// RaisedTwice: an alert was raised while one of its camera and rule was open, or after it
	// had been cleared.
	RaisedTwice Class = "raised twice"
	// ClearedUnraised: an alert was cleared, or escalated, that was not open.
	ClearedUnraised Class = "cleared without a raise"
	// AlertMissing: what the undisturbed order of recognitions raises or clears is not in the log.
	AlertMissing Class = "alert missing"
	// AlertInvented: the log has an event that the undisturbed order does not lead to.
	AlertInvented Class = "alert that should not be"
	// OpenStale: the table of open alerts has one that is not open by the log.
	OpenStale Class = "open row stale"
	// OpenMissing: the table lacks one that is open by the log.
	OpenMissing Class = "open row missing"
)

// Violation is one finding.
type Violation struct {
	Class Class  `json:"class"`
	ID    string `json:"id"` // of the clip or the alert
	Text  string `json:"text"`
}

func (v Violation) String() string { return fmt.Sprintf("%s: %s: %s", v.Class, v.ID, v.Text) }

// Record is where a record is, and what tells it from a repetition.
type Record struct {
	Partition  int
	Offset     int64
	Generation int // of its sender's group; 0: none
	Hash       [sha256.Size]byte
}

// RecordOf describes a message.
func RecordOf(m bus.Message) Record {
	n, _ := bus.GenerationOf(m)
	return Record{m.Partition, m.Offset, n, sha256.Sum256(m.Value)}
}

// again is whether a record may be another that came again.
func (r Record) again(of Record) bool { return r.Generation != of.Generation || r.Hash == of.Hash }

// Clip is a record of the topic of clips.
type Clip struct {
	ID string
	Record
}

// Recognition is a record of the topic of actions.
type Recognition struct {
	Record
	topics.Recognition                   // without vectors
	Result             [sha256.Size]byte // of vectors, labels and background: what was recognised
}

// Alert is a record of the topic of alerts.
type Alert struct {
	Record
	topics.Alert
}

// Dead is a dead letter of a clip.
type Dead struct{ ID, Reason string }

// History is everything about the clips of some cameras. Records are in the order of their
// partitions; those that a reader discards, since a worker sent them that had lost its
// partition (bus.Generations), are left out.
type History struct {
	Ledger       []fleet.Entry
	Clips        []Clip
	Recognitions []Recognition
	Alerts       []Alert
	Open         map[string]topics.Alert // rows of the table, by key
	Dead         []Dead
	Skipped      map[string]string // clips that a stage said it passed over, and why
	// Rules and NoClips are those that the alerts were evaluated by.
	Rules   *alerts.RuleSet
	NoClips time.Duration
	Calm    bool // nothing was disturbed, so that nothing may come again
}

// Report is what Check finds.
type Report struct {
	Clips      int            `json:"clips"` // that the fleet had
	Acked      int            `json:"acknowledged"`
	Dropped    map[string]int `json:"dropped"` // by reason
	Recognised int            `json:"recognised"`
	Accounted  map[string]int `json:"accounted"`        // clips without a recognition, by reason
	Repeats    int            `json:"repeats"`          // records that came again as they may
	Expected   int            `json:"alerts_expected"`  // raised, escalated and cleared
	Published  int            `json:"alerts_published"` // by id
	Violations []Violation    `json:"violations"`
}

// OK is whether there is no violation.
func (r *Report) OK() bool { return len(r.Violations) == 0 }

func (r *Report) add(c Class, id, format string, args ...any) {
	r.Violations = append(r.Violations, Violation{c, id, fmt.Sprintf(format, args...)})
}

// Check checks a history.
func Check(h History) *Report {
	c := &checker{History: h, r: &Report{Dropped: map[string]int{}, Accounted: map[string]int{}}}
	c.index()
	c.checkLedger()
	c.checkRecognitions()
	c.checkClips()
	c.checkResults()
	c.checkAlerts()
	c.checkExpected()
	c.checkOpen()
	return c.r
}

// checker is one check, with what it has found on the way.
type checker struct {
	History
	r *Report

	entries  map[string]*fleet.Entry // by clip
	onTopic  map[string]bool         // clips
	byClip   map[string]*Recognition // the first of each
	accounts map[string]string       // clips that have no recognition and need none, and why
	open     map[string]string       // by the log: the id of the open alert, by key
	events   map[string]*Alert       // the first of each, by event id
}

func (c *checker) index() {
	c.entries, c.onTopic, c.accounts = map[string]*fleet.Entry{}, map[string]bool{}, map[string]string{}
	for i := range c.Ledger {
		c.entries[c.Ledger[i].Clip] = &c.Ledger[i]
	}
	for _, clip := range c.Clips {
		c.onTopic[clip.ID] = true
	}
	for id, why := range c.Skipped {
		c.accounts[id] = why
	}
	for _, d := range c.Dead {
		c.accounts[d.ID] = "dead letter: " + d.Reason
	}
}

package history

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

func place(r Record) string { return fmt.Sprintf("%d/%d", r.Partition, r.Offset) }

// alertLog is what the log says of one rule on one camera.
type alertLog struct {
	open   string // id of the alert that is open; "": none
	closed map[string]bool
	newest time.Time
}

// checkAlerts reads the log as its subscribers do.
func (c *checker) checkAlerts() {
	logs := map[string]*alertLog{}
	first, odd := map[string]*Alert{}, map[string]*Alert{} // by event id; odd are those that could not be
	for i := range c.Alerts {
		a := &c.Alerts[i]
		log := logs[a.OpenKey()]
		if log == nil {
			log = &alertLog{closed: map[string]bool{}}
			logs[a.OpenKey()] = log
		}
		if was := first[a.EventID()]; was != nil {
			c.seeAgain(log, was, a)
		} else if c.see(log, a) {
			first[a.EventID()] = a
		} else {
			odd[a.EventID()] = a
		}
	}
	c.events, c.open = odd, map[string]string{}
	maps.Copy(c.events, first)
	for key, log := range logs {
		if log.open != "" {
			c.open[key] = log.open
		}
	}
	c.r.Published = len(c.events)
}

// see takes an event that comes for the first time; false: it can't be, and changes nothing.
func (c *checker) see(log *alertLog, a *Alert) bool {
	if a.At.Before(log.newest) {
		c.r.add(Disorder, a.EventID(), "at %s, of %s, after one of %s", place(a.Record), a.At.Format(time.RFC3339Nano), log.newest.Format(time.RFC3339Nano))
	}
	log.newest = a.At
	switch {
	case a.State == topics.AlertRaised && log.open != "":
		c.r.add(RaisedTwice, a.EventID(), "at %s, while %s is open", place(a.Record), log.open)
		log.open = a.ID
	case a.State == topics.AlertRaised:
		log.open = a.ID
	case log.open != a.ID:
		c.r.add(ClearedUnraised, a.EventID(), "at %s, while %q is open", place(a.Record), log.open)
		return false
	case a.State == topics.AlertCleared:
		log.open = ""
		log.closed[a.ID] = true
	}
	return true
}

// seeAgain takes an event that came before. It changes nothing, but one that contradicts the
// log is a fault.
func (c *checker) seeAgain(log *alertLog, was, a *Alert) {
	switch {
	case a.State == topics.AlertRaised && log.closed[a.ID]:
		c.r.add(RaisedTwice, a.EventID(), "at %s and, after it was cleared, again at %s", place(was.Record), place(a.Record))
	case c.Calm || !a.again(was.Record):
		c.r.add(Repeated, a.EventID(), "at %s and again at %s, under generation %d", place(was.Record), place(a.Record), a.Generation)
	case a.Clip != was.Clip || !a.At.Equal(was.At):
		c.r.add(Contradiction, a.EventID(), "decided by clip %s at %s, and by %s at %s", was.Clip, place(was.Record), a.Clip, place(a.Record))
	default:
		c.r.Repeats++
	}
}

// expected are the events that the clips lead to in the order in which they were made, by id:
// the same engine as the stage's reads them once, without a pause, a restart or a repetition.
func (c *checker) expected() map[string]topics.Alert {
	engine, likely := alerts.NewEngine(c.Rules, c.NoClips), c.likely()
	out := map[string]topics.Alert{}
	for _, e := range c.ordered() {
		seen := c.byClip[e.Clip] != nil
		if !seen && (!c.onTopic[e.Clip] || c.accounts[e.Clip] != "") {
			continue
		}
		r := likely(e)
		if r == nil {
			continue
		}
		for _, a := range engine.Evaluate(*r) {
			out[a.EventID()] = a
		}
	}
	return out
}

// checkExpected compares the log with what had to come.
func (c *checker) checkExpected() {
	want := c.expected()
	c.r.Expected = len(want)
	for _, id := range slices.Sorted(maps.Keys(want)) {
		a, is := c.events[id]
		switch {
		case !is:
			c.r.add(AlertMissing, id, "clip %s leads to it", want[id].Clip)
		case a.Clip != want[id].Clip:
			c.r.add(Contradiction, id, "decided by clip %s, and the undisturbed order decides it by %s", a.Clip, want[id].Clip)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.events)) {
		if _, is := want[id]; !is {
			c.r.add(AlertInvented, id, "at %s, by clip %s: %s", place(c.events[id].Record), c.events[id].Clip, c.events[id].Reason)
		}
	}
}

// checkOpen compares the table of open alerts with the log.
func (c *checker) checkOpen() {
	for _, key := range slices.Sorted(maps.Keys(c.Open)) {
		if row := c.Open[key]; c.open[key] != row.ID {
			c.r.add(OpenStale, row.ID, "the row of %s; by the log %q is open", key, c.open[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.open)) {
		if _, is := c.Open[key]; !is {
			c.r.add(OpenMissing, c.open[key], "no row of %s", key)
		}
	}
}

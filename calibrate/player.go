package calibrate

import (
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/topics"
)

// player runs an engine over one partition's recognitions, as the alerts stage does:
// each of its partitions has an engine of its own. Between two recognitions it ticks
// as often as the stage would have while the time of the records passed, so that
// alerts of cameras that sent no more clips are cleared. That Kafka was away for some
// time looks the same as cameras that sent nothing.
type player struct {
	engine *alerts.Engine
	ticked time.Time // zero: never
	// sighted are the sightings for rules that count cameras. Those of all partitions are
	// counted together at the end.
	sighted []topics.Sighting
}

func newPlayer(rules *alerts.RuleSet, thresholds []topics.Threshold, trace func(alerts.Trace)) *player {
	p := &player{engine: alerts.NewEngine(rules, noClips)}
	for _, t := range thresholds {
		p.engine.SetThreshold(t.Camera, t.Rule, &t)
	}
	p.engine.SetTrace(trace)
	p.engine.SetSighted(func(s topics.Sighting) {
		s.Seen.ClipID = strings.Clone(s.Seen.ClipID) // part of a larger text
		p.sighted = append(p.sighted, s)
	})
	return p
}

// see takes the partition's next recognition, with the time that Kafka gave it, and
// returns what is raised and cleared.
func (p *player) see(at time.Time, rec *topics.Recognition) []topics.Alert {
	cleared := p.until(at)
	return append(cleared, p.engine.EvaluateAt(rec)...)
}

// until lets the time of the records pass, and returns the clears of cameras that sent
// no clips.
func (p *player) until(at time.Time) (cleared []topics.Alert) {
	if p.ticked.IsZero() {
		p.ticked = at
		p.engine.Tick(at)
	}
	step := alerts.TickEvery(noClips)
	for at.Sub(p.ticked) >= step {
		if p.engine.Idle() { // a range may end months after its last record
			p.ticked = p.ticked.Add((at.Sub(p.ticked)/step - 1) * step)
		}
		p.ticked = p.ticked.Add(step)
		cleared = append(cleared, p.engine.Tick(p.ticked)...)
	}
	return cleared
}

package chaos

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/fleet"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/history"
	"github.com/frostwatch/frostwatch/internal/config"
)

// cast is what a trial's cameras show, by what the model makes of it.
type cast struct {
	scenes []int // those in which the label scores low first
	rules  *alerts.RuleSet
}

// wakeTime is how long the model may take to load, and its texts to be embedded.
const wakeTime = 5 * time.Minute

// leastApart is by how much two scenes' scores have to differ for rules to tell them apart.
const leastApart = 0.1

// choose shows each scene to the workers, and takes as calm and as eventful the two that the
// model tells apart best by the score of a label. The made pictures show nothing: what is
// tried is whether every clip counts once, not what the model makes of it.
func (r *rig) choose(ctx context.Context) (c cast, err error) {
	since := time.Now().Add(-slack)
	_, err = fleet.Run(ctx, r.fleet(fleet.Options{Cameras: fleet.Scenes(), Name: "probe", Clips: 1, Steady: true}))
	if err != nil {
		return c, err
	}
	var h history.History
	err = within(ctx, wakeTime, "each scene to be recognised once", func() (bool, error) {
		if h, err = r.read(ctx, since, "probe-"); err != nil {
			return false, err
		}
		return len(h.Recognitions) >= fleet.Scenes(), r.dead()
	})
	if err != nil {
		return c, err
	}
	scores := map[string][]float64{} // by label; of each scene
	for _, rec := range h.Recognitions {
		var camera int
		if _, err := fmt.Sscanf(rec.Camera, "probe-%d", &camera); err != nil {
			return c, fmt.Errorf("read the camera %s: %w", rec.Camera, err)
		}
		for _, l := range rec.Labels {
			if scores[l.Label] == nil {
				scores[l.Label] = slices.Repeat([]float64{math.NaN()}, fleet.Scenes())
			}
			scores[l.Label][camera-1] = l.Score
		}
	}
	return r.castBy(scores)
}

// castBy chooses the label whose least and highest score are furthest apart.
func (r *rig) castBy(scores map[string][]float64) (c cast, err error) {
	var label string
	var low, high float64
	for _, of := range slices.Sorted(maps.Keys(scores)) {
		s := scores[of]
		if least, most := slices.Min(s), slices.Max(s); most-least > high-low {
			label, low, high = of, least, most
			c.scenes = []int{slices.Index(s, least), slices.Index(s, most)}
		}
	}
	if high-low < leastApart {
		return c, fmt.Errorf("the model scores no label differently by %v or more on two of %d made pictures: try another with --model", leastApart, fleet.Scenes())
	}
	r.say("the fleet shows two scenes: in scene %d, %q scores %.2f and raises nothing, in scene %d %.2f, and alerts are raised", c.scenes[0], label, low, c.scenes[1], high)
	at := func(share float64) float64 { return low + share*(high-low) }
	if err := r.configure(fmt.Sprintf(rulesConfig, label, at(0.6), at(0.4))); err != nil {
		return c, err
	}
	cfg, err := config.Load(r.config())
	if err != nil {
		return c, err
	}
	c.rules, err = alerts.Compile(cfg.Rules)
	return c, err
}

// rulesConfig are rules of several memories, all about one label.
const rulesConfig = `
  - {name: once, cameras: ["chaos-*"], actions: [%[1]q], score: {raise: %[2]g, clear: %[3]g}, clips: 1 of 1, severity: info}
  - {name: twice, cameras: ["chaos-*"], actions: [%[1]q], score: {raise: %[2]g, clear: %[3]g}, clips: 2 of 3, escalate: {after: 10s}}
  - {name: often, cameras: ["chaos-*"], actions: [%[1]q], score: {raise: %[2]g, clear: %[3]g}, clips: 4 of 6, cooldown: 20s}`

package console

import (
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// hours is how many of the newest hours are remembered.
const hours = 24

// maxBests bounds the labels whose best values are kept, on all cameras together.
const maxBests = 50_000

// best is how high a label came on a camera in each of the newest hours, since the console
// runs. Values are contrasts, or scores where recordings have none.
type best struct {
	newest int64 // hour, since 1970
	by     [hours]float32
}

// note takes over a value.
func (b *best) note(hour int64, value float32) {
	if hour > b.newest {
		for h := max(b.newest+1, hour-hours+1); h <= hour; h++ {
			b.by[h%hours] = 0
		}
		b.newest = hour
	}
	if hour > b.newest-hours {
		b.by[hour%hours] = max(b.by[hour%hours], value)
	}
}

// of are the values of the hours up to one, the oldest first.
func (b *best) of(hour int64) (out [hours]float32) {
	for i := range out {
		if h := hour - hours + 1 + int64(i); h <= b.newest && h > b.newest-hours {
			out[i] = b.by[h%hours]
		}
	}
	return out
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// bests are those of all labels, by camera. The wall's lock guards them.
type bests struct {
	of    map[string]map[string]*best
	count int
}

// note takes over what was recognised.
func (b *bests) note(r *topics.Recognition, now time.Time) {
	hour := hourOf(r.End)
	if hour < 0 || hour > hourOf(now.Add(ahead)) { // of the future, which anybody may have written
		return
	}
	on := b.of[r.Camera]
	if on == nil {
		on = map[string]*best{}
		b.of[r.Camera] = on
	}
	for i := range r.Labels {
		l := &r.Labels[i]
		value := l.Score
		if r.References != nil {
			value = l.Contrast
		}
		one := on[l.Label]
		if one == nil {
			if b.count >= maxBests {
				continue
			}
			b.count++
			one = &best{newest: hour}
			on[l.Label] = one
		}
		one.note(hour, float32(value))
	}
}

// forget drops a camera.
func (b *bests) forget(camera string) {
	b.count -= len(b.of[camera])
	delete(b.of, camera)
}

// today is how high a label came in each of the newest hours on the cameras that somebody
// sees, and on which camera it came highest.
func (w *wall) today(who who, labels []string, now time.Time) map[string]Today {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, hour := map[string]Today{}, hourOf(now)
	for name, t := range w.tiles {
		if !who.Sees(t.Tags) {
			continue
		}
		on := w.bests.of[name]
		for _, label := range labels {
			b := on[label]
			if b == nil {
				continue
			}
			one := out[label]
			if one.Hours == nil {
				one.Hours = make([]float32, hours)
			}
			for i, v := range b.of(hour) {
				if one.Hours[i] = max(one.Hours[i], v); v > one.Best {
					one.Best, one.Camera = v, name
				}
			}
			out[label] = one
		}
	}
	return out
}

// Today is how high a label came lately.
type Today struct {
	Best   float32   `json:"best"`
	Camera string    `json:"camera,omitempty" doc:"on which it came highest"`
	Hours  []float32 `json:"hours,omitempty" doc:"the highest of each of the last 24 hours, the oldest first, since the console runs"`
}

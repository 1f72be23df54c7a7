package console

import (
	"context"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/topics"
)

const (
	// beatTime is how finely the pulse is kept, for an hour.
	beatTime = 10 * time.Second
	beats    = int64(time.Hour / beatTime)
	// perMinute are the beats that a graph shows as one.
	perMinute = int64(time.Minute / beatTime)
	// maxSequences bounds the cameras whose clips are counted through.
	maxSequences = 100_000
	// maxMissed is how many clips are missing at most from one to the next; more are those
	// of another count.
	maxMissed = 1000
)

// onlyAllPulse is what those who see some cameras are answered.
const onlyAllPulse = "how much is recognised is shown to those who see every camera"

// pulse is how much was recognised in the last hour, and how soon. Safe for concurrent use.
type pulse struct {
	mu    sync.Mutex
	by    [beats]beat
	last  map[string]sequence // by camera
	model string              // of the newest recognition
	vocab topics.VocabRef
}

// beat is what came in ten seconds.
type beat struct {
	number           int64 // of the beat since 1970
	clips, missed    int
	late, worst, run float64 // seconds, the sum and the most; milliseconds, the sum
	streaming, of    int
	looked           bool
}

// sequence is where a camera's count of clips was.
type sequence struct {
	epoch time.Time
	at    uint64
}

func newPulse() *pulse { return &pulse{last: map[string]sequence{}} }

func beatOf(t time.Time) int64 { return t.Unix() / int64(beatTime/time.Second) }

// at is the beat of now. It needs the lock.
func (p *pulse) at(now time.Time) *beat {
	n := beatOf(now)
	b := &p.by[n%beats]
	if b.number != n {
		*b = beat{number: n}
	}
	return b
}

// note takes over what was recognised just now.
func (p *pulse) note(r *topics.Recognition, now time.Time) {
	late := now.Sub(r.End)
	if late > time.Hour || late < -ahead { // anybody may have written it
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.at(now)
	seconds := max(late, 0).Seconds()
	b.clips++
	b.late, b.worst, b.run = b.late+seconds, max(b.worst, seconds), b.run+min(max(r.Timings.Model, 0), 3.6e6)
	p.model, p.vocab = r.Model, r.Vocab
	before, known := p.last[r.Camera]
	if same := known && before.epoch.Equal(r.Epoch); same && r.Sequence > before.at {
		if missed := r.Sequence - before.at - 1; missed <= maxMissed {
			b.missed += int(missed)
		}
	} else if same {
		return // it was read twice
	}
	if len(p.last) >= maxSequences && !known {
		clear(p.last)
	}
	p.last[r.Camera] = sequence{r.Epoch, r.Sequence}
}

// look notes how many cameras stream.
func (p *pulse) look(l Line, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.at(now)
	b.streaming, b.of, b.looked = l.Streaming, l.Cameras, true
}

// sum is what came in some beats up to one. It needs the lock.
func (p *pulse) sum(last, n int64) (out beat) {
	for i := last - n + 1; i <= last; i++ {
		b := &p.by[i%beats]
		if b.number != i {
			continue
		}
		out.clips, out.missed, out.late, out.run, out.worst = out.clips+b.clips, out.missed+b.missed, out.late+b.late, out.run+b.run, max(out.worst, b.worst)
		if b.looked {
			out.streaming, out.of, out.looked = b.streaming, b.of, true
		}
	}
	return out
}

// say adds to the line at the bottom what came in the last minute.
func (p *pulse) say(l *Line, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.sum(beatOf(now)-1, perMinute); b.clips > 0 {
		l.Rate, l.Late = float64(b.clips)/60, b.late/float64(b.clips)
		l.Model, l.Vocabulary = topics.Clean(p.model), topics.Clean(p.vocab.Version)
	}
}

// Minute is what came in a minute.
type Minute struct {
	At        time.Time `json:"at" doc:"its begin"`
	Rate      float64   `json:"clips_per_second"`
	Missed    int       `json:"missed" doc:"clips that were cut and never recognised, by their numbers"`
	Late      float64   `json:"late_s,omitempty" doc:"mean time from the end of a clip until its recognition was read"`
	Worst     float64   `json:"worst_late_s,omitempty"`
	Run       float64   `json:"model_ms,omitempty" doc:"mean time of a run of the model"`
	Streaming int       `json:"streaming" doc:"cameras"`
	Cameras   int       `json:"cameras"`
}

// minutes are those of the last hour that are over, as far as the console has run.
func (p *pulse) minutes(now time.Time) []Minute {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []Minute{}
	end := beatOf(now.Truncate(time.Minute)) - 1
	for last := end - beats + 2*perMinute; last <= end; last += perMinute {
		b := p.sum(last, perMinute)
		if !b.looked {
			continue
		}
		m := Minute{
			At: time.Unix((last-perMinute+1)*int64(beatTime/time.Second), 0).UTC(), Rate: float64(b.clips) / 60, Missed: b.missed,
			Worst: b.worst, Streaming: b.streaming, Cameras: b.of,
		}
		if b.clips > 0 {
			m.Late, m.Run = b.late/float64(b.clips), b.run/float64(b.clips)
		}
		out = append(out, m)
	}
	return out
}

type hourOutput struct {
	Body struct {
		Minutes []Minute `json:"minutes" doc:"of the last hour, since the console runs"`
	}
}

func (c *Console) getHour(context.Context, *struct{}) (*hourOutput, error) {
	out := &hourOutput{}
	out.Body.Minutes = c.pulse.minutes(time.Now())
	return out, nil
}

// pulseAPI adds what came in the last hour.
func (c *Console) pulseAPI(api huma.API) {
	huma.Get(api, "/api/v1/health/hour", c.getHour, named("get-hour", "How much was recognised in the last hour, by minutes, and how soon"), c.whole(viewer, onlyAllPulse))
}

package console

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/timeline"
	"github.com/frostwatch/frostwatch/topics"
)

// timelineInput is what is asked of a camera's past.
type timelineInput struct {
	Camera  string    `path:"camera" maxLength:"64" doc:"name of the camera"`
	From    time.Time `query:"from" required:"true" doc:"RFC 3339"`
	To      time.Time `query:"to" required:"true" doc:"RFC 3339; at most 28 days later"`
	Labels  []string  `query:"labels,explode" maxItems:"20" doc:"these alone; default: those that rules watch, then the highest others from 0.1 on, 20 at most"`
	Buckets int       `query:"buckets" minimum:"10" maximum:"600" default:"600" doc:"steps of time at most"`
}

// Timeline is a camera's past. What is of a step is by its number, from 0 on.
type Timeline struct {
	Camera string    `json:"camera"`
	Begin  time.Time `json:"begin" doc:"of the first step"`
	Step   float64   `json:"step_seconds"`
	Clips  []int32   `json:"clips" doc:"how many ended in each step"`
	Labels []Height  `json:"labels" doc:"those that rules watch first, then the highest"`
	Best   []Moment  `json:"best_clips" doc:"to which labels and steps refer"`
	Seen   []int     `json:"seen" doc:"of each step a clip, by its number in best_clips; -1: there was none"`
	Alerts []Raised  `json:"alerts" doc:"the oldest first"`
	Gaps   []Gap     `json:"gaps" doc:"without clips, or with pictures of no use; the oldest first"`
	// Unread is up to when nothing was read yet, so that the first answer does not wait for
	// the last of four weeks.
	Unread time.Time `json:"unread_until,omitzero" doc:"before this nothing has been read yet: asked again, it goes on"`
	Fault  string    `json:"fault,omitempty" doc:"what is missing, and why"`

	numbers map[*timeline.Clip]int // of best_clips
}

// Height is a label's highest values: of those steps in which it had any.
type Height struct {
	Label   string    `json:"label"`
	Measure string    `json:"measure" enum:"contrast,score,similarity"`
	Novel   bool      `json:"novel,omitempty" doc:"the model was not trained on it"`
	Top     float64   `json:"top"`
	Rules   []Counts  `json:"rules" doc:"that watch it"`
	At      []int     `json:"at" doc:"the steps"`
	Values  []float64 `json:"values"`
	Clips   []int     `json:"clips" doc:"of each value the clip that had it, by its number in best_clips"`
}

// Counts is from which value on a rule counts a label.
type Counts struct {
	Rule    string  `json:"rule"`
	Measure string  `json:"measure"`
	Raise   float64 `json:"raise"`
}

// Moment is a clip.
type Moment struct {
	Clip string    `json:"clip_id"`
	End  time.Time `json:"end"`
}

// Raised is an alert on the camera.
type Raised struct {
	ID       string    `json:"alert_id,omitempty" doc:"only for who may review it"`
	Rule     string    `json:"rule"`
	Severity string    `json:"severity"`
	About    string    `json:"about"`
	Label    string    `json:"label,omitempty" doc:"absent: it is about something else than what was seen"`
	Onset    time.Time `json:"onset"`
	Raised   time.Time `json:"raised_at,omitzero" doc:"the end of the clip that raised it; absent: no clip did, or it is not known"`
	Ended    time.Time `json:"ended,omitzero" doc:"absent: it is open"`
	Mark     string    `json:"mark,omitempty" enum:"true,false" doc:"what a person said of it"`
	Clip     string    `json:"clip_id,omitempty" doc:"that decided"`
	Pictures bool      `json:"evidence,omitempty" doc:"there were pictures of it"`
}

// Gap is a time in which nothing could be seen.
type Gap struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Kind   string    `json:"kind" enum:"offline,black,frozen,covered,moved,defocused,dropped,not recognised,workers,none"`
	Reason string    `json:"reason"`
	Clips  bool      `json:"clips,omitempty" doc:"there were clips all the same"`
}

type timelineOutput struct {
	Cache string `header:"Cache-Control"`
	Body  Timeline
}

// timelineAPI adds what is asked of a camera's past.
func (c *Console) timelineAPI(api huma.API) {
	huma.Get(api, "/api/v1/cameras/{camera}/timeline", c.getTimeline, named("get-timeline", "What was recognised on a camera, its alerts and gaps"), c.needs(viewer))
	huma.Get(api, "/api/v1/cameras/{camera}/clips/{clip}/strip", c.getClipStrip, named("get-clip-strip", "Four small pictures of a clip as a JPEG"), c.needs(viewer))
	huma.Get(api, "/api/v1/cameras/{camera}/clips/{clip}/loop", c.getClipLoop, named("get-clip-loop", "The pictures of a clip, one below the other in a JPEG"), c.needs(viewer))
}

const (
	// timelineTime bounds how long an answer may take.
	timelineTime = 30 * time.Second
	// timelinesAtOnce bounds those that are read at a time.
	timelinesAtOnce = 8
	// maxBands bounds the labels of an answer, maxGaps its gaps.
	maxBands = 20
	maxGaps  = 500
	// endless is how long after the newest clip a gap begins.
	endless = 20 * time.Second
)

func (c *Console) getTimeline(ctx context.Context, in *timelineInput) (*timelineOutput, error) {
	tile, _, known := c.tile(ctx, in.Camera)
	if !known {
		return nil, noCamera(in.Camera)
	}
	now := time.Now()
	length := in.To.Sub(in.From)
	switch {
	case length <= 0 || length > timeline.Longest:
		return nil, huma.Error422UnprocessableEntity("from and to: want a time of at most 28 days, from before to")
	case in.From.After(now) || in.From.Year() < 2000:
		return nil, huma.Error422UnprocessableEntity("from: want a time of the past")
	}
	ctx, cancel := context.WithTimeout(ctx, timelineTime)
	defer cancel()
	back, err := c.share(ctx, c.looks)
	if err != nil {
		return nil, err
	}
	defer back()
	select {
	case c.timelines <- struct{}{}:
		defer func() { <-c.timelines }()
	case <-ctx.Done():
		return nil, huma.Error503ServiceUnavailable("too many timelines are read")
	}
	near, rules := c.wall.watching(in.Camera)
	asked := timeline.Asked{Camera: in.Camera, From: in.From, To: in.To, Steps: in.Buckets, Rules: rules, Watch: near.All}
	if p, err := c.Bus.PartitionOf(ctx, c.Names.Of(topics.Actions), []byte(in.Camera)); err == nil {
		asked.OnKafka = []int{p}
	}
	got, err := c.past.Read(ctx, asked)
	if err != nil {
		if !c.whoOf(ctx).All {
			err = errHidden
		}
		return nil, huma.Error503ServiceUnavailable("the timeline can't be read: " + topics.Clean(err.Error()))
	}
	out := &timelineOutput{Cache: "no-store", Body: Timeline{Camera: tile.Camera, Begin: got.Begin, Step: got.Step.Seconds(), Clips: got.Clips, Unread: got.Unread}}
	b := &out.Body
	b.heights(got.Bands(in.Labels, maxBands), near)
	b.see(got.Last)
	views := c.raised(ctx, b, in.From, in.To)
	c.gaps(ctx, b, got, in, tile, views)
	return out, nil
}

// heights takes over the labels.
func (t *Timeline) heights(bands []*timeline.Band, near alerts.Nearest) {
	t.Labels, t.Best = []Height{}, []Moment{}
	for _, band := range bands {
		h := Height{Label: band.Name(), Measure: string(band.Measure), Novel: band.Sample.Novel, Top: rounded(band.Top), Rules: []Counts{}, At: []int{}, Values: []float64{}, Clips: []int{}}
		for _, n := range near.All(&band.Sample) {
			h.Rules = append(h.Rules, Counts{topics.Clean(n.Rule), string(n.Measure), n.Raise})
		}
		for i, v := range band.Values {
			clip := band.Best[i]
			if clip == nil {
				continue
			}
			h.At, h.Values, h.Clips = append(h.At, i), append(h.Values, rounded(float64(v))), append(h.Clips, t.number(clip))
		}
		t.Labels = append(t.Labels, h)
	}
}

// see takes over a clip of each step.
func (t *Timeline) see(clips []*timeline.Clip) {
	t.Seen = make([]int, len(clips))
	for i, clip := range clips {
		if t.Seen[i] = -1; clip != nil {
			t.Seen[i] = t.number(clip)
		}
	}
}

// number is that of a clip in the list.
func (t *Timeline) number(clip *timeline.Clip) int {
	n, known := t.numbers[clip]
	if !known {
		if t.numbers == nil {
			t.numbers = map[*timeline.Clip]int{}
		}
		n = len(t.Best)
		t.numbers[clip] = n
		t.Best = append(t.Best, Moment{topics.Clean(clip.ID), clip.End})
	}
	return n
}

func rounded(v float64) float64 { return math.Round(v*1000) / 1000 }

// watching are the rules of a camera, and a number that changes when these others.
func (w *wall) watching(camera string) (alerts.Nearest, uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, known := w.tiles[camera]
	if !known {
		return alerts.Nearest{}, 0
	}
	return w.rules.Nearest(camera, t.Tags, w.limits), t.choice
}

func (c *Console) timelinePage(w http.ResponseWriter, r *http.Request) {
	c.show(w, r, http.StatusOK, view{Page: "timeline", Title: "Timeline", Tiles: c.wall.all(c.whoOf(r.Context()))})
}

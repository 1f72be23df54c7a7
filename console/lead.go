package console

import (
	"context"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

// Lead is what was seen before an alert was raised.
type Lead struct {
	Clips []LeadClip `json:"clips" doc:"the oldest first; the last is the one that decided"`
	// Nearest is, in the clip that decided, the label of the background that came nearest.
	Nearest      string  `json:"nearest_background,omitempty"`
	NearestValue float64 `json:"nearest_value,omitempty" doc:"of what the rule compares"`
	Background   float64 `json:"background_score,omitempty" doc:"the scores of all labels of the background"`
}

// LeadClip is a clip with the value of the alert's label.
type LeadClip struct {
	End    time.Time `json:"end"`
	Value  float64   `json:"value"`
	Counts bool      `json:"counts" doc:"it reached what the rule counts from"`
}

type leadOutput struct {
	Cache string `header:"Cache-Control"`
	Body  Lead
}

const (
	// leadBefore is how long before its onset what led to an alert is shown, leadMost how
	// long before its raise at most.
	leadBefore = 20 * time.Second
	leadMost   = 2 * time.Minute
	// leadClips bounds the clips.
	leadClips = 64
	// leadLate is how long after their time recognitions may have come.
	leadLate = 2 * time.Minute
	leadTime = 15 * time.Second
)

// getLead reads the camera's recognitions of that time.
func (c *Console) getLead(ctx context.Context, in *alertInput) (*leadOutput, error) {
	v, err := c.lookUp(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, leadTime)
	defer cancel()
	back, err := c.share(ctx, c.looks)
	if err != nil {
		return nil, err
	}
	defer back()
	select {
	case c.finding <- struct{}{}:
		defer func() { <-c.finding }()
	case <-ctx.Done():
		return nil, huma.Error503ServiceUnavailable("too many alerts are looked at: try again soon")
	}
	lead, err := c.lead(ctx, v)
	if err != nil {
		return nil, huma.Error503ServiceUnavailable("what led to the alert can't be read: " + c.reason(ctx, err))
	}
	return &leadOutput{c.keep(ctx, "private, max-age=60"), lead}, nil
}

func (c *Console) lead(ctx context.Context, v alertlog.View) (Lead, error) {
	out := Lead{Clips: []LeadClip{}}
	if v.Measure == "stream" {
		return out, nil
	}
	since := v.Onset.Add(-leadBefore)
	if most := v.At.Add(-leadMost); since.Before(most) {
		since = most
	}
	g := archive.Range{Since: since, Until: v.At.Add(time.Second), Cameras: []string{v.Camera}, Late: leadLate}
	if !g.Since.Before(g.Until) {
		return out, nil
	}
	seen := map[string]bool{}
	_, err := c.Past.Actions(ctx, g, func(r archive.Record[topics.Recognition]) error {
		if !seen[r.Value.ClipID] && len(seen) < 10*leadClips {
			seen[r.Value.ClipID] = true
			out.add(v, &r.Value)
		}
		return nil
	})
	return out, err
}

// add takes over a recognition. They come in order, but for a clip that was recognised
// again.
func (l *Lead) add(v alertlog.View, r *topics.Recognition) {
	at := slices.IndexFunc(r.Labels, func(s topics.LabelScore) bool { return s.Label == v.Label })
	clip := LeadClip{End: r.End}
	if at >= 0 {
		clip.Value = valueOf(v.Measure, &r.Labels[at])
		clip.Counts = v.Threshold > 0 && clip.Value >= v.Threshold
	}
	if l.Clips = append(l.Clips, clip); len(l.Clips) > leadClips {
		l.Clips = l.Clips[1:]
	}
	if r.ClipID != v.Clip {
		return
	}
	l.Background = r.Background
	for i := range r.Labels {
		s := &r.Labels[i]
		if value := valueOf(v.Measure, s); s.Background && value > l.NearestValue {
			l.Nearest, l.NearestValue = topics.Clean(s.Label), value
		}
	}
}

func valueOf(measure string, s *topics.LabelScore) float64 {
	switch measure {
	case "contrast":
		return s.Contrast
	case "similarity":
		return s.Similarity
	}
	return s.Score
}

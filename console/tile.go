package console

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/topics"
)

// Tile is what is shown of a camera. Its texts are cleaned.
type Tile struct {
	Camera string   `json:"camera"`
	Tags   []string `json:"tags,omitempty"`
	State  string   `json:"state" enum:"streaming,connecting,waiting,stopped,unknown" doc:"of its stream"`
	// Since is since when it is in this state.
	Since   time.Time `json:"since,omitzero"`
	Reason  string    `json:"reason,omitempty" doc:"why it does not stream, or why no clips come of it"`
	RetryAt time.Time `json:"retry_at,omitzero"`
	// Disabled: nothing connects to it, and nobody misses its video.
	Disabled bool `json:"disabled,omitempty"`
	// Fault is what is wrong with the pictures of a camera that streams.
	Fault      string    `json:"fault,omitempty" doc:"what is wrong with its pictures, such as frozen"`
	FaultSince time.Time `json:"fault_since,omitzero"`

	Clip   string    `json:"clip_id,omitempty" doc:"the newest clip"`
	Start  time.Time `json:"start,omitzero" doc:"of the newest clip"`
	End    time.Time `json:"end,omitzero"`
	Quiet  bool      `json:"quiet,omitempty" doc:"nothing moves"`
	Labels []Bar     `json:"labels" doc:"the labels that are nearest to an alert, then the best"`
	Alerts []Open    `json:"alerts" doc:"that are open"`
}

// Bar is a label's value in the newest clip.
type Bar struct {
	Label   string  `json:"label"`
	Measure string  `json:"measure" enum:"contrast,score,similarity"`
	Value   float64 `json:"value"`
	Raise   float64 `json:"raise,omitempty" doc:"a rule counts the label from this value on"`
	Rule    string  `json:"rule,omitempty"`
	Novel   bool    `json:"novel,omitempty" doc:"the model was not trained on it"`
}

// maxBars is how many labels a tile shows.
const maxBars = 3

// bars are the labels to show: those that rules watch first, the nearest to an alert
// first, then the best others.
func bars(r *topics.Recognition, near alerts.Nearest) []Bar {
	type ranked struct {
		Bar
		rank float64 // of watched labels above those of others
	}
	var all []ranked
	for i := range r.Labels {
		l := &r.Labels[i]
		b := Bar{Label: topics.Clean(l.Label), Measure: string(alerts.ByScore), Value: l.Score, Novel: l.Novel}
		if r.References != nil {
			b.Measure, b.Value = string(alerts.ByContrast), l.Contrast
		}
		rank := b.Value
		if n, watched := near.Of(l); watched {
			b.Measure, b.Value, b.Raise, b.Rule = string(n.Measure), n.Value, n.Raise, n.Rule
			rank = 1 + n.Value/max(n.Raise, 1e-3)
		} else if l.Background || l.Zone != nil {
			continue
		}
		if l.Zone != nil {
			b.Label = topics.Clean(b.Label + " in " + l.Zone.Name)
		}
		all = append(all, ranked{b, rank})
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(b.rank, a.rank) })
	out := []Bar{}
	for _, b := range all[:min(maxBars, len(all))] {
		out = append(out, b.Bar)
	}
	return out
}

// streamed takes over what is known of the camera's stream.
func (t *Tile) streamed(e cameras.Entry) {
	s := e.Status
	t.Camera, t.Tags = e.Name, cleaned(e.Tags)
	t.State, t.Since, t.Reason, t.RetryAt = cmp.Or(string(s.State), "unknown"), s.Since, s.Why(), s.RetryAt
	t.Disabled = e.Disabled
	t.Fault, t.FaultSince = "", time.Time{}
	if s.Picture != nil && s.State == topics.StreamStreaming {
		t.Fault, t.FaultSince = fault(*s.Picture)
	}
	if t.Fault == "" && s.Damaged >= 0.01 {
		t.Fault = fmt.Sprintf("%.0f%% of its pictures are damaged", 100*s.Damaged)
	}
}

// fault is what is wrong with pictures, in words, and since when.
func fault(p topics.PictureFaults) (string, time.Time) {
	var lens topics.LensFaults
	if p.Lens != nil {
		lens = *p.Lens
	}
	for _, f := range []struct {
		text  string
		since time.Time
	}{
		{"black", p.BlackSince}, {"frozen", p.FrozenSince}, {"covered", lens.CoveredSince},
		{"turned away", lens.MovedSince}, {"out of focus", lens.DefocusedSince},
	} {
		if !f.since.IsZero() {
			return f.text, f.since
		}
	}
	return "", time.Time{}
}

func cleaned(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = topics.Clean(t)
	}
	return out
}

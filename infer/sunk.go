package infer

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// sunk warns of rules on scores that an edit of the vocabulary has made less likely
// to raise. For each such rule it remembers the clip that scored highest, and scores
// it again after an edit. Rules on contrast need no such warning.
type sunk struct {
	reporter telemetry.Reporter

	mu      sync.Mutex
	version string           // of the vocabulary that clips were last scored with
	best    map[string]*high // by rule
}

// scoreRule is a rule on scores, for one camera.
type scoreRule struct {
	name  string
	raise float64
	watch *scoring.Watched
}

// high is the clip with the highest score for a rule.
type high struct {
	scoreRule
	label, camera, model string
	score                float64 // with the vocabulary of that moment
	end                  time.Time
	embedding            []float32
	scale                float32
	warned               bool
}

const (
	// maxSunk bounds the rules that are remembered.
	maxSunk = 1000
	// highFor is how long a clip counts as the highest: after that, one with a lower
	// score takes its place.
	highFor = 7 * 24 * time.Hour
	// sinks is the share of its score that a rule may lose without a warning, as long
	// as it still reaches what it raises at.
	sinks = 0.2
)

func newSunk(r telemetry.Reporter) *sunk { return &sunk{reporter: r, best: map[string]*high{}} }

// note takes a clip's result, for the rules on scores of its camera.
func (s *sunk) note(rec topics.Recognition, rules []scoreRule, m *scoring.Matrix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Version != s.version {
		s.version = m.Version
		s.compare(rec.Model, m)
	}
	for _, r := range rules {
		l, score := r.top(rec.Labels)
		h := s.best[r.name]
		switch {
		case l == "" || h == nil && len(s.best) >= maxSunk:
		case h == nil || h.model != rec.Model || score >= h.score || rec.End.Sub(h.end) > highFor:
			if h != nil && h.warned {
				s.warn(h, nil)
			}
			s.best[r.name] = &high{scoreRule: r, label: l, camera: rec.Camera, model: rec.Model, score: score, end: rec.End, embedding: rec.Embedding, scale: float32(rec.LogitScale)}
		}
	}
}

// top is the rule's label with the highest score; empty where the clip has none.
func (r scoreRule) top(labels []topics.LabelScore) (label string, score float64) {
	for _, l := range labels {
		if r.watch.Means(l) && (label == "" || l.Score > score) {
			label, score = l.Label, l.Score
		}
	}
	return label, score
}

// compare scores the highest clips again with an edited vocabulary.
func (s *sunk) compare(model string, m *scoring.Matrix) {
	for _, name := range slices.Sorted(maps.Keys(s.best)) {
		h := s.best[name]
		if h.model != model || h.score < h.raise {
			continue
		}
		label, now := h.top(m.Score(scoring.Clip{Mean: h.embedding}, h.scale, 0, h.watch).Labels)
		var err error
		if label != "" && (now < h.raise || now < (1-sinks)*h.score) {
			err = fmt.Errorf("the clip that scored highest for it (%q on camera %s, %s) had a score of %.2f and has %.2f since the vocabulary was edited; the rule raises at %.2f: scores depend on the other labels, contrast does not",
				topics.Clean(h.label), h.camera, h.end.UTC().Format(time.DateTime), h.score, now, h.raise)
		}
		s.warn(h, err)
	}
}

func (s *sunk) warn(h *high, err error) {
	if err != nil || h.warned {
		s.reporter.Warning("score of rule "+h.name, err)
	}
	h.warned = err != nil
}

// forget ends what is remembered of rules that are gone.
func (s *sunk) forget(still func(rule string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, h := range s.best {
		if !still(name) {
			s.warn(h, nil)
			delete(s.best, name)
		}
	}
}

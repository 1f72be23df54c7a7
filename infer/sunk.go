package infer

import (
	"fmt"
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

	mu       sync.Mutex
	versions map[string]string // that clips were last scored with, by vocabulary
	best     map[highKey]*high
}

// highKey is a rule and the vocabulary of some of its cameras: scores of different
// vocabularies can't be compared.
type highKey struct{ rule, vocabulary string }

// scoreRule is a rule on scores, for one camera.
type scoreRule struct {
	name  string
	raise float64
	watch *scoring.Watched
	zones []string // that it is about; none: the whole picture
}

// high is the clip with the highest score for a rule.
type high struct {
	scoreRule
	label, camera, model string
	vocabulary, part     string  // part: of warnings
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

func newSunk(r telemetry.Reporter) *sunk {
	return &sunk{reporter: r, versions: map[string]string{}, best: map[highKey]*high{}}
}

// note takes a clip's result, for the rules on scores of its camera. further is whether
// it was scored against another vocabulary than the default one.
func (s *sunk) note(rec topics.Recognition, rules []scoreRule, m *scoring.Matrix, further bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Version == "" { // there is nothing to score against
		return
	}
	if was := s.versions[m.Name]; m.Version != was {
		s.versions[m.Name] = m.Version
		s.compare(rec.Model, m)
	}
	for _, r := range rules {
		l := r.top(rec.Labels)
		key := highKey{r.name, m.Name}
		h := s.best[key]
		switch {
		case l.Label == "" || h == nil && len(s.best) >= maxSunk:
		case h == nil || h.model != rec.Model || l.Score >= h.score || rec.End.Sub(h.end) > highFor:
			if h != nil && h.warned {
				s.warn(h, nil)
			}
			s.best[key] = &high{scoreRule: r, label: l.Label, camera: rec.Camera, vocabulary: m.Name, part: partOf(r.name, m.Name, further), model: rec.Model, score: l.Score, end: rec.End, embedding: embeddingOf(rec, l), scale: float32(rec.LogitScale)}
		}
	}
}

// partOf names a rule in warnings.
func partOf(rule, vocabulary string, further bool) string {
	part := "score of rule " + rule
	if further {
		part += " with vocabulary " + vocabulary
	}
	return part
}

// top is the rule's label with the highest score; empty where the clip has none.
func (r scoreRule) top(labels []topics.LabelScore) (best topics.LabelScore) {
	for _, l := range labels {
		if r.means(l) && (best.Label == "" || l.Score > best.Score) {
			best = l
		}
	}
	return best
}

// means is whether the rule is about the label, where it was seen.
func (r scoreRule) means(l topics.LabelScore) bool {
	if l.Zone == nil {
		return len(r.zones) == 0 && r.watch.Means(l)
	}
	return slices.Contains(r.zones, l.Zone.Name) && r.watch.Means(l)
}

// embeddingOf is that of the view that a label's result is of.
func embeddingOf(rec topics.Recognition, l topics.LabelScore) []float32 {
	if l.View == 0 { // the record's own
		return rec.Embedding
	}
	return l.SeenIn(rec.Views).Embedding
}

// compare scores the highest clips again with an edited vocabulary.
func (s *sunk) compare(model string, m *scoring.Matrix) {
	for _, h := range s.best {
		if h.vocabulary != m.Name || h.model != model || h.score < h.raise {
			continue
		}
		now := scoreRule{watch: h.watch}.top(m.Score(scoring.Clip{Mean: h.embedding}, h.scale, 0, h.watch).Labels)
		var err error
		if now.Label != "" && (now.Score < h.raise || now.Score < (1-sinks)*h.score) {
			err = fmt.Errorf("the clip that scored highest for it (%q on camera %s, %s) had a score of %.2f and has %.2f since the vocabulary was edited; the rule raises at %.2f: scores depend on the other labels, contrast does not",
				topics.Clean(h.label), h.camera, h.end.UTC().Format(time.DateTime), h.score, now.Score, h.raise)
		}
		s.warn(h, err)
	}
}

func (s *sunk) warn(h *high, err error) {
	if err != nil || h.warned {
		s.reporter.Warning(h.part, err)
	}
	h.warned = err != nil
}

// forget ends what is remembered of rules that are gone.
func (s *sunk) forget(still func(rule string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, h := range s.best {
		if !still(key.rule) {
			s.warn(h, nil)
			delete(s.best, key)
		}
	}
}

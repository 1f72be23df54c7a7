package infer

import (
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// quiet lets the model see one in every clips of a quiet spell of a camera. The others
// are scored with the embeddings of that one, so that rules, calibration and the archive
// have a recognition of each clip as always. Only batchLoop uses it.
type quiet struct {
	every  int
	spells map[string]*spell // by camera
}

// spell is what the model saw last of a camera before which nothing happens.
type spell struct {
	service *service
	epoch   time.Time
	clip    string
	looks   []media.Look
	seen    []scoring.Clip
	next    uint64 // sequence of the clip that continues it
	left    int    // clips that may still be given its embeddings
}

// mostSpells bounds what is remembered, should somebody send clips of cameras that do
// not exist.
const mostSpells = 10_000

func newQuiet(every int) *quiet { return &quiet{every: every, spells: map[string]*spell{}} }

// repeats gives a clip the embeddings of an earlier one of the same quiet spell; false
// where the model has to see it.
func (q *quiet) repeats(c *clip) bool {
	s := q.spells[c.Camera]
	if s == nil {
		return false
	}
	if !c.Quiet || s.left == 0 || s.service != c.service || s.next != c.Sequence || !s.epoch.Equal(c.Epoch) || !slices.Equal(s.looks, c.looks) {
		delete(q.spells, c.Camera)
		return false
	}
	s.next++
	s.left--
	c.seen, c.embeddedAs = s.seen, s.clip
	return true
}

// note takes a clip that the model has seen.
func (q *quiet) note(c *clip) {
	zoomed := slices.ContainsFunc(c.looks, func(l media.Look) bool { return l.View == topics.ViewZoom })
	if !c.Quiet || zoomed || q.every < 2 {
		return
	}
	if len(q.spells) >= mostSpells {
		clear(q.spells)
	}
	q.spells[c.Camera] = &spell{
		service: c.service, epoch: c.Epoch, clip: c.ID, looks: c.looks, seen: c.seen, next: c.Sequence + 1, left: q.every - 1,
	}
}

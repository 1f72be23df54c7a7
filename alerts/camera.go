package alerts

import (
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// camera is what the engine remembers of one camera.
type camera struct {
	epochs []epoch   // the last few, the current one last
	last   about     // its newest clip
	tags   []string  // those of its newest clip
	model  string    // that its newest clip was recognised by
	known  time.Time // of its newest restored alert: what follows from earlier clips is published
	unsure bool      // whether rules still watch it is to be decided by a clip after known
	stride time.Duration
	heard  time.Duration     // when its last clip came, on the engine's clock
	byRule map[string]*watch // by rule, those of removed rules too until SetRules
	rules  []*watch          // of the rules that watch the camera, in the rules' order
	floors floors
}

// epoch is one unbroken stretch of a stream.
type epoch struct {
	began    time.Time
	newest   time.Time // start of its newest clip
	sequence uint64    // of that clip
}

const (
	// maxEpochs is how many stream epochs of a camera are remembered, so that
	// clips of them that are sent again are not taken for a new epoch.
	maxEpochs = 8
	// maxStride bounds the stride that is computed from a camera's records: the
	// framer cuts no clips further apart.
	maxStride = time.Hour
)

// move records a clip. fresh: it belongs to another epoch than the clip before it.
// past: it, or a later clip of its epoch, was seen already. Epochs are not compared
// by their time, so that a camera stays watched when its host's clock is set back.
func (c *camera) move(rec *topics.Recognition) (fresh, past bool) {
	current := len(c.epochs) - 1
	i := slices.IndexFunc(c.epochs, func(e epoch) bool { return e.began.Equal(rec.Epoch) })
	if i >= 0 && !rec.Start.After(c.epochs[i].newest) {
		return false, true
	}
	if i < 0 || i != current {
		if i >= 0 {
			c.epochs = slices.Delete(c.epochs, i, i+1)
		}
		c.epochs = append(c.epochs, epoch{began: rec.Epoch})
		c.epochs = c.epochs[max(0, len(c.epochs)-maxEpochs):]
		fresh = true
	}
	e := &c.epochs[len(c.epochs)-1]
	if !fresh {
		c.stride = strideBetween(e.newest, e.sequence, rec.Start, rec.Sequence)
	}
	e.newest, e.sequence = rec.Start, rec.Sequence
	c.last = aboutClip(rec)
	c.last.views = nil // they hold embeddings, and a clear that no clip decides has no place
	return fresh, false
}

// strideBetween is the time between the starts of neighbouring clips, worked out
// from a clip's start and sequence number and those of a later one of its epoch, which
// need not be the next.
func strideBetween(start time.Time, sequence uint64, later time.Time, laterSequence uint64) time.Duration {
	apart := later.Sub(start)
	if laterSequence > sequence {
		apart /= time.Duration(min(laterSequence-sequence, 1<<32))
	}
	return min(apart, maxStride)
}

// about is what an alert reports about the clip that decided.
type about struct {
	camera string
	tags   []string
	end    time.Time
	clip   string
	model  string
	vocab  topics.VocabRef
	views  []topics.SeenView
}

func aboutClip(rec *topics.Recognition) about {
	return about{camera: rec.Camera, tags: rec.Tags, end: rec.End, clip: rec.ClipID, model: rec.Model, vocab: rec.Vocab, views: rec.Views}
}

// alert makes an alert of the clip and a label's result.
func (c about) alert(l topics.LabelScore) topics.Alert {
	a := topics.Alert{
		Camera: c.camera, Tags: c.tags, Label: l.Label, Score: l.Score, Similarity: l.Similarity, Contrast: l.Contrast,
		Zone: zoneName(&l), Novel: l.Novel, NearestBase: l.NearestBase, At: c.end, Clip: c.clip, Model: c.model, Vocab: c.vocab,
	}
	if l.Score != 0 || l.Similarity != 0 {
		a.View, a.Box = place(c.views, l)
	}
	return a
}

// place is where a label of a clip with these views was seen.
func place(views []topics.SeenView, l topics.LabelScore) (topics.View, *topics.Box) {
	seen := l.SeenIn(views)
	if seen == nil {
		return "", nil
	}
	box := seen.Box // alone: a view holds embeddings
	return seen.View, &box
}

package history

import (
	"cmp"
	"slices"
	"time"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/fleet"
	"github.com/frostwatch/frostwatch/topics"
)

// stream is an epoch of a camera.
type stream struct {
	camera string
	epoch  time.Time
}

func streamOf(camera string, epoch time.Time) stream { return stream{camera, epoch.UTC()} }

// checkLedger holds the ledger to itself: each clip of an epoch is in it, and those that were
// not acknowledged have a reason.
func (c *checker) checkLedger() {
	next := map[stream]uint64{} // sequence
	for _, e := range c.ordered() {
		c.r.Clips++
		at := streamOf(e.Camera, e.Epoch)
		if e.Sequence != next[at] {
			c.r.add(Unaccounted, e.Clip, "clip %d follows %d in the ledger", e.Sequence, int64(next[at])-1)
		}
		next[at] = e.Sequence + 1
		switch {
		case e.At != nil:
			c.r.Acked++
		case e.Dropped == "":
			c.r.add(Unaccounted, e.Clip, "it was neither acknowledged nor dropped for a reason")
		default:
			c.r.Dropped[e.Dropped]++
		}
	}
}

// ordered are the entries by camera, epoch and sequence: the order without disturbances.
func (c *checker) ordered() []*fleet.Entry {
	out := make([]*fleet.Entry, len(c.Ledger))
	for i := range c.Ledger {
		out[i] = &c.Ledger[i]
	}
	slices.SortStableFunc(out, func(a, b *fleet.Entry) int {
		return cmp.Or(cmp.Compare(a.Camera, b.Camera), a.Epoch.Compare(b.Epoch), cmp.Compare(a.Sequence, b.Sequence))
	})
	return out
}

// mayBe is whether a clip may be on the topic.
func mayBe(e *fleet.Entry) bool { return e.At != nil || e.Dropped == fleet.Unanswered }

// checkRecognitions looks at each recognition as it comes.
func (c *checker) checkRecognitions() {
	type from struct {
		id string
		at topics.RecordRef
	}
	c.byClip = map[string]*Recognition{}
	same := map[from]*Recognition{} // the newest of each record of a clip
	newest := map[stream]uint64{}   // sequence
	for i := range c.Recognitions {
		r := &c.Recognitions[i]
		of := from{r.ClipID, r.Clip}
		was, again := same[of]
		switch {
		case again && !r.again(was.Record), c.Calm && c.byClip[r.ClipID] != nil:
			c.r.add(Repeated, r.ClipID, "recognised at %s and again at %s, under generation %d", place(c.byClip[r.ClipID].Record), place(r.Record), r.Generation)
		case c.byClip[r.ClipID] != nil:
			c.r.Repeats++
		}
		same[of] = r
		if c.byClip[r.ClipID] != nil {
			continue
		}
		c.byClip[r.ClipID] = r
		if e := c.entries[r.ClipID]; e == nil || !mayBe(e) {
			c.r.add(Invented, r.ClipID, "recognised at %s, and never sent", place(r.Record))
			continue
		}
		c.r.Recognised++
		at := streamOf(r.Camera, r.Epoch)
		if last, begun := newest[at]; begun && r.Sequence < last {
			c.r.add(Disorder, r.ClipID, "clip %d of its epoch is recognised for the first time after clip %d, at %s", r.Sequence, last, place(r.Record))
		}
		newest[at] = max(newest[at], r.Sequence)
	}
}

// checkClips finds clips that are lost.
func (c *checker) checkClips() {
	for i := range c.Ledger {
		e := &c.Ledger[i]
		if e.At != nil && !c.onTopic[e.Clip] {
			c.r.add(LostClip, e.Clip, "it was acknowledged at %d/%d", e.At.Partition, e.At.Offset)
			continue
		}
		if !c.onTopic[e.Clip] || c.byClip[e.Clip] != nil {
			continue
		}
		if why := c.accounts[e.Clip]; why != "" {
			c.r.Accounted[why]++
			continue
		}
		c.r.add(LostRecognition, e.Clip, "nothing tells what became of it")
	}
}

// checkResults compares recognitions of the same pixels.
func (c *checker) checkResults() {
	type source struct {
		shows, model string
		vocab        topics.VocabRef
	}
	results := map[source]*Recognition{}
	for i := range c.Recognitions {
		r := &c.Recognitions[i]
		e := c.entries[r.ClipID]
		if e == nil {
			continue
		}
		of := source{e.Shows, r.Model, r.Vocab}
		if was := results[of]; was == nil {
			results[of] = r
		} else if was.Result != r.Result {
			c.r.add(Contradiction, r.ClipID, "it shows what %s shows, and was recognised differently", was.ClipID)
		}
	}
}

// likely is what a clip would have been recognised as: what it was, or else what another
// that shows the same was; nil where none does.
func (c *checker) likely() func(*fleet.Entry) *topics.Recognition {
	shown := map[string]*Recognition{}
	for id, r := range c.byClip {
		if e := c.entries[id]; e != nil && (shown[e.Shows] == nil || r.ClipID < shown[e.Shows].ClipID) {
			shown[e.Shows] = r
		}
	}
	return func(e *fleet.Entry) *topics.Recognition {
		if r := c.byClip[e.Clip]; r != nil {
			return &r.Recognition
		}
		like := shown[e.Shows]
		if like == nil {
			return nil
		}
		r := like.Recognition
		r.ClipID, r.Camera, r.Epoch, r.Sequence, r.Start, r.End = e.Clip, e.Camera, e.Epoch, e.Sequence, e.Start, e.End
		return &r
	}
}

package infer

import (
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// ends is how many frame embeddings at either end of a clip are averaged. Unlike
// the clip embedding, these two means tell a clip from the same one played
// backwards (docs/design.md).
const ends = 3

// recognition makes the record of a clip whose looks are all embedded.
func (s *Stage) recognition(c *clip) (bus.Message, error) {
	m, model := c.matrix, c.service.Model
	began := s.Now()
	scored := m.ScoreViews(c.seen[:c.whole], model.LogitScale(), s.TopK, c.watch.Watched)
	m.ScoreZones(&scored, c.seen, model.LogitScale(), c.zones())
	took := s.Now().Sub(began)
	rec := topics.Recognition{
		ClipID: c.ID, Camera: c.Camera, Tags: c.Tags,
		Epoch: c.Epoch, Sequence: c.Sequence,
		Start: c.StartTime(), End: c.EndTime(),
		Clip:       topics.RecordRef{Topic: c.msg.Topic, Partition: c.msg.Partition, Offset: c.msg.Offset},
		Labels:     scored.Labels,
		Background: scored.Background,
		Embedding:  c.seen[0].Mean,
		First:      c.seen[0].First,
		Last:       c.seen[0].Last,
		Model:      model.ID(),
		LogitScale: float64(model.LogitScale()),
		References: scored.References,
		Views:      c.views(scored),
		Quiet:      c.Quiet,
		EmbeddedAs: c.embeddedAs,
		Vocab:      topics.VocabRef{Name: m.Name, Version: m.Version},
		Timings: topics.Timings{
			Queue: milliseconds(c.age), Decode: milliseconds(c.took),
			Model: milliseconds(c.ran), Score: milliseconds(took), Batch: c.batch,
		},
	}
	s.sunk.note(rec, c.watch.scores, m, s.vocabularyOf(c) != "")
	value, err := topics.EncodeRecognition(rec)
	if err != nil {
		return bus.Message{}, err
	}
	msg := bus.Message{Topic: s.Names.Of(topics.Actions), Key: []byte(c.Camera), Value: value,
		Headers: []bus.Header{{Key: "content-type", Value: []byte(topics.ContentType)}}}
	s.Propagator.Inject(c.ctx, bus.HeaderCarrier{Headers: &msg.Headers})
	return msg, nil
}

// zoneOf is the zone that a look was drawn for.
func (c *clip) zoneOf(l media.Look) *topics.ZoneRef {
	if l.Zone == 0 {
		return nil
	}
	ref := c.Zones[l.Zone-1].Ref()
	return &ref
}

// zones are those of the clip that rules name, each with the looks that count for it.
func (c *clip) zones() (out []scoring.Zone) {
	for _, z := range c.Zones {
		watched := c.watch.zones[z.Name]
		if watched == nil {
			continue
		}
		of := scoring.Zone{Ref: z.Ref(), Watched: watched}
		for i, l := range c.looks {
			if z.Counts(of.Ref, l.View, l.Box, c.zoneOf(l)) {
				of.Views = append(of.Views, i)
			}
		}
		out = append(out, of)
	}
	return out
}

// views are what a clip was seen in whose camera names views, or has zones that rules name.
func (c *clip) views(scored scoring.Scored) []topics.SeenView {
	if len(c.Views) == 0 && !scored.InZones {
		return nil
	}
	out := make([]topics.SeenView, len(c.looks))
	for i, l := range c.looks {
		out[i] = topics.SeenView{View: l.View, Box: l.Box, Zone: c.zoneOf(l)}
		if i == 0 {
			continue // the record's own
		}
		out[i].Embedding, out[i].First, out[i].Last = c.seen[i].Mean, c.seen[i].First, c.seen[i].Last
		if scored.References != nil {
			out[i].Logit = scored.Logits[i]
		}
	}
	return out
}

// meanFrames averages n frame embeddings of clip i, starting at index first.
func meanFrames(e froster.ClipEmbeddings, i, first, n int) []float32 {
	sum := make([]float32, len(e.Frame(i, first)))
	for k := range n {
		for d, v := range e.Frame(i, first+k) {
			sum[d] += v / float32(n)
		}
	}
	return sum
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

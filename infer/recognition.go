package infer

import (
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// ends is how many frame embeddings at either end of a clip are averaged. Unlike
// the clip embedding, these two means tell a clip from the same one played
// backwards (docs/design.md).
const ends = 3

// recognition makes the record of clip i of a run.
func (s *Stage) recognition(r run, i int, m *scoring.Matrix) (bus.Message, error) {
	c, e, model := r.clips[i], r.embedded, r.clips[i].service.Model
	began := s.Now()
	// As the record holds it, so that whoever scores the past gets the same.
	n := min(ends, c.service.Frames)
	seen := scoring.Clip{
		Mean: topics.RoundFloat16(e.Clip(i)), First: topics.RoundFloat16(meanFrames(e, i, 0, n)),
		Last: topics.RoundFloat16(meanFrames(e, i, c.service.Frames-n, n)),
	}
	watch := s.watched.of(c.Camera)
	scored := m.Score(seen, model.LogitScale(), s.TopK, watch.Watched)
	took := s.Now().Sub(began)
	rec := topics.Recognition{
		ClipID: c.ID, Camera: c.Camera, Tags: c.Tags,
		Epoch: c.Epoch, Sequence: c.Sequence,
		Start: c.StartTime(), End: c.EndTime(),
		Clip:       topics.RecordRef{Topic: c.msg.Topic, Partition: c.msg.Partition, Offset: c.msg.Offset},
		Labels:     scored.Labels,
		Background: scored.Background,
		Embedding:  seen.Mean,
		First:      seen.First,
		Last:       seen.Last,
		Model:      model.ID(),
		LogitScale: float64(model.LogitScale()),
		References: scored.References,
		Vocab:      topics.VocabRef{Name: m.Name, Version: m.Version},
		Timings: topics.Timings{
			Queue: milliseconds(c.age), Decode: milliseconds(c.took),
			Model: milliseconds(r.took), Score: milliseconds(took), Batch: len(r.clips),
		},
	}
	s.sunk.note(rec, watch.scores, m, s.vocabularyOf(c) != "")
	value, err := topics.EncodeRecognition(rec)
	if err != nil {
		return bus.Message{}, err
	}
	msg := bus.Message{Topic: s.Names.Of(topics.Actions), Key: []byte(c.Camera), Value: value,
		Headers: []bus.Header{{Key: "content-type", Value: []byte(topics.ContentType)}}}
	s.Propagator.Inject(c.ctx, bus.HeaderCarrier{Headers: &msg.Headers})
	return msg, nil
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

package infer

import (
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

// ends is how many frame embeddings at either end are averaged: they keep the
// order that the clip embedding forgets (see docs/design.md).
const ends = 3

// recognition is the record of clip i of a run.
func (s *Stage) recognition(r run, i int, m *scoring.Matrix) (bus.Message, error) {
	j, e := r.jobs[i], r.embedded
	serving := j.term.Serving
	began := s.Now()
	clip := e.Clip(i)
	scored := m.Score(clip, serving.Model.LogitScale(), s.TopK)
	took := s.Now().Sub(began)
	n := min(ends, serving.Frames)
	value, err := topics.EncodeRecognition(topics.Recognition{
		ClipID: j.clip.ID, Camera: j.clip.Camera, Tags: j.clip.Tags,
		Epoch: j.clip.Epoch, Sequence: j.clip.Sequence,
		Start: j.clip.StartTime(), End: j.clip.EndTime(),
		Clip:       topics.RecordRef{Topic: j.msg.Topic, Partition: j.msg.Partition, Offset: j.msg.Offset},
		Labels:     scored.Labels,
		Background: scored.Background,
		Embedding:  clip,
		First:      meanFrames(e, i, 0, n),
		Last:       meanFrames(e, i, serving.Frames-n, n),
		Model:      serving.Model.ID(),
		Vocab:      topics.VocabRef{Name: m.Name, Version: m.Version},
		Timings: topics.Timings{
			Queue: milliseconds(j.read.Sub(j.clip.EndTime())), Decode: milliseconds(j.took),
			Model: milliseconds(r.took), Score: milliseconds(took), Batch: len(r.jobs),
		},
	})
	if err != nil {
		return bus.Message{}, err
	}
	msg := bus.Message{Topic: s.Names.Of(topics.Actions), Key: []byte(j.clip.Camera), Value: value,
		Headers: []bus.Header{{Key: "content-type", Value: []byte(topics.ContentType)}}}
	s.Propagator.Inject(j.ctx, bus.HeaderCarrier{Headers: &msg.Headers})
	return msg, nil
}

// meanFrames averages n frame embeddings of clip i from the first-th on.
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

package infer

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// swiftModel takes no time.
type swiftModel struct {
	*fakeModel
	clips atomic.Int64
}

func (m *swiftModel) EmbedClips(_ context.Context, _ []byte, batch int) (froster.ClipEmbeddings, error) {
	m.clips.Add(int64(batch))
	return froster.NewClipEmbeddings(fakeDim, fakeFrames, make([]float32, batch*fakeDim), make([]float32, batch*fakeFrames*fakeDim))
}

// BenchmarkStage is all of the stage but the model: clips of eight frames of
// 398x224, none of them shared, from the embedded broker and back.
func BenchmarkStage(b *testing.B) {
	r := newRig(b, 4)
	e, err := jpeg.NewEncoder()
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	picture := func() []byte {
		rgb := make([]byte, 3*398*224)
		for i := range rgb {
			rgb[i] = byte((7*int(rgb[max(i-3, 0)]) + random.IntN(256)) / 8)
		}
		data, err := e.Encode(rgb, 398, 224, 85, jpeg.Full)
		if err != nil {
			b.Fatal(err)
		}
		return data
	}
	const clips = 200
	now := time.Now()
	var msgs []bus.Message
	for n := range clips {
		c := topics.Clip{Camera: string(rune('a' + n%8)), Epoch: now, Sequence: uint64(n), Start: time.Duration(n) * time.Second, Window: time.Second, Width: 398, Height: 224}
		c.ID = topics.ClipID(c.Camera, c.Epoch, c.Start)
		for k := range 8 {
			c.Frames = append(c.Frames, topics.ClipFrame{JPEG: picture(), Stream: c.Start + time.Duration(k)*time.Millisecond, Captured: now})
		}
		value, err := topics.EncodeClip(c)
		if err != nil {
			b.Fatal(err)
		}
		msgs = append(msgs, bus.Message{Topic: r.names.Of(topics.Clips), Key: []byte(c.Camera), Value: value})
	}
	m := &swiftModel{fakeModel: r.model("swift")}
	o := r.options(Recogniser{Model: m, Vocabulary: m, Frames: fakeFrames, Side: 224, Close: m.Close})
	o.MaxBatch, o.Decoders, o.MaxAge = 8, 2, 0
	start(b, o)
	for b.Loop() {
		before := m.clips.Load()
		if _, err := r.client.Send(b.Context(), msgs...); err != nil {
			b.Fatal(err)
		}
		for m.clips.Load() < before+clips {
			time.Sleep(time.Millisecond)
		}
	}
	b.ReportMetric(float64(clips*b.N)/b.Elapsed().Seconds(), "clips/s")
}

package infer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// reasons says why records are dead letters, by key.
func (r *rig) reasons() map[string][]string {
	out := map[string][]string{}
	for _, m := range r.read(topics.DeadLetter) {
		out[string(m.Key)] = append(out[string(m.Key)], bus.HeaderCarrier{Headers: &m.Headers}.Get(topics.HeaderReason))
	}
	return out
}

// Pictures of a few bytes that would become gigabytes when resized are refused
// before that, and other cameras are not affected.
func TestHostilePicturesAreDeadLetters(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	frame := jpegOf(t, 48, 32, color.White)
	now := time.Now()
	sizes := [][2]int{{8192, 1}, {1, 8192}, {2000, 1}}
	for i, size := range sizes {
		r.send("a", clipOf(t, "a", i, frame, now))
		picture := jpegOf(t, size[0], size[1], color.White)
		for n := range 3 {
			c, err := topics.DecodeClip(clipOf(t, "evil", 3*i+n, picture, now))
			if err != nil {
				t.Fatal(err)
			}
			c.Width, c.Height = size[0], size[1]
			b, err := topics.EncodeClip(c)
			if err != nil {
				t.Fatal(err)
			}
			r.send("evil", b)
		}
	}
	m := r.model("large")
	o := r.options(Recogniser{Model: m, Vocabulary: m, Frames: fakeFrames, Side: fakeSide, Close: m.Close})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	runUntil(t, o, func() bool {
		return len(r.read(topics.Actions)) == len(sizes) && len(r.read(topics.DeadLetter)) == 3*len(sizes)
	})
	runtime.ReadMemStats(&after)
	r.wantEach(map[string]int{"a": len(sizes)})
	for _, why := range r.reasons()["evil"] {
		if !strings.Contains(why, "at most 16 times the other") {
			t.Errorf("dead letter: %s", why)
		}
	}
	if took := (after.Sys - before.Sys) >> 20; took > 256 {
		t.Errorf("the process grew by %d MB", took)
	}
}

// A record of millions of empty frames is refused before they take gigabytes, with a
// reason that names them, and other cameras are not affected.
func TestRecordsOfEmptyFramesAreDeadLetters(t *testing.T) { // alone: it measures memory
	const partitions, each = 6, 2
	r := newRig(t, partitions)
	evil := bytes.Repeat([]byte{0x4a, 0}, 2_090_000) // field 9 of a clip
	cameras := map[int]string{}                      // one in every partition
	for i := 0; len(cameras) < partitions; i++ {
		camera := fmt.Sprint("evil", i)
		home, err := r.client.PartitionOf(t.Context(), r.names.Of(topics.Clips), []byte(camera))
		if err != nil {
			t.Fatal(err)
		}
		if cameras[home] == "" {
			cameras[home] = camera
		}
	}
	for _, camera := range cameras {
		for range each {
			r.send(camera, evil)
		}
	}
	r.send("a", clipOf(t, "a", 0, jpegOf(t, 48, 32, color.White), time.Now()))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	runUntil(t, r.options(r.model("large").recogniser()), func() bool {
		return len(r.read(topics.Actions)) == 1 && len(r.read(topics.DeadLetter)) == partitions*each
	})
	runtime.ReadMemStats(&after)
	const want = "decode clip: frames: 2090000 elements, want at most 64"
	for camera, all := range r.reasons() {
		for _, why := range all {
			if why != want {
				t.Errorf("dead letter of %s: %s", camera, why)
			}
		}
	}
	took := (after.Sys - before.Sys) >> 20
	t.Logf("the process grew by %d MB", took)
	if took > 512 {
		t.Errorf("the process grew by %d MB", took)
	}
}

// The room of the stage counts whole records: one may be nothing but its key.
func TestWeightIsOfTheWholeRecord(t *testing.T) {
	t.Parallel()
	l := &lease{Stage: &Stage{roomBytes: 1000}}
	c := &clip{lease: l, msg: bus.Message{Key: make([]byte, 500), Value: make([]byte, 30), Headers: []bus.Header{{Key: "abcd", Value: make([]byte, 6)}}}}
	if got := c.weight(); got != 540 {
		t.Errorf("%d bytes, want 540", got)
	}
	c.msg.Headers[0].Value = make([]byte, 600)
	if got := c.weight(); got != 1000 {
		t.Errorf("%d bytes, more than there is room for", got)
	}
}

// A recognition that Kafka refuses for its size is a dead letter; those of its
// batch are published, and the stage goes on.
func TestRefusedRecognition(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	white, black := jpegOf(t, 48, 32, color.White), jpegOf(t, 48, 32, color.Black)
	now := time.Now()
	// The labels next to a white clip carry more tags than a record may have.
	var labels []vocab.Label
	vectors := map[string][]float32{}
	for i := range 1000 {
		label := vocab.Label{Name: fmt.Sprint("label ", i)}
		vectors[label.Name] = []float32{-1, 0, 0, 0}
		if i%2 == 0 {
			label.Tags = []string{strings.Repeat("t", 12<<10)}
			vectors[label.Name] = []float32{1, 0, 0, 0}
		}
		labels = append(labels, label)
	}
	matrix, err := scoring.NewMatrix("default", labels, vectors)
	if err != nil {
		t.Fatal(err)
	}
	m := r.model("first")
	m.matrix, m.signed = matrix, true
	const n = 6
	for i := range n {
		r.send("dark", clipOf(t, "dark", i, black, now))
		if i == 2 {
			r.send("bright", clipOf(t, "bright", 0, white, now))
		}
	}
	o := r.options(m.recogniser())
	o.TopK, o.MaxBatch = 500, 2*n
	count, meter := counted()
	o.Meter = meter
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) >= n && len(r.read(topics.DeadLetter)) == 1 })
	r.wantEach(map[string]int{"dark": n})
	if why := r.reasons()["bright"]; len(why) != 1 || !strings.Contains(why[0], "its recognition of") || !strings.Contains(why[0], "was refused") {
		t.Errorf("dead letter: %v", why)
	}
	if got := count(t); got["frostwatch.infer.clips"] != n || got["frostwatch.dead_letters"] != 1 {
		t.Errorf("counted %v", got)
	}
	// Its clip is committed.
	r.send("dark", clipOf(t, "dark", n, black, now))
	runUntil(t, r.options(r.model("second").recogniser()), func() bool { return len(r.read(topics.Actions)) > n })
	r.wantEach(map[string]int{"dark": n + 1})
}

// A record that is too large even for the dead letters is skipped and counted.
func TestLargestRecords(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	frame := jpegOf(t, 48, 32, color.White)
	const most = 4 << 20
	r.send("a", bytes.Repeat([]byte{'x'}, most-200))
	r.send(strings.Repeat("k", most-10<<10), []byte("no clip"))
	r.send("a", clipOf(t, "a", 0, frame, time.Now()))
	count, meter := counted()
	o := r.options(r.model("first").recogniser())
	o.Meter = meter
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) == 1 })
	if got := count(t); got["frostwatch.dead_letters"] != 2 || got["frostwatch.dead_letters_lost"] != 1 {
		t.Errorf("counted %v", got)
	}
	r.send("a", clipOf(t, "a", 1, frame, time.Now()))
	count, meter = counted()
	o = r.options(r.model("second").recogniser())
	o.Meter = meter
	runUntil(t, o, func() bool { return len(r.read(topics.Actions)) == 2 })
	if got := count(t); got["frostwatch.dead_letters"] != 0 {
		t.Errorf("what was passed over is read again: %v", got)
	}
}

// A model that breaks in the middle of a run ends the stage; what was published
// before stays, the rest is recognised by the next worker, and nothing is lost.
func TestModelBreaksInTheMiddle(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2)
	frame := jpegOf(t, 48, 32, color.White)
	now := time.Now()
	want := map[string]int{"a": 20, "b": 20, "c": 20}
	for n := range 20 {
		for camera := range want {
			r.send(camera, clipOf(t, camera, n, frame, now))
		}
	}
	m := r.model("breaking")
	m.fault = func([]byte, int) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.runs > 5 {
			return errors.New("device lost")
		}
		return nil
	}
	s, err := New(r.options(m.recogniser()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), stagetest.Patience)
	defer cancel()
	if err := s.Run(ctx); err == nil || !strings.Contains(err.Error(), "device lost") || !m.isClosed() {
		t.Errorf("the stage ends with %v, closed %v", err, m.isClosed())
	}
	before := len(r.read(topics.Actions))
	if len(r.read(topics.DeadLetter)) != 0 {
		t.Error("clips are dead letters since the model broke")
	}
	each := func() map[string]bool {
		ids := map[string]bool{}
		for _, recognitions := range r.recognitions() {
			for _, rec := range recognitions {
				ids[rec.ClipID] = true
			}
		}
		return ids
	}
	runUntil(t, r.options(r.model("sound").recogniser()), func() bool { return len(each()) == 60 })
	// Only clips that were published but not committed yet are recognised twice.
	if again := len(r.read(topics.Actions)) - 60; again > before {
		t.Errorf("%d clips were recognised again, of %d before", again, before)
	}
}

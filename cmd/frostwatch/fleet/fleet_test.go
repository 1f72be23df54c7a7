package fleet

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker keeps what is sent to it, by camera, as DecodeClip reads it.
type broker struct {
	mu    sync.Mutex
	clips map[string][]topics.Clip
	err   error
	n     int64
}

func (b *broker) send(_ context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	refs := make([]topics.RecordRef, len(msgs))
	for i, m := range msgs {
		c, err := topics.DecodeClip(m.Value)
		if err != nil || string(m.Key) != c.Camera || m.Since.IsZero() {
			b.err = errors.Join(errors.New("a record that infer can't read"), err)
		}
		for _, key := range []string{topics.HeaderGeneration, "traceparent"} {
			if (bus.HeaderCarrier{Headers: &m.Headers}).Get(key) == "" {
				b.err = errors.New("a record without " + key)
			}
		}
		b.clips[c.Camera] = append(b.clips[c.Camera], c)
		refs[i] = topics.RecordRef{Topic: m.Topic, Offset: b.n}
		b.n++
	}
	return refs, b.err
}

// options are a fleet of 7 cameras that is over at once.
func options(send bus.SendFunc) Options {
	return Options{
		Send: send, Topic: "clips", Cameras: 7, Clips: 40, Speed: 1e6, Seed: 3, Epochs: 20, Stride: topics.Stride{Steps: 4},
		Begin: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC), Width: 64, Height: 48, Senders: 3, Queue: 1000,
	}
}

func run(ctx context.Context, t *testing.T, o Options) (entries []Entry, r Result) {
	t.Helper()
	var written bytes.Buffer
	ledger := NewLedger(&written)
	o.Note = ledger.Note
	r, err := Run(ctx, o)
	if err := errors.Join(err, ledger.Close()); err != nil {
		t.Fatal(err)
	}
	entries, err = ReadLedger(&written)
	if err != nil {
		t.Fatal(err)
	}
	return entries, r
}

// The clips are those that a framer would cut: in order, on one grid of frames, sharing half
// of them, with a new epoch after each connection.
func TestClipsAreAsAFramerCutsThem(t *testing.T) {
	b := &broker{clips: map[string][]topics.Clip{}}
	entries, r := run(t.Context(), t, options(b.send))
	if b.err != nil {
		t.Fatal(b.err)
	}
	sent, epochs := 0, 0
	for _, clips := range b.clips {
		sent += len(clips)
		for i, c := range clips {
			if c.ID != topics.ClipID(c.Camera, c.Epoch, c.Start) || len(c.Frames) != topics.ClipFrames {
				t.Fatalf("clip %s of %d frames", c.ID, len(c.Frames))
			}
			if i == 0 || !c.Epoch.Equal(clips[i-1].Epoch) {
				epochs++
				if c.Sequence != 0 || c.Start != 0 || i > 0 && c.Epoch.Before(clips[i-1].EndTime()) {
					t.Errorf("%s begins an epoch with clip %d, after one that ended at %v", c.ID, c.Sequence, clips[max(i-1, 0)].EndTime())
				}
				continue
			}
			was := clips[i-1]
			if c.Sequence != was.Sequence+1 || !slices.EqualFunc(was.Frames[4:], c.Frames[:4], func(a, b topics.ClipFrame) bool { return bytes.Equal(a.JPEG, b.JPEG) }) {
				t.Errorf("%s does not continue %s", c.ID, was.ID)
			}
			if bytes.Equal(c.Frames[3].JPEG, c.Frames[5].JPEG) {
				t.Errorf("two frames of %s are the same to the byte", c.ID)
			}
		}
	}
	if len(b.clips) != 7 || sent != r.Acked || r.Clips != sent || len(entries) != sent || epochs <= 7 {
		t.Errorf("%d cameras, %d clips in %d epochs, %d entries: %+v", len(b.clips), sent, epochs, len(entries), r)
	}
	d, err := jpeg.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, f := range b.clips["fleet-00001"][0].Frames {
		if err := d.Decode(f.JPEG, make([]byte, 3*64*48), 64, 48); err != nil {
			t.Error(err)
		}
	}
}

// The same seed gives the same clips, another gives others.
func TestTheSeedDecides(t *testing.T) {
	ids := func(seed uint64) map[string]string {
		o := options((&broker{clips: map[string][]topics.Clip{}}).send)
		o.Seed = seed
		entries, _ := run(t.Context(), t, o)
		out := map[string]string{}
		for _, e := range entries {
			out[e.Clip] = e.Shows
		}
		return out
	}
	one := ids(1)
	if !maps.Equal(one, ids(1)) {
		t.Error("the same seed gives other clips")
	}
	if maps.Equal(one, ids(2)) {
		t.Error("another seed gives the same clips")
	}
}

// A broker that is away costs the oldest clips, each of which is in the ledger with its reason,
// and what was sent without an answer is told apart.
func TestEveryClipIsInTheLedger(t *testing.T) {
	o := options(func(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
		<-ctx.Done()
		return make([]topics.RecordRef, len(msgs)), ctx.Err()
	})
	o.Queue = 5
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	entries, r := run(ctx, t, o)
	reasons := map[string]int{}
	for _, e := range entries {
		reasons[e.Dropped]++
		if e.At != nil {
			t.Errorf("%s counts as acknowledged", e.Clip)
		}
	}
	if len(entries) != r.Clips || !maps.Equal(reasons, r.Dropped) || reasons[QueueFull] == 0 || reasons[Stopped] == 0 || reasons[Unanswered] == 0 || reasons[""] != 0 {
		t.Errorf("%d clips, %d entries, %v, %+v", r.Clips, len(entries), reasons, r)
	}
}

// Without a time to begin at, no clip is dated in the future, however fast.
func TestNoClipIsFromTheFuture(t *testing.T) {
	for _, speed := range []float64{1, 40} {
		b := &broker{clips: map[string][]topics.Clip{}}
		o := options(func(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
			for _, m := range msgs {
				if c, err := topics.DecodeClip(m.Value); err == nil && c.EndTime().After(time.Now()) {
					t.Errorf("speed %v: %s ends in %v", speed, c.ID, time.Until(c.EndTime()))
				}
			}
			return b.send(ctx, msgs...)
		})
		o.Begin, o.Speed, o.Cameras, o.Clips = time.Time{}, speed, 5, 1+int(speed)
		run(t.Context(), t, o)
	}
}

func TestWhatAFleetCantBe(t *testing.T) {
	for want, spoil := range map[string]func(*Options){
		"0 cameras: want at least 1":      func(o *Options) { o.Cameras = 0 },
		"speed 2: want a number of clips": func(o *Options) { o.Speed, o.Clips = 2, 0 },
		"speed -1: want more than 0":      func(o *Options) { o.Speed = -1 },
		"-1 clips of each camera":         func(o *Options) { o.Clips = -1 },
		"camera name":                     func(o *Options) { o.Name = "a b" },
		"window of 1h":                    func(o *Options) { o.Window = time.Hour },
		"scene 99: want":                  func(o *Options) { o.Scenes = []int{99} },
	} {
		o := options((&broker{}).send)
		spoil(&o)
		if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

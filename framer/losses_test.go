package framer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// warnings are what was reported, in order; one that is withdrawn is "over".
type warnings struct {
	telemetry.Quiet
	mu  sync.Mutex
	all []string
}

func (s *warnings) Warning(part string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.all = append(s.all, part+": over")
	} else {
		s.all = append(s.all, fmt.Sprintf("%s: %v", part, err))
	}
}

// Kafka is away and comes back: what waited longest is dropped, the newest are
// published with how long they waited, and the log and readiness say once when
// clips began to be lost and once when that was over.
func TestLossesBeginAndEnd(t *testing.T) {
	out, hears, log := &clips{}, &warnings{}, &bytes.Buffer{}
	clock := time.Unix(1_700_000_000, 0)
	s, counts := testStream(t, out, func(o *Options) {
		o.Queue, o.Reporter, o.Logger = 3, hears, slog.New(slog.NewTextHandler(log, nil))
		o.Now = func() time.Time { return clock }
	})
	var since []time.Time
	s.sender = func(ctx context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
		since = append(since, msgs[0].Since)
		return out.send(ctx, msgs...)
	}
	f := newFilm(t, s)
	for i := range 600 { // 17 windows
		clock = f.start.Add(f.at(i))
		f.run(i, i+1, 0)
	}
	if got := counts.value(t, "frostwatch.framer.clips_dropped"); got != 14 {
		t.Errorf("%d clips dropped, want 14", got)
	}
	publish(s)
	if got := out.sequences(); !slices.Equal(got, []int{14, 15, 16}) {
		t.Errorf("clips %v", got)
	}
	for i, want := range []int{14, 15, 16} {
		// A window is complete with its last frame, at 127/128 of it.
		made := f.start.Add(time.Duration(want)*halfWindow + trainedWindow)
		if d := since[i].Sub(made).Abs(); d > 2*tick {
			t.Errorf("clip %d waits since %v after it was made", want, d)
		}
	}
	want := []string{"clips of cam: " + errQueueFull.Error(), "clips of cam: over"}
	if !slices.Equal(hears.all, want) {
		t.Errorf("reported %q, want %q", hears.all, want)
	}
	if text := log.String(); strings.Count(text, "clips are lost") != 1 || strings.Count(text, "clips are published again") != 1 || !strings.Contains(text, "lost=14") {
		t.Errorf("log:\n%s", text)
	}
}

// A camera whose clips Kafka can't take is reported. Pictures that are too large for it
// are compressed until it can.
func TestClipsThatKafkaRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		short int
		err   error // of sending
		want  []string
	}{
		{"too large", 1080, nil, nil},
		{"refused", 64, errors.New("Topic Authorization Failed"), []string{"clips of cam: Topic Authorization Failed", "clips of cam: over"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			hears, sent := &warnings{}, 0
			s, counts := testStream(t, &clips{}, func(o *Options) { o.ShortSide, o.Quality, o.Reporter = c.short, 100, hears })
			s.sender = func(context.Context, ...bus.Message) ([]topics.RecordRef, error) {
				sent++
				return nil, c.err
			}
			r := rand.New(rand.NewPCG(1, 2))
			noise := make([]byte, 320*180*3)
			for i := range noise {
				noise[i] = byte(r.Uint32())
			}
			s.Connected(media.StreamInfo{})
			for i := range 65 { // one window
				at := time.Duration(i) * tick
				err := s.Frame(t.Context(), &media.Frame{
					PTS: at, Until: at + tick, Arrived: time.Unix(1_700_000_000, 0).Add(at), Width: 320, Height: 180,
					RGB: func([]byte) ([]byte, error) { return noise, nil },
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			publish(s)
			if !slices.Equal(hears.all, c.want) {
				t.Errorf("reported %q, want %q", hears.all, c.want)
			}
			if got := counts.value(t, "frostwatch.framer.clips_dropped"); got != int64(len(c.want)/2) || sent != 1 {
				t.Errorf("%d clips dropped, %d sent", got, sent)
			}
		})
	}
}

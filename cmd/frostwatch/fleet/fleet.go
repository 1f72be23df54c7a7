// Package fleet simulates cameras by their clips: what the framer would publish for them,
// without a stream, a decoder or a worker. Each clip that the broker acknowledged, and each
// that was dropped, with the reason, is noted in a ledger, against which what became of
// them can be checked.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// Options of a fleet. Send, Topic, Cameras and Stride are required.
type Options struct {
	Send    bus.SendFunc
	Topic   string // full name of the topic of clips
	Cameras int
	// Name begins the cameras' names: NAME-00001 and so on; "": fleet.
	Name string
	// Seed decides what each camera shows, when it begins and when it connects anew. With the
	// same Begin the ids of the clips are the same, too.
	Seed uint64
	// Clips are the windows of each camera, of which those are missing in which it connects
	// anew; 0: until the context ends.
	Clips int

	Window time.Duration // 0: FROSTER's 128/30 s
	Stride topics.Stride
	// Speed is how many times as often as of a real camera clips come; 0: 1. With another than
	// 1, Clips is required: the first window begins so long ago that the last ends now, since
	// stages refuse what is dated in the future.
	Speed float64
	Begin time.Time // of the first streams; zero: so that windows end when they are sent

	Width, Height int // of pictures; 0: 398x224
	Quality       int // of JPEG; 0: 90
	// Scenes are those that cameras show, by index below Scenes(); the first is what they show
	// most. Empty: all.
	Scenes []int
	// Epochs is after how many clips on average a camera connects anew; 0: never.
	Epochs int
	// Steady cameras show one scene all the time, in turn.
	Steady bool

	Senders int // that send at the same time; 0: 16
	Queue   int // clips of each sender that wait; a full queue drops the oldest; 0: as the framer, 8 a camera
	// Note gets what became of each clip, from several goroutines; nil: nobody asks.
	Note func(Entry)
}

// Result is what a fleet has done.
type Result struct {
	Clips   int            // that were due
	Acked   int            // of them, acknowledged by the broker
	Bytes   int64          // of acknowledged records
	Dropped map[string]int // by reason
	Lasted  time.Duration
	Slowest time.Duration // from when a clip was due until it was acknowledged
}

// Reasons for which a clip is not known to be on the topic.
const (
	QueueFull = "queue full" // never sent
	Stopped   = "stopped"    // never sent: the fleet ended before its turn
	Refused   = "refused"    // by the broker, for good
	// Unanswered: it was sent, and the broker may have it, but the fleet ended before it said so.
	Unanswered = "not acknowledged"
)

const (
	defaultSenders = 16
	defaultQueue   = 8 // a camera
	// together is how many clips of a sender go out in one call, so that few are in memory
	// as records.
	together = 8
)

func (o *Options) check() error {
	switch {
	case o.Send == nil || o.Topic == "":
		return errors.New("simulate fleet: send and topic are required")
	case o.Cameras < 1:
		return fmt.Errorf("simulate fleet: %d cameras: want at least 1", o.Cameras)
	case o.Clips < 0 || o.Epochs < 0:
		return fmt.Errorf("simulate fleet: %d clips of each camera, and %d until it connects anew: neither may be below 0", o.Clips, o.Epochs)
	case o.Speed < 0:
		return fmt.Errorf("simulate fleet: speed %v: want more than 0", o.Speed)
	case o.Speed != 0 && o.Speed != 1 && o.Clips == 0:
		return fmt.Errorf("simulate fleet: speed %v: want a number of clips of each camera, too, as any speed but 1 does", o.Speed)
	}
	o.defaults()
	if err := topics.CheckCameraName(o.camera(o.Cameras - 1)); err != nil {
		return fmt.Errorf("simulate fleet: %w", err)
	}
	if err := topics.CheckTimes(o.Window, o.Stride); err != nil {
		return fmt.Errorf("simulate fleet: %w", err)
	}
	for _, s := range o.Scenes {
		if s < 0 || s >= Scenes() {
			return fmt.Errorf("simulate fleet: scene %d: want 0 to %d", s, Scenes()-1)
		}
	}
	return nil
}

func (o *Options) defaults() {
	if o.Name == "" {
		o.Name = "fleet"
	}
	if o.Window == 0 {
		o.Window = 4267 * time.Millisecond
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Width == 0 || o.Height == 0 {
		o.Width, o.Height = 398, 224
	}
	if o.Quality == 0 {
		o.Quality = 90
	}
	if len(o.Scenes) == 0 {
		for i := range Scenes() {
			o.Scenes = append(o.Scenes, i)
		}
	}
	if o.Senders == 0 {
		o.Senders = min(defaultSenders, o.Cameras)
	}
	if o.Queue == 0 {
		o.Queue = max(defaultQueue*o.Cameras/o.Senders, together)
	}
	if o.Note == nil {
		o.Note = func(Entry) {}
	}
}

// camera is the name of the camera of that index.
func (o *Options) camera(i int) string { return fmt.Sprintf("%s-%05d", o.Name, i+1) }

// fleet is one run.
type fleet struct {
	Options
	begun   time.Time
	headers []bus.Header
	album   *album
	senders []*sender
	totals  totals
}

// Run publishes clips until each camera has had its number, or ctx ends. Neither memory
// nor goroutines grow with the time, and only some hundred bytes with each camera.
func Run(ctx context.Context, o Options) (Result, error) {
	if err := o.check(); err != nil {
		return Result{}, err
	}
	album, err := newAlbum(o.Width, o.Height, o.Quality)
	if err != nil {
		return Result{}, fmt.Errorf("simulate fleet: make pictures: %w", err)
	}
	f := &fleet{Options: o, begun: time.Now(), album: album, totals: newTotals()}
	// As of a worker whose group began now (bus.Generations).
	f.headers = []bus.Header{{Key: topics.HeaderGeneration, Value: []byte(strconv.FormatInt(f.begun.Unix(), 10))}}
	var g errgroup.Group
	for range o.Senders {
		s := newSender(f)
		f.senders = append(f.senders, s)
		g.Go(func() error { return s.run(ctx) })
	}
	f.film(ctx)
	for _, s := range f.senders {
		s.close()
	}
	err = g.Wait()
	r := f.totals.result()
	r.Lasted = time.Since(f.begun)
	return r, err
}

// film hands over clips when they are due, until all are or ctx ends. Cameras begin spread
// over one stride, as those do that were not switched on together.
func (f *fleet) film(ctx context.Context) {
	stride := f.Stride.Of(f.Window)
	every, n := time.Duration(float64(stride)/f.Speed), time.Duration(f.Cameras)
	cameras := make([]*camera, f.Cameras)
	for i := range cameras {
		cameras[i] = newCamera(f, i, f.began().Add(time.Duration(i)*stride/n))
	}
	for round := 0; f.Clips == 0 || round < f.Clips; round++ {
		for i, c := range cameras {
			due := f.begun.Add(time.Duration(round)*every + time.Duration(i)*every/n)
			if wait := time.Until(due); wait > 0 && !pause.For(ctx, wait) || ctx.Err() != nil {
				return
			}
			if j, ok := c.next(round, due); ok {
				f.totals.due()
				f.senders[i%len(f.senders)].push(j)
			}
		}
	}
}

// began is when the first camera's first window began: a window ago, or as much more as
// clips come faster than time passes.
func (f *fleet) began() time.Time {
	if !f.Begin.IsZero() {
		return f.Begin
	}
	begun := f.begun.Add(-f.Window - late)
	if f.Speed > 1 {
		begun = begun.Add(-time.Duration(float64(f.Clips+1) * float64(f.Stride.Of(f.Window)) * (1 - 1/f.Speed)))
	}
	return begun
}

// source is the random source of a camera.
func (f *fleet) source(camera int) *rand.Rand {
	return rand.New(rand.NewPCG(f.Seed, uint64(camera)))
}

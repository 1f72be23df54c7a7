package ingest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// mainKeeper reads the main stream of a camera that is looked at by another (Camera.Watch):
// its packets are kept for films, and nothing is decoded. What is wrong with it costs
// films, and nothing else.
type mainKeeper struct {
	*runner
	failures int
	warned   string // the reason that was logged last
}

// keepMain connects, and connects again, until ctx ends.
func (r *runner) keepMain(ctx context.Context, delay time.Duration) {
	k := &mainKeeper{runner: r}
	defer r.main.Store(nil)
	defer r.Reporter.Warning(k.part(), nil)
	if !pause.For(ctx, delay) {
		return
	}
	for {
		own := r.resolver.trust.owns(r.camera)
		k.run(ctx)
		if ctx.Err() != nil || own || !r.resolver.trust.await(ctx, r.camera) {
			break
		}
	}
	<-ctx.Done() // until then it says why it is stopped
}

// part is the stream's name in the worker's readiness.
func (k *mainKeeper) part() string { return k.runner.part() + ", main stream" }

// run returns once only another record, or an end, can help.
func (k *mainKeeper) run(ctx context.Context) {
	for {
		k.now(topics.MainStream{State: topics.StreamConnecting, Reason: k.warned})
		begun := time.Now()
		err := k.connection(ctx)
		if ctx.Err() != nil {
			return
		}
		var f *media.Fault
		if !errors.As(err, &f) {
			f = media.NewFault(media.KindOther, "%v", err)
		}
		if f.Text != k.warned {
			k.warned = f.Text
			k.log.WarnContext(ctx, "no packets of the main stream for films", "reason", f.Text)
		}
		k.Reporter.Warning(k.part(), f)
		if f.Kind == media.KindAddress {
			k.now(topics.MainStream{State: topics.StreamStopped, Reason: f.Text})
			return
		}
		lasted := time.Since(begun)
		if lasted >= k.Backoff.ResetAfter {
			k.failures = 0
		}
		k.failures++
		d := k.Backoff.after(k.failures, lasted, k.window())
		if f.Kind == media.KindCredentials || f.Kind == kindRefused {
			d = k.Backoff.Max // as for the stream that is looked at
		}
		k.metrics.reconnect(ctx, k.camera.Name, f.Kind)
		k.now(topics.MainStream{State: topics.StreamWaiting, Reason: f.Text, RetryAt: k.Now().Add(d).UTC()})
		if !pause.For(ctx, d) {
			return
		}
	}
}

// connection keeps packets until the stream ends.
func (k *mainKeeper) connection(ctx context.Context) error {
	a, err := k.addressOf(ctx, k.camera.URL, k.failures)
	if err != nil {
		return err
	}
	if a.scheme == "file" {
		return media.NewFault(media.KindAddress, "it is a file: watch is for cameras with two streams")
	}
	c := k.camera
	c.Poll = 0 // which is about the other
	s, err := k.opener().open(ctx, c, a, k.options(ctx))
	if err != nil {
		return err
	}
	defer s.Close()
	if codec := s.Track().Codec; !media.Filmable(codec) {
		return media.NewFault(media.KindNotVideo, "no films can be made of %s: set H.264 in the camera", codec)
	}
	k.reel.connected(s.Track())
	err = s.Copy(func(t media.Track) { k.streams(ctx, t) })
	if errors.Is(err, io.EOF) {
		return media.NewFault(media.KindEnded, "the recording has ended")
	}
	return s.because(err)
}

func (k *mainKeeper) options(ctx context.Context) media.StreamOptions {
	o := k.streamOptions(ctx)
	poll := time.Duration(k.camera.Poll)
	o.Open, o.Read, o.Watchdog = o.Open-poll, o.Read-poll, o.Watchdog-poll
	o.OnPacket, o.OnDemand, o.OnWait, o.OnKept = k.reel.packet, false, nil, nil
	return o
}

// streams notes that pictures of a size come.
func (k *mainKeeper) streams(ctx context.Context, t media.Track) {
	k.reel.sized(t)
	k.Reporter.Warning(k.part(), nil)
	k.log.InfoContext(ctx, "packets of the main stream are kept", "url", cameras.RedactURL(k.camera.URL), "codec", t.Codec, "width", t.Width, "height", t.Height)
	k.warned = ""
	k.now(topics.MainStream{State: topics.StreamStreaming, Codec: t.Codec, Width: t.Width, Height: t.Height})
}

// now publishes the stream's state.
func (k *mainKeeper) now(m topics.MainStream) {
	m.Since = k.Now().UTC()
	if was := k.main.Load(); was != nil && was.State == m.State {
		m.Since = cmp.Or(was.Since, m.Since)
	}
	k.main.Store(&m)
	k.repeat()
}

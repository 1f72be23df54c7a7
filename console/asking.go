package console

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/console/words"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// askingAtOnce bounds the questions to the past that are answered at a time: each reads
	// what a day or more has recorded. askingWaits bounds those that wait for their turn.
	askingAtOnce = 2
	askingWaits  = 16
	// askTime bounds one, waiting included.
	askTime = time.Minute
)

// asking is who asks the past.
type asking struct{ turn, waits chan struct{} }

func newAsking() asking {
	return asking{make(chan struct{}, askingAtOnce), make(chan struct{}, askingAtOnce+askingWaits)}
}

// ask lets a few questions through at a time; done ends one.
func (a asking) ask(all context.Context) (ctx context.Context, done func(), err error) {
	select {
	case a.waits <- struct{}{}:
	default:
		return nil, nil, huma.Error429TooManyRequests("too many questions to the past at once: try again soon")
	}
	ctx, cancel := context.WithTimeout(all, askTime)
	select {
	case a.turn <- struct{}{}:
		return ctx, func() { <-a.turn; <-a.waits; cancel() }, nil
	case <-ctx.Done():
		<-a.waits
		cancel()
		return nil, nil, huma.Error503ServiceUnavailable("other questions to the past take too long: try again soon")
	}
}

// ask lets a few questions through at a time, of each user some; done ends one.
func (c *Console) ask(all context.Context) (ctx context.Context, done func(), err error) {
	back, err := c.share(all, c.questions)
	if err != nil {
		return nil, nil, err
	}
	ctx, end, err := c.asking.ask(all)
	if err != nil {
		back()
		return nil, nil, err
	}
	return ctx, func() { end(); back() }, nil
}

// asker is what asks the past.
func (c *Console) asker() (words.Asker, error) {
	if c.Redis == nil {
		return words.Asker{}, huma.Error503ServiceUnavailable("this console has no Redis, where words are")
	}
	return words.Asker{Past: c.Past, Client: c.Redis, Prefix: c.Config.Redis.Prefix, Now: time.Now()}, nil
}

// PastInput is the part of the past that is asked about.
type PastInput struct {
	Camera string    `query:"camera" maxLength:"200" doc:"name of a camera, or a glob (default: every camera that is seen)"`
	Since  time.Time `query:"since" doc:"RFC 3339 (default: a day ago)"`
	Until  time.Time `query:"until" doc:"RFC 3339 (default: now)"`
}

// pastAsked is a range that holds cameras alone which who asks may see; none: they see no such
// camera.
func (c *Console) pastAsked(ctx context.Context, in PastInput, now time.Time) (g archive.Range, none bool, err error) {
	g = archive.Range{Since: in.Since, Until: in.Until}
	if g.Until.IsZero() {
		g.Until = now
	}
	if g.Since.IsZero() {
		g.Since = g.Until.Add(-day)
	}
	if !g.Since.Before(g.Until) {
		return g, false, huma.Error422UnprocessableEntity("since is not before until")
	}
	if _, err := path.Match(in.Camera, ""); err != nil {
		return g, false, huma.Error422UnprocessableEntity("camera: want a name, or a glob such as ward-*")
	}
	who := c.whoOf(ctx)
	if who.All {
		if in.Camera != "" {
			g.Cameras = []string{in.Camera}
		}
		return g, false, nil
	}
	for _, t := range c.wall.all(who) {
		if ok, _ := path.Match(in.Camera, t.Camera); ok || in.Camera == "" {
			g.Cameras = append(g.Cameras, t.Camera)
		}
	}
	return g, len(g.Cameras) == 0, nil
}

// nothing is what is said of a time with no recordings.
const nothing = "Nothing is recorded in this time."

// unasked is why a question has no answer. What else than itself is wrong may name cameras.
func (c *Console) unasked(ctx context.Context, err error) error {
	switch {
	case errors.As(err, new(huma.StatusError)):
		return err
	case errors.Is(err, scoring.ErrUnanswered):
		return huma.Error503ServiceUnavailable("The words can't be read now, since no infer worker answers: try again, or see in Health whether one runs. " + topics.Clean(err.Error()))
	case errors.Is(err, words.ErrNoContrast):
		return huma.Error503ServiceUnavailable(topics.Clean(err.Error()))
	case errors.Is(err, context.DeadlineExceeded):
		return huma.Error503ServiceUnavailable(fmt.Sprintf("It takes longer than %.0f s: try again when less is going on, or ask about fewer cameras or a shorter time", askTime.Seconds()))
	case errors.Is(err, calibrate.ErrNothing):
		return huma.Error404NotFound(nothing)
	case !c.whoOf(ctx).All:
		err = errHidden
	}
	return huma.Error503ServiceUnavailable("The past can't be asked: " + topics.Clean(err.Error()))
}

package infer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// Run consumes clips until ctx ends. It then publishes what was read, within
// bus.Grace, closes the recognisers and returns. It returns an error if Kafka
// refuses the stage for good or the model fails on every clip. It must be called
// only once.
func (s *Stage) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.services.stop()) }()
	following, unfollow := context.WithCancel(ctx)
	var table sync.WaitGroup
	table.Go(func() { s.followWatched(following) })
	defer table.Wait()
	defer unfollow()
	if !s.awaitVocabulary(ctx) || !s.watched.await(ctx) {
		return nil
	}
	unobserve, err := s.observeLate()
	if err != nil {
		return err
	}
	defer unobserve()
	decoders, err := s.openDecoders()
	defer func() {
		for _, d := range decoders {
			d.Close()
		}
	}()
	if err != nil {
		return fmt.Errorf("infer: %w", err)
	}
	// Decoders and model go on after ctx has ended, to finish the clips that were
	// read. If the model fails, cancel ends them, and run stops consuming.
	work, cancel := pause.Outlive(ctx, bus.Grace)
	defer cancel()
	if err := s.run(ctx, work, cancel, decoders); ctx.Err() == nil {
		return err
	} else if err != nil {
		s.Logger.Warn("stopped before all clips were published; they will be read again", "error", err)
	}
	return nil
}

// run runs all goroutines of the stage and waits for them.
func (s *Stage) run(ctx, work context.Context, cancel context.CancelFunc, decoders []*media.ClipDecoder) error {
	consuming, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error { s.backlog.watch(consuming); return nil })
	for _, d := range decoders {
		g.Go(func() error { s.decodeLoop(work, d); return nil })
	}
	g.Go(func() error {
		err := s.batchLoop(work)
		if err != nil {
			cancel()
			stop()
		}
		return err
	})
	g.Go(func() error {
		defer stop()
		defer close(s.order)
		defer close(s.decode)
		err := s.Bus.Consume(consuming, bus.GroupOptions{Group: s.Group, Topic: s.Names.Of(topics.Clips), StartFirst: true}, s.hold(consuming, work))
		if err != nil && ctx.Err() == nil && work.Err() == nil {
			return fmt.Errorf("consume clips: %w", err)
		}
		return nil
	})
	return g.Wait()
}

// awaitVocabulary blocks until there is a vocabulary, because a clip scored
// against no labels would be committed and lost. It returns false if ctx ended
// before.
func (s *Stage) awaitVocabulary(ctx context.Context) bool {
	for {
		serving := s.services.inService()
		select {
		case <-serving.Vocabulary.Ready():
			s.waiting.Store(false)
			return true
		case <-serving.idle: // another one has replaced it
		case <-ctx.Done():
			return false
		}
	}
}

func (s *Stage) openDecoders() (all []*media.ClipDecoder, err error) {
	frames := media.NewFrameCache(frameCacheBytes)
	for range s.Decoders {
		d, err := media.NewClipDecoder(frames)
		if err != nil {
			return all, err
		}
		all = append(all, d)
	}
	return all, nil
}

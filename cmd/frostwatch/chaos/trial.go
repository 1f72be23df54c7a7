package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/frostwatch/frostwatch/cmd/frostwatch/fleet"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/history"
	"github.com/frostwatch/frostwatch/internal/pause"
)

const (
	// slack is by how much earlier than a trial's beginning its records are read.
	slack = 5 * time.Second
	// quietTime is how long all may take to be right once nothing is disturbed any more. It is
	// less than the minute without clips after which alerts clear by themselves.
	quietTime = 45 * time.Second
	// settleTime is how long it has to stay right: what comes again or too much comes late.
	settleTime = 2 * time.Second
	// sendTime bounds how long the fleet may go on sending after the load's time.
	sendTime = 30 * time.Second
	// noClips is after how long without a clip alerts are cleared (alerts.Options).
	noClips = time.Minute
)

// trial disturbs the rig by a plan while a fleet sends, and checks what came of it.
func (r *rig) trial(ctx context.Context, p Plan, c cast) (Result, error) {
	out := Result{Trial: p.Trial, Seed: p.Seed, Nemesis: p.Nemesis, Schedule: p.Schedule(), Report: &history.Report{}}
	r.say("%s", heading(out))
	if err := r.ready(ctx); err != nil {
		return out, err
	}
	resets := r.proxy.resets()
	name, begun := fmt.Sprintf("chaos-%d-%d", p.Seed, p.Trial), time.Now()
	var ledger ledger
	sending, stop := context.WithTimeout(ctx, r.load()+sendTime)
	defer stop()
	var g errgroup.Group
	g.Go(func() error {
		_, err := fleet.Run(sending, r.fleet(fleet.Options{
			Cameras: r.Cameras, Name: name, Seed: p.Seed<<16 + uint64(p.Trial), Clips: r.Clips, Speed: r.Speed, Epochs: 2 * r.Clips,
			Scenes: c.scenes, Note: ledger.note,
		}))
		return err
	})
	failed := r.disturb(ctx, p.steps)
	if err := g.Wait(); err != nil {
		return out, err
	}
	quiet := time.Now()
	err := r.check(ctx, &out, history.History{Ledger: ledger.entries, Rules: c.rules, NoClips: noClips, Calm: p.Nemesis == Calm}, begun.Add(-slack), name+"-")
	out.Resets = r.proxy.resets() - resets
	out.Quiet = time.Since(quiet).Seconds()
	if failed = errors.Join(failed, r.dead()); failed != nil {
		out.Failed = failed.Error()
		err = errors.Join(err, r.revive())
	}
	return out, err
}

// ledger holds the entries of one trial.
type ledger struct {
	mu      sync.Mutex
	entries []fleet.Entry
}

func (l *ledger) note(e fleet.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
}

// read reads the history of the cameras whose names begin so.
func (r *rig) read(ctx context.Context, since time.Time, prefix string) (history.History, error) {
	ctx, cancel := context.WithTimeout(ctx, quietTime)
	defer cancel()
	return history.Source{Client: r.client, Names: r.names, Since: since, Of: func(camera string) bool { return strings.HasPrefix(camera, prefix) }}.Read(ctx)
}

// check waits until nothing is wrong and stays so, or the time is over.
func (r *rig) check(ctx context.Context, out *Result, of history.History, since time.Time, prefix string) error {
	right := 0
	for end := time.Now().Add(quietTime); right < 2; {
		h, err := r.read(ctx, since, prefix)
		if err != nil {
			return err
		}
		h.Ledger, h.Rules, h.NoClips, h.Calm = of.Ledger, of.Rules, of.NoClips, of.Calm
		out.Report = history.Check(h)
		right++
		if !out.Report.OK() {
			right = 0
			if time.Now().After(end) {
				return nil
			}
		}
		if !pause.For(ctx, settleTime) {
			return ctx.Err()
		}
	}
	return nil
}

// ready waits until each worker serves: a clip of a camera of its own passes through.
func (r *rig) ready(ctx context.Context) error {
	if err := r.dead(); err != nil {
		return err
	}
	since, name := time.Now().Add(-slack), fmt.Sprintf("ready-%d", time.Now().UnixMilli())
	if _, err := fleet.Run(ctx, r.fleet(fleet.Options{Cameras: 4 * partitions, Name: name, Clips: 1})); err != nil {
		return err
	}
	return within(ctx, wakeTime, "the workers to recognise a clip of each partition", func() (bool, error) {
		h, err := r.read(ctx, since, name)
		return len(h.Recognitions) >= 4*partitions, errors.Join(err, r.dead())
	})
}

package vocab

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// Content is what a Follower has read of a hash.
type Content struct {
	Entries map[string]string
	Version string // a hash of the entries, so that all workers work out the same
	Emptied bool   // there are no entries because somebody removed them on purpose
	// Unreadable is why the entries are not known: there are too many, or the key is
	// no hash. Then there are none here.
	Unreadable error
}

// FollowerOptions are all required.
type FollowerOptions struct {
	Hash *Hash
	Poll time.Duration
	// Part names it in the log and in reports.
	Part string
	// Take takes each new content. Its error is why the content is not used.
	Take func(Content) error
	// Looked is called after each look at Redis. err is why what Redis holds is not
	// in use; unreachable: it is not known what Redis holds.
	Looked   func(ctx context.Context, err error, unreachable bool)
	Logger   *slog.Logger
	Reporter telemetry.Reporter
}

// Follower follows the content of a hash, by a digest that is made in Redis, and
// records in its history what is edited with other programs.
type Follower struct {
	FollowerOptions

	// Used by Run only.
	seen    state  // what was read last
	version string // its version
	fault   error  // why it is not used
	lost    bool   // the last edit could not be recorded
}

// NewFollower reads nothing before Run.
func NewFollower(o FollowerOptions) *Follower { return &Follower{FollowerOptions: o} }

// Run follows the hash until ctx ends. While Redis is unreachable it keeps trying.
func (f *Follower) Run(ctx context.Context) error {
	hints := f.Hash.Client.Subscribe(ctx, f.Hash.hint())
	defer func() { _ = hints.Close() }()
	// One hint is as good as many, so a hint is dropped if another one waits.
	hinted := hints.Channel(redis.WithChannelSize(1), redis.WithChannelSendTimeout(10*time.Millisecond))
	for {
		err := f.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		unreachable := err != nil && f.fault == nil
		f.Looked(ctx, err, unreachable)
		wait := f.Poll
		if unreachable {
			wait = time.Second/2 + rand.N(time.Second)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		case <-hinted:
		}
	}
}

// look reads the content if it has changed since it was read last. The error is why
// what Redis holds is not in use.
func (f *Follower) look(ctx context.Context) error {
	now, err := f.Hash.state(ctx)
	if err != nil {
		f.seen, f.fault = state{}, nil
		return err
	}
	unsaved := now.unsaved
	if now.unsaved = false; now != f.seen {
		c, err := f.load(ctx, &now)
		if err != nil {
			return err
		}
		f.seen, f.version, f.fault = now, c.Version, f.Take(c)
	}
	f.record(ctx, unsaved)
	return f.fault
}

// load reads the content, and makes now the state of what it read.
func (f *Follower) load(ctx context.Context, now *state) (Content, error) {
	if now.entries == noHash {
		return Content{Unreadable: f.Hash.explain("look at", f.Hash.wrongType())}, nil
	}
	if err := f.Hash.checkSize(now.entries, now.bytes); err != nil {
		return Content{Unreadable: err}, nil
	}
	c, err := f.Hash.content(ctx)
	if err != nil {
		return Content{}, f.Hash.explain("read", err)
	}
	now.entries, now.digest, now.bytes = int64(len(c.entries)), c.digest, 0 // it may be newer
	return Content{Entries: c.entries, Version: version(c.entries), Emptied: now.emptied}, nil
}

// record records an edit that was made with another program. Without a history
// everything else works, so that it fails is a warning.
func (f *Follower) record(ctx context.Context, unsaved bool) {
	var err error
	if unsaved {
		err = f.Hash.record(ctx, f.seen.digest, f.version)
	}
	if ctx.Err() != nil {
		return
	}
	f.Reporter.Warning(f.Part+" history", err)
	switch {
	case err != nil && !f.lost:
		f.Logger.WarnContext(ctx, f.Part+": edits are not recorded in the history", "error", err)
	case err == nil && f.lost:
		f.Logger.InfoContext(ctx, f.Part+": edits are recorded in the history again")
	}
	f.lost = err != nil
}

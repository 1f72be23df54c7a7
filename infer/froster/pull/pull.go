package pull

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/internal/pause"
)

// maxSize is more than any CLIP has.
const maxSize = 32 << 30

// Options for a Fetch. Only Dir is required.
type Options struct {
	Dir      string // folder for complete and partial checkpoints
	Client   *http.Client
	Idle     time.Duration // time without a byte after which a connection is given up; 0: 30 s
	Attempts int           // consecutive tries without a new byte before giving up; 0: 6
	Backoff  time.Duration // wait before the second such try, doubled each time up to 30 s; 0: 1 s
	// Progress is called with the number of bytes so far and in all; total is 0
	// while that is not known.
	Progress func(done, total int64)
	// Retry is called with the reason before each new try.
	Retry func(error)
}

func (o *Options) fill() {
	if o.Client == nil {
		o.Client = &http.Client{}
	}
	if o.Idle == 0 {
		o.Idle = 30 * time.Second
	}
	if o.Attempts == 0 {
		o.Attempts = 6
	}
	if o.Backoff == 0 {
		o.Backoff = time.Second
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	if o.Retry == nil {
		o.Retry = func(error) {}
	}
}

// Fetch downloads a checkpoint and returns the path of the complete, verified
// file. After an error the bytes so far are kept for the next Fetch, unless
// they are wrong.
func Fetch(ctx context.Context, o Options, c Checkpoint) (string, error) {
	o.fill()
	whole := filepath.Join(o.Dir, c.SHA256[:12]+"-"+c.file())
	if err := verify(whole, c); err == nil {
		return whole, nil
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return "", fmt.Errorf("pull %s: %w", c.Name, err)
	}
	f := &fetcher{Options: o, checkpoint: c, part: whole + ".part"}
	if err := f.getAll(ctx); err != nil {
		if ctx.Err() != nil && f.size() > 0 {
			err = fmt.Errorf("%w; the next pull goes on from %d bytes", err, f.size())
		}
		return "", fmt.Errorf("pull %s: %w", c.Name, err)
	}
	if err := verify(f.part, c); err != nil {
		return "", errors.Join(fmt.Errorf("pull %s: %w; it is deleted", c.Name, err), f.forget())
	}
	if err := os.Rename(f.part, whole); err != nil {
		return "", fmt.Errorf("pull %s: %w", c.Name, err)
	}
	_ = os.Remove(f.part + ".etag") // a leftover harms nothing
	return whole, nil
}

func verify(file string, c Checkpoint) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); !strings.EqualFold(got, c.SHA256) {
		return fmt.Errorf("the file has SHA-256 %s, want %s", got, c.SHA256)
	}
	return nil
}

// fetcher downloads one file in as many requests as it takes.
type fetcher struct {
	Options
	checkpoint Checkpoint
	part       string
}

// UnreachedError means that a checkpoint could not be had from its address.
type UnreachedError struct{ Err error }

func (e *UnreachedError) Error() string { return e.Err.Error() }

// Unwrap is why.
func (e *UnreachedError) Unwrap() error { return e.Err }

// permanent is an error that another try would not change.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

func (f *fetcher) getAll(ctx context.Context) error {
	wait, most := f.Backoff, f.size()
	for idle := 1; ; {
		err := f.get(ctx)
		if err == nil {
			return nil
		}
		var final permanent
		if errors.As(err, &final) || ctx.Err() != nil {
			return err
		}
		// A server without ranges starts over each time, so only getting
		// further than ever counts as progress.
		if now := f.size(); now > most {
			idle, wait, most = 1, f.Backoff, now
		} else if idle++; idle > f.Attempts {
			return &UnreachedError{fmt.Errorf("gave up after %d tries without a new byte: %w", f.Attempts, err)}
		}
		f.Retry(err)
		if !pause.For(ctx, wait) {
			return context.Cause(ctx)
		}
		wait = min(2*wait, 30*time.Second)
	}
}

func (f *fetcher) size() int64 {
	info, err := os.Stat(f.part)
	if err != nil {
		return 0
	}
	return info.Size()
}

func (f *fetcher) forget() error {
	return errors.Join(ignoreAbsent(os.Remove(f.part)), ignoreAbsent(os.Remove(f.part+".etag")))
}

func ignoreAbsent(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

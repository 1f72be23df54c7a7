package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// films is the folder of the bucket that has the films of alerts.
const films = "evidence/"

// filmKey is the object of an alert's film. Ids are others' text: of one only letters,
// digits and a few signs are kept, and a hash of the whole tells alerts apart.
func filmKey(alert string) string {
	const longest = 100
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '-', r == '_':
			return r
		}
		return '-'
	}, alert)
	sum := sha256.Sum256([]byte(alert))
	return films + name[:min(len(name), longest)] + "." + hex.EncodeToString(sum[:8]) + ".mp4"
}

// HasFilm is whether there is a film of an alert.
func (b *Bucket) HasFilm(ctx context.Context, alert string) (bool, error) {
	has, err := b.blob.Exists(ctx, filmKey(alert))
	if err != nil {
		return false, fmt.Errorf("look for the film of alert %.120q: %w", alert, err)
	}
	return has, nil
}

// FilmAddress is where the film of an alert is, or will be: a file, or an object of S3.
func (b *Bucket) FilmAddress(alert string) string { return b.address + "/" + filmKey(alert) }

// PutFilm stores the film of an alert, an MP4 that is at path, whole or not at all.
func (b *Bucket) PutFilm(ctx context.Context, alert, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("store a film: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	key := filmKey(alert)
	w, err := b.blob.NewWriter(ctx, key, &blob.WriterOptions{ContentType: "video/mp4", DisableContentTypeDetection: true})
	if err == nil {
		if _, err = io.Copy(w, f); err != nil {
			cancel() // or else Close would store what there is
		}
		err = errors.Join(err, w.Close())
	}
	if err == nil && b.dir != "" {
		err = b.sync(key)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("store the film %s: %w", key, err)
	}
	return nil
}

// ErrNoFilm is of an alert without a film.
var ErrNoFilm = errors.New("there is no film of the alert")

// Film writes the film of an alert to w. The error is ErrNoFilm where there is none.
func (b *Bucket) Film(ctx context.Context, alert string, w io.Writer) error {
	r, err := b.OpenFilm(ctx, alert)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("read the film of alert %.120q: %w", alert, err)
	}
	return nil
}

// OpenFilm opens the film of an alert, to be read from anywhere in it. The error is
// ErrNoFilm where there is none.
func (b *Bucket) OpenFilm(ctx context.Context, alert string) (io.ReadSeekCloser, error) {
	r, err := b.blob.NewReader(ctx, filmKey(alert), nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, ErrNoFilm
	}
	if err != nil {
		return nil, fmt.Errorf("read the film of alert %.120q: %w", alert, err)
	}
	return r, nil
}

// keptFilms removes films that are too old, and the oldest of those that are too much. It
// returns the size of those that stay.
func (s *Stage) keptFilms(ctx context.Context) (size int64, err error) {
	var all []object
	var errs []error
	now := s.Now()
	err = s.Bucket.list(ctx, films, true, func(o object) error {
		age := now.Sub(o.modified)
		switch {
		case strings.HasSuffix(o.key, ".tmp"): // of a write that goes on, or was interrupted
			if age > 24*time.Hour {
				errs = append(errs, s.Bucket.remove(ctx, o.key))
			}
		case s.Keep.Alerts > 0 && age > s.Keep.Alerts:
			errs = append(errs, s.removeFilm(ctx, o))
		default:
			all = append(all, o)
			size += o.size
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	most := s.Keep.Films
	if most == 0 {
		most = s.Keep.Size / 2
	}
	if most > 0 && size > most {
		slices.SortFunc(all, func(a, b object) int { return a.modified.Compare(b.modified) })
		for _, o := range all {
			if size <= most {
				break
			}
			if err := s.removeFilm(ctx, o); err != nil {
				return size, errors.Join(append(errs, err)...)
			}
			size -= o.size
		}
	}
	return size, errors.Join(errs...)
}

func (s *Stage) removeFilm(ctx context.Context, o object) error {
	if err := s.Bucket.remove(ctx, o.key); err != nil {
		return err
	}
	s.metrics.removed.Add(ctx, 1)
	return nil
}

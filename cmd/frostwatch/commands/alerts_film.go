package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/topics"
)

// filmText says of an alert whether there is a film of it, and if not, when or why.
func (p *pastAlerts) filmText(ctx context.Context, v alertlog.View) (text string, has bool) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	switch {
	case p.Bucket == nil:
		return "", false
	case p.Now().Before(v.FilmDue()):
		text = fmt.Sprintf("not ready yet: it is made when the alert has ended, or a minute after the raise, and is there by %s at the latest", v.FilmDue().Local().Format(time.TimeOnly))
	default:
		text = "none: no packets of the camera were kept, or they do not show the onset (docs/cameras.md)"
	}
	switch has, err := p.Bucket.HasFilm(ctx, v.ID); {
	case err != nil:
		return topics.Clean(err.Error()), false
	case has:
		return "kept; --out DIR writes it", true
	}
	return text, false
}

// writeFilm writes an alert's film into a folder that exists, and says so.
func (p *pastAlerts) writeFilm(ctx context.Context, v alertlog.View, dir string, out io.Writer) (err error) {
	path := filepath.Join(dir, "film.mp4")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("write the film: %s exists already: name another folder, or move it away", path)
	}
	if err != nil {
		return fmt.Errorf("write the film: %w", err)
	}
	err = p.Bucket.Film(ctx, v.ID, f)
	if err = errors.Join(err, f.Close()); err != nil {
		err = errors.Join(err, os.Remove(path)) // no half of one
		if errors.Is(err, archive.ErrNoFilm) {
			err = fmt.Errorf("write the film: retention has just removed it: %w", err)
		}
		return err
	}
	_, err = fmt.Fprintf(out, "film.mp4, what the camera showed from before the onset on, is in %s\n", dir)
	return err
}

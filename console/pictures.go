package console

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

func (c *Console) getStrip(ctx context.Context, in *alertInput) (*loopOutput, error) {
	return c.pictures(ctx, in.ID, "strip", func(clip topics.Clip, v alertlog.View) ([]byte, error) { return media.Glimpse(clip, v.Box) })
}

func (c *Console) getAlertLoop(ctx context.Context, in *alertInput) (*loopOutput, error) {
	return c.pictures(ctx, in.ID, "loop", func(clip topics.Clip, _ alertlog.View) ([]byte, error) { return media.Loop(clip, loopSide) })
}

// pictures are those of an alert's evidence, encoded anew.
func (c *Console) pictures(ctx context.Context, id, kind string, draw func(topics.Clip, alertlog.View) ([]byte, error)) (*loopOutput, error) {
	v, err := c.lookUp(ctx, id)
	if err != nil {
		return nil, err
	}
	if v.Evidence == nil {
		return nil, huma.Error404NotFound("no pictures of the alert were kept")
	}
	body, err := c.loops.get(ctx, loopKey{kind, v.Camera, v.ID, *v.Evidence}, func(ctx context.Context) ([]byte, error) {
		clip, err := c.Past.Evidence(ctx, v.Alert)
		if err != nil {
			return nil, err
		}
		return draw(clip, v)
	})
	switch {
	case errors.Is(err, archive.ErrGone):
		return nil, huma.Error404NotFound("Kafka no longer keeps the pictures of the alert")
	case errors.Is(err, context.DeadlineExceeded):
		return nil, huma.Error503ServiceUnavailable("the pictures of the alert are not there yet")
	case err != nil: // forged or damaged, as anybody may write it
		c.Logger.DebugContext(ctx, "no pictures of an alert", "alert", topics.Clean(id), "error", topics.Clean(err.Error()))
		return nil, huma.Error404NotFound("the pictures of the alert can't be shown: " + c.reason(ctx, err))
	}
	return &loopOutput{Type: "image/jpeg", Cache: c.keep(ctx, "private, max-age=3600"), Body: body}, nil
}

// keep is how long a browser keeps what is shown of an alert. Who sees some cameras only may
// see it no longer at any time.
func (c *Console) keep(ctx context.Context, long string) string {
	if c.whoOf(ctx).All {
		return long
	}
	return "no-store"
}

// filmsAtOnce bounds the films and exports that are sent at a time.
const filmsAtOnce = 32

// getFilm sends a film, or a range of it.
func (c *Console) getFilm(ctx context.Context, in *alertInput) (*huma.StreamResponse, error) {
	v, err := c.lookUp(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	done, err := c.sending()
	if err != nil {
		return nil, err
	}
	if c.Alerts.Bucket == nil {
		done()
		return nil, huma.Error404NotFound("there is no archive, and so no film")
	}
	// The film is read while it is sent.
	film, err := c.Alerts.Bucket.OpenFilm(ctx, v.ID)
	if err != nil {
		done()
		if errors.Is(err, archive.ErrNoFilm) {
			return nil, huma.Error404NotFound("there is no film of the alert")
		}
		return nil, huma.Error503ServiceUnavailable("the film can't be read: " + c.reason(ctx, err))
	}
	keep := c.keep(ctx, "private, max-age=3600")
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer done()
		defer func() { _ = film.Close() }() // it was only read
		r, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", "video/mp4")
		w.Header().Set("Cache-Control", keep)
		http.ServeContent(slowly(w), r, "", time.Time{}, film)
	}}, nil
}

// sending counts what is sent for long; done ends it.
func (c *Console) sending() (done func(), err error) {
	select {
	case c.films <- struct{}{}:
		return func() { <-c.films }, nil
	default:
		return nil, huma.Error503ServiceUnavailable(fmt.Sprintf("%d films are being sent: try again soon", filmsAtOnce))
	}
}

// filmWrite is how long 32 KB of a film may take: a browser that plays one takes it slowly.
const filmWrite = time.Minute

// getExport sends all there is of an alert.
func (c *Console) getExport(ctx context.Context, in *alertInput) (*huma.StreamResponse, error) {
	v, err := c.lookUp(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	done, err := c.sending()
	if err != nil {
		return nil, err
	}
	v.Mark = c.queue.opinionsOf("", v.ID).mark
	whole := c.whoOf(ctx).All
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer done()
		r, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Content-Disposition", `attachment; filename="alert-`+v.Onset.UTC().Format("20060102-150405")+`.zip"`)
		z := zip.NewWriter(slowly(w))
		if err := c.export(r.Context(), z, v, whole); err != nil { // the answer has begun: half a file says enough
			c.Logger.WarnContext(r.Context(), "the export of an alert was cut off", "alert", topics.Clean(v.ID), "error", topics.Clean(err.Error()))
		}
	}}, nil
}

// exportTime bounds what is waited for.
const exportTime = 30 * time.Second

func (c *Console) export(ctx context.Context, z *zip.Writer, v alertlog.View, whole bool) error {
	file := func(name string, write func(io.Writer) error) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: v.At})
		if err != nil {
			return err
		}
		return write(w)
	}
	err := file("alert.json", func(w io.Writer) error {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		v := v
		if !whole { // positions count the alerts of others
			v.Evidence = nil
		}
		return out.Encode(v)
	})
	if err != nil {
		return err
	}
	read, cancel := context.WithTimeout(ctx, exportTime)
	defer cancel()
	if clip, err := c.Past.Evidence(read, v.Alert); err == nil {
		if strip, err := media.Filmstrip(clip, v.Box); err == nil {
			if err := file("filmstrip.jpg", func(w io.Writer) error { _, err := w.Write(strip); return err }); err != nil {
				return err
			}
		}
	}
	if b := c.Alerts.Bucket; b != nil {
		if has, err := b.HasFilm(read, v.ID); err == nil && has {
			if err := file("film.mp4", func(w io.Writer) error { return b.Film(ctx, v.ID, w) }); err != nil {
				return err
			}
		}
	}
	return z.Close()
}

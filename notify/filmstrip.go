package notify

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

const (
	// filmstripTime bounds how long a notification waits for its pictures.
	filmstripTime = 5 * time.Second
	// maxFilmstrips bounds the pictures of a notification. Of events that were held back
	// and are sent together the first have them.
	maxFilmstrips = 8
)

// illustrate adds filmstrips to the events that raise an alert, where the receiver wants
// them. An alert without pictures is better than none: what can't be had is logged.
func (w *worker) illustrate(ctx context.Context, events []Event) {
	if !w.Pictures || w.Evidence == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, filmstripTime)
	defer cancel()
	left := maxFilmstrips
	for i := range events {
		e := &events[i]
		if e.Alert.State != topics.AlertRaised || e.Alert.Evidence == nil || left == 0 {
			continue
		}
		left--
		clip, err := w.Evidence(ctx, e.Alert)
		if err == nil {
			e.Filmstrip, err = media.Filmstrip(clip, e.Alert.Box)
		}
		if err != nil && ctx.Err() == nil {
			w.Logger.WarnContext(ctx, "an alert is delivered without pictures", "receiver", w.Name, "event", topics.Clean(e.Key), "error", topics.Clean(err.Error()))
		}
	}
}

package notify

import (
	"context"

	"github.com/frostwatch/frostwatch/media"
	"github.com/frostwatch/frostwatch/topics"
)

// maxFilmstrips bounds the filmstrips of a notification. Of events that were held back
// and are sent together the first have one.
const maxFilmstrips = 8

// illustrate adds filmstrips to the events that raise an alert, for receivers that get
// the events as they are.
func (w *worker) illustrate(ctx context.Context, events []Event) {
	if filmsTo(w.receiver) == 0 { // it carries no files
		return
	}
	left := maxFilmstrips
	for i := range events {
		e := &events[i]
		if e.evidence == nil || left == 0 {
			continue
		}
		left--
		clip, err := e.evidence(ctx)
		if err != nil { // which was logged
			continue
		}
		if e.Filmstrip, err = media.Filmstrip(clip, e.Alert.Box); err != nil {
			w.Logger.WarnContext(ctx, "an alert is delivered without pictures", "receiver", w.Name, "alert", topics.Clean(e.Alert.ID), "error", topics.Clean(err.Error()))
		}
	}
}

package alertlog

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

const (
	// filmMost is after how long a film ends, if its alert stays open (ingest).
	filmMost = time.Minute
	// filmWork is how long a film may take to be stored once it can be made.
	filmWork = 30 * time.Second
)

// FilmDue is when an alert's film is there, at the latest, if there is one.
func (v View) FilmDue() time.Time {
	at := v.At
	if v.RaisedAt != nil {
		at = *v.RaisedAt
	}
	if end := v.ClearedAt; end != nil && end.Before(at.Add(filmMost)) {
		at = *end
	} else {
		at = at.Add(filmMost)
	}
	return at.Add(topics.MaxAround + filmWork)
}

// HasFilm is whether there is a film of an alert; without a bucket there is none.
func (l *Log) HasFilm(ctx context.Context, alert string) (bool, error) {
	if l.Bucket == nil {
		return false, nil
	}
	return l.Bucket.HasFilm(ctx, alert)
}

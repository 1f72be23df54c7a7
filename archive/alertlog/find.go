package alertlog

import (
	"context"
	"regexp"
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// ourID is an alert's id as Frostwatch makes it: its rule, then the camera, stream
// epoch and start of the clip of its onset, in milliseconds (topics.ClipID). An alert of
// several cameras may be recorded under another one.
var ourID = regexp.MustCompile(`^[^/]+/[A-Za-z0-9._-]+-(\d{1,13})-(\d{1,13})$`)

// onsetOf is the onset that an alert's id names, if it has the form of ours.
func onsetOf(id string) (time.Time, bool) {
	m := ourID.FindStringSubmatch(id)
	if m == nil {
		return time.Time{}, false
	}
	epoch, _ := strconv.ParseInt(m[1], 10, 64) // the pattern lets only digits through
	start, _ := strconv.ParseInt(m[2], 10, 64)
	return time.UnixMilli(epoch + start), true
}

// Find reads the records of an alert: those from its onset on, which its id names, or
// all where the id has another form. The error is ErrUnknown where there are none.
func (l *Log) Find(ctx context.Context, id string) (View, error) {
	views := Views{}
	take := func(a topics.Alert) {
		if a.ID == id {
			views.Add(a)
		}
	}
	open, err := OpenAlerts(ctx, l.Bus, l.Names)
	if err != nil {
		return View{}, err
	}
	if a, is := open[id]; is {
		take(a)
	}
	if onset, ours := onsetOf(id); ours {
		err = l.onwards(onset, func(g archive.Range) (bool, error) {
			if v, found := views[id]; found {
				g.Cameras = []string{v.Camera}
			}
			err := l.Each(ctx, g, take)
			return views[id].ClearedAt != nil, err
		})
	} else {
		err = l.Each(ctx, archive.Range{}, take)
	}
	if err != nil {
		return View{}, err
	}
	v, ok := views[id]
	if !ok {
		return v, ErrUnknown
	}
	return v, nil
}

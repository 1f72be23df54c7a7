package calibrate

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// clipID is a clip's id as topics.ClipID makes it: camera, stream epoch and start of
// the window, in milliseconds.
var clipID = regexp.MustCompile(`^([A-Za-z0-9._-]+)-(\d{1,13})-(\d{1,13})$`)

// longest is a little more than the longest window.
const longest = 6 * time.Minute

// RangeOf is where the recording of a clip is looked for.
func RangeOf(id string) (archive.Range, error) {
	m := clipID.FindStringSubmatch(id)
	if m == nil {
		return archive.Range{}, fmt.Errorf("%.120q is no clip id: want one such as lobby-1764345600000-12095, as search lists", topics.Clean(id))
	}
	epoch, _ := strconv.ParseInt(m[2], 10, 64) // the pattern lets only digits through
	start, _ := strconv.ParseInt(m[3], 10, 64)
	at := time.UnixMilli(epoch + start)
	return archive.Range{Since: at, Until: at.Add(longest), Cameras: []string{m[1]}}, nil
}

// InView is the embedding of a recording in a view; in the first of those, where it was
// seen in several of that name.
func InView(rec topics.Recognition, view topics.View) ([]float32, error) {
	i := slices.IndexFunc(rec.Views, func(v topics.SeenView) bool { return v.View == view })
	switch {
	case i == 0:
		return rec.Embedding, nil
	case i > 0 && len(rec.Views[i].Embedding) == len(rec.Embedding):
		return rec.Views[i].Embedding, nil
	}
	return nil, fmt.Errorf("the recording of clip %.120q has no view %s", topics.Clean(rec.ClipID), view)
}

// Clip finds the recording of a clip.
func Clip(ctx context.Context, past Past, id string) (topics.Recognition, error) {
	g, err := RangeOf(id)
	if err != nil {
		return topics.Recognition{}, err
	}
	var rec topics.Recognition
	_, err = past.Actions(ctx, g, func(r archive.Record[topics.Recognition]) error {
		if r.Value.ClipID != id {
			return nil
		}
		rec = r.Value
		return archive.ErrStop
	})
	switch {
	case err != nil:
		return rec, err
	case rec.ClipID == "":
		return rec, fmt.Errorf("no recording of clip %.120q is kept", topics.Clean(id))
	case len(rec.Embedding) == 0:
		return rec, fmt.Errorf("the recording of clip %.120q has no embedding", topics.Clean(id))
	}
	return rec, nil
}

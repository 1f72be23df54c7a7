package calibrate

import (
	"fmt"
	"regexp"
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

// rangeOf is where the recording of a clip is looked for.
func rangeOf(id string) (archive.Range, error) {
	m := clipID.FindStringSubmatch(id)
	if m == nil {
		return archive.Range{}, fmt.Errorf("%.120q is no clip id: want one such as lobby-1764345600000-12095, as search lists", topics.Clean(id))
	}
	epoch, _ := strconv.ParseInt(m[2], 10, 64) // the pattern lets only digits through
	start, _ := strconv.ParseInt(m[3], 10, 64)
	at := time.UnixMilli(epoch + start)
	return archive.Range{Since: at, Until: at.Add(longest), Cameras: []string{m[1]}}, nil
}

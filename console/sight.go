package console

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/frostwatch/frostwatch/topics"
)

// Who sees some cameras only sees the alerts of which they see every camera: of a rule
// that counts cameras, each of those that showed it, since the alert names them all. What
// counts is the tags that cameras have now. Of other alerts they learn nothing, not even
// that there are some.

// about is which cameras an alert names, its id included.
type about struct {
	cameras []string
	// whole: these are all. Otherwise only who sees every camera sees the alert.
	whole bool
}

var (
	// clipPart is what follows an alert's rule in its id: a clip's id (topics.ClipID) ...
	clipPart = regexp.MustCompile(`^([A-Za-z0-9._-]+)-\d{1,13}-\d{1,13}$`)
	// ... or of an alert about a stream its camera, what is wrong, and since when.
	faultPart = regexp.MustCompile(`^([A-Za-z0-9._-]+)-[a-z]{1,20}-\d{1,13}$`)
)

// cameraIn is the camera that an alert's id names, without its rule and the slash.
func cameraIn(part string) (string, bool) {
	for _, form := range []*regexp.Regexp{clipPart, faultPart} {
		if m := form.FindStringSubmatch(part); m != nil {
			return m[1], true
		}
	}
	return "", false
}

func aboutOf(a topics.Alert) about {
	part, ours := strings.CutPrefix(a.ID, a.Rule+"/")
	onset, named := cameraIn(part)
	if !ours || !named || len(a.Cameras) >= topics.MaxAlertCameras {
		return about{}
	}
	out := about{cameras: append([]string{a.Camera, onset}, a.Cameras...), whole: true}
	slices.Sort(out.cameras)
	out.cameras = slices.Compact(out.cameras)
	return out
}

func (b about) seen(sees func(camera string) bool) bool {
	return b.whole && !slices.ContainsFunc(b.cameras, func(name string) bool { return !sees(name) })
}

// sight is what somebody sees at a moment.
type sight struct {
	who     who
	cameras map[string]struct{} // of who does not see all
	// tags is which version of cameras and their tags this is of.
	tags uint64
}

// sightOf is what who makes a request sees.
func (c *Console) sightOf(ctx context.Context) sight { return c.wall.sight(c.whoOf(ctx)) }

func (w *wall) sight(who who) sight {
	s := sight{who: who}
	if who.All {
		return s
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.cameras, s.tags = map[string]struct{}{}, w.tags
	for name, t := range w.tiles {
		if who.Sees(t.Tags) {
			s.cameras[name] = struct{}{}
		}
	}
	return s
}

func (s sight) camera(name string) bool {
	_, sees := s.cameras[name]
	return sees || s.who.All
}

func (s sight) alert(b about) bool { return s.who.All || b.seen(s.camera) }

// mayBe is whether somebody may see an alert by its id. Of one that names a camera that they
// don't see no more is asked, so that how long an answer takes doesn't say whether there
// is such an alert.
func (s sight) mayBe(id string) bool {
	if s.who.All {
		return true
	}
	_, part, _ := strings.Cut(id, "/")
	for rest := part; ; { // a rule's name may have a slash too
		if name, named := cameraIn(rest); named && s.camera(name) {
			return true
		}
		_, after, more := strings.Cut(rest, "/")
		if rest = after; !more {
			return false
		}
	}
}

// key is under whose name something of their own is kept: people and programs may be
// called the same.
func (s sight) key() string {
	if s.who.All {
		return s.who.Name
	}
	return s.who.Name + "\x00" + strings.Join(s.who.Tags, "\x00")
}

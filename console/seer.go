package console

import (
	"errors"
	"slices"
	"strings"
)

// seer is somebody who looks at the wall. What has changed is noted by name, so that one
// who reads slowly costs no more than a list of names, and then gets the newest of each.
type seer struct {
	wall  *wall
	who   who
	dirty map[string]struct{} // guarded by the wall's lock
	wake  chan struct{}       // has one element while there is something to see
	// shown are the cameras that somebody who does not see all has been shown: of others
	// they don't learn that they are gone either.
	shown map[string]struct{}
}

// maxSeers bounds those who look at a time.
const maxSeers = 500

var errTooMany = errors.New("too many pages are open: 500 are shown at a time")

// look begins to look, with all that somebody sees; stop ends it.
func (w *wall) look(who who) (s *seer, all []Tile, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seers) >= maxSeers {
		return nil, nil, errTooMany
	}
	s = &seer{wall: w, who: who, shown: map[string]struct{}{}, dirty: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	w.seers[s] = struct{}{}
	all = w.allLocked(who)
	for i := range all {
		s.show(all[i].Camera)
	}
	return s, all, nil
}

func (s *seer) stop() {
	s.wall.mu.Lock()
	defer s.wall.mu.Unlock()
	delete(s.wall.seers, s)
}

// show notes what they have been shown.
func (s *seer) show(camera string) {
	if !s.who.All {
		s.shown[camera] = struct{}{}
	}
}

// minds is whether somebody sees a camera, or has been shown it.
func (s *seer) minds(camera string) bool {
	if s.who.All {
		return true
	}
	_, was := s.shown[camera]
	t, there := s.wall.tiles[camera]
	return was || there && s.who.Sees(t.Tags)
}

// changed notes a camera for all who look and see it. It needs the lock.
func (w *wall) changed(camera string) {
	w.changedFor(camera, func(who) bool { return true })
}

// changedFor notes a camera for those of them who see what has changed.
func (w *wall) changedFor(camera string, sees func(who) bool) {
	for s := range w.seers {
		if !s.minds(camera) || !sees(s.who) {
			continue
		}
		s.dirty[camera] = struct{}{}
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// wakeFor lets those who see an alert have what the line at the bottom says of alerts. When
// others come is nothing for them.
func (w *wall) wakeFor(of about) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := range w.seers {
		if !w.seesAlert(s.who, of) {
			continue
		}
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// wakeAll lets everybody have the line at the bottom.
func (w *wall) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := range w.seers {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// take is what has changed since the last call: tiles, and the names of cameras that are
// gone, or that they see no longer.
func (s *seer) take() (tiles []Tile, gone []string) {
	s.wall.mu.Lock()
	defer s.wall.mu.Unlock()
	for name := range s.dirty {
		if !s.minds(name) { // gone, or hidden, before it was shown
			continue
		}
		if t, there := s.wall.tiles[name]; there && s.who.Sees(t.Tags) {
			tiles = append(tiles, s.wall.seen(t, s.who))
			s.show(name)
		} else {
			gone = append(gone, name)
			delete(s.shown, name)
		}
	}
	clear(s.dirty)
	slices.Sort(gone)
	slices.SortFunc(tiles, func(a, b Tile) int { return strings.Compare(a.Camera, b.Camera) })
	return tiles, gone
}

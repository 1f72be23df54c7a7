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
	dirty map[string]struct{} // guarded by the wall's lock
	wake  chan struct{}       // has one element while there is something to see
}

// maxSeers bounds those who look at a time.
const maxSeers = 500

var errTooMany = errors.New("too many pages are open: 500 are shown at a time")

// look begins to look, with all there is; stop ends it.
func (w *wall) look() (s *seer, all []Tile, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seers) >= maxSeers {
		return nil, nil, errTooMany
	}
	s = &seer{wall: w, dirty: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	w.seers[s] = struct{}{}
	return s, w.allLocked(), nil
}

func (s *seer) stop() {
	s.wall.mu.Lock()
	defer s.wall.mu.Unlock()
	delete(s.wall.seers, s)
}

// changed notes a camera for all who look. It needs the lock.
func (w *wall) changed(camera string) {
	for s := range w.seers {
		s.dirty[camera] = struct{}{}
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// wakeAll lets all who look have what the line at the bottom says.
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
// gone.
func (s *seer) take() (tiles []Tile, gone []string) {
	s.wall.mu.Lock()
	defer s.wall.mu.Unlock()
	for name := range s.dirty {
		if t, there := s.wall.tiles[name]; there {
			tiles = append(tiles, s.wall.seen(t))
		} else {
			gone = append(gone, name)
		}
	}
	clear(s.dirty)
	slices.Sort(gone)
	slices.SortFunc(tiles, func(a, b Tile) int { return strings.Compare(a.Camera, b.Camera) })
	return tiles, gone
}

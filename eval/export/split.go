package export

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"
)

// split chooses the groups for validation, label by label: about the given
// share of the label's clips, always the same ones, at least one group if a
// label has two, and never all. A group goes to one side as a whole.
func split(groups map[stretch]*group, share float64) {
	if share == 0 {
		return
	}
	byLabel := map[string][]*group{}
	for _, g := range groups {
		byLabel[g.label] = append(byLabel[g.label], g)
	}
	for _, label := range slices.Sorted(maps.Keys(byLabel)) {
		choose(byLabel[label], share)
	}
}

func choose(groups []*group, share float64) {
	if len(groups) < 2 {
		return
	}
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(draw(a.stretch), draw(b.stretch)), cmp.Compare(a.camera, b.camera), a.start.Compare(b.start))
	})
	total := 0
	for _, g := range groups {
		total += g.clips
	}
	target, val, left := share*float64(total), 0.0, len(groups)
	for _, g := range groups {
		// A group stays in training if it would overshoot the share by more
		// than is still missing.
		if n := float64(g.clips); left > 1 && val+n/2 <= target {
			g.val, val, left = true, val+n, left-1
		}
	}
	if val == 0 {
		slices.MinFunc(groups, func(a, b *group) int { return cmp.Compare(a.clips, b.clips) }).val = true
	}
}

// draw returns a number that looks random but depends only on the stretch, so
// that a stretch does not change sides when other clips are added.
func draw(s stretch) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", s.camera, s.label, s.start.UnixNano()))
	return binary.BigEndian.Uint64(sum[:])
}

// drop marks clips until none overlaps a clip of the same camera on the other
// side, with which it would share frames. Of two clips, a background clip is
// dropped rather than a labelled one, and otherwise a training clip rather than
// a validation clip.
func drop(clips []*kept) {
	slices.SortFunc(clips, func(a, b *kept) int {
		return cmp.Or(cmp.Compare(a.group.camera, b.group.camera), a.start.Compare(b.start), a.end.Compare(b.end), cmp.Compare(a.path, b.path))
	})
	var open []*kept // clips of the camera that are not over yet
	for i, k := range clips {
		if i > 0 && clips[i-1].group.camera != k.group.camera {
			open = open[:0]
		}
		open = slices.DeleteFunc(open, func(o *kept) bool { return o.dropped || !o.end.After(k.start) })
		for _, o := range open {
			if o.group.val != k.group.val && !o.dropped && !k.dropped {
				loser(o, k).dropped = true
			}
		}
		if !k.dropped {
			open = append(open, k)
		}
	}
}

func loser(a, b *kept) *kept {
	if a.group.background != b.group.background {
		if a.group.background {
			return a
		}
		return b
	}
	if a.group.val {
		return b
	}
	return a
}

// period is from the start of the first clip to the end of the last.
func period(clips []*kept) (first, last time.Time) {
	for i, k := range clips {
		if i == 0 || k.start.Before(first) {
			first = k.start
		}
		last = later(last, k.end)
	}
	return first, last
}

package export

import "time"

// grouped sorts clips into what goes to one side of the split as a whole.
func grouped(clips []*kept, background string) map[stretch]*group {
	length := blockLengths(clips)
	groups := map[stretch]*group{}
	for _, k := range clips {
		of := k.of
		if of.start.IsZero() {
			of.start = k.start.Truncate(length[of.label])
		}
		g := groups[of]
		if g == nil {
			g = &group{stretch: of, background: background != "" && of.label == background}
			groups[of] = g
		}
		g.clips++
		k.group = g
	}
	return groups
}

const (
	// enoughBlocks of a label let its share be met to a few percent.
	enoughBlocks = 20
	// A block is this many windows long at least: where sides meet, clips are lost.
	blockWindows = 2
)

// blockLengths is how long each label's blocks are: as long as gives enough of
// them, so that what is alike lies on one side, and shorter in a short export.
func blockLengths(clips []*kept) map[string]time.Duration {
	blocks, longest := map[string][]*kept{}, map[string]time.Duration{}
	for _, k := range clips {
		if label := k.of.label; k.of.start.IsZero() {
			blocks[label] = append(blocks[label], k)
			longest[label] = max(longest[label], k.end.Sub(k.start))
		}
	}
	out := map[string]time.Duration{}
	for label, of := range blocks {
		out[label] = blockLength(of, blockWindows*longest[label])
	}
	return out
}

func blockLength(clips []*kept, least time.Duration) time.Duration {
	lengths := []time.Duration{5 * time.Minute, 2 * time.Minute, time.Minute, 30 * time.Second, 20 * time.Second, 10 * time.Second}
	best := lengths[0]
	for _, length := range lengths {
		if length < least {
			break
		}
		best = length
		different := map[stretch]bool{}
		for _, k := range clips {
			different[stretch{camera: k.of.camera, start: k.start.Truncate(length)}] = true
		}
		if len(different) >= enoughBlocks {
			break
		}
	}
	return best
}

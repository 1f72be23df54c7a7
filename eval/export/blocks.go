package export

import "time"

// grouped divides clips into groups; each goes as a whole to one side of the
// split.
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
	// With enoughBlocks blocks a label's share can be met within a few percent.
	enoughBlocks = 20
	// A block is at least this many windows long, because clips are lost where
	// the sides meet.
	blockWindows = 2
)

// blockLengths returns how long each label's blocks are. Long blocks keep
// similar clips on one side of the split; they are as long as still gives
// enough blocks, hence shorter in a short export.
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

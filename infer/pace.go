package infer

import (
	"runtime"
	"time"
)

// pace says how many squares a batch should have, from how long the model took for those
// before. The clips of a batch are published when all of it is done, so with a large model
// on a processor, which computes as many squares at once as it has cores, a batch of eight
// would make the first of them wait for the last. Only batchLoop uses it.
type pace struct {
	most  int           // squares
	least int           // squares that are computed at once
	each  time.Duration // that a square takes, its part of a batch; 0: not known
}

// batchTime is how long a batch should take at most. Smaller ones would make no clip earlier
// that anybody would notice, and cost a commit each.
const batchTime = time.Second

func newPace(most int) pace { return pace{most: most, least: min(runtime.GOMAXPROCS(0), most)} }

// squares is how many a batch should have at most.
func (p *pace) squares() int {
	if p.each <= 0 {
		return p.least // until it is known whether more would take long
	}
	return max(min(int(batchTime/p.each), p.most), p.least)
}

// note takes how long some squares took. It follows at once where they take longer, and
// slowly where they take less: frames that are known cost nothing, the next may be new.
func (p *pace) note(took time.Duration, squares int) {
	if squares > 0 {
		p.each = max(took/time.Duration(squares), p.each*4/5, 1)
	}
}

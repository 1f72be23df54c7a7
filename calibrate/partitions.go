package calibrate

import (
	"sync"

	"github.com/frostwatch/frostwatch/archive"
)

// partitions are what a scan has found in each partition: several are scanned at the
// same time, each by one goroutine.
type partitions[T any] struct {
	fresh func() *T
	mu    sync.Mutex
	all   map[int]*T
}

// of is what was found in a partition.
func (p *partitions[T]) of(id int) *T {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all[id] == nil {
		if p.all == nil {
			p.all = map[int]*T{}
		}
		p.all[id] = p.fresh()
	}
	return p.all[id]
}

// maxCameras bounds the cameras of one partition whose clips are compared with their
// neighbours.
const maxCameras = 100_000

// otherModels counts recordings by models other than the one that is asked for: they
// can't be compared.
type otherModels map[string]int

// made is whether a row of a batch is a recording by the model.
func (m *Model) made(b archive.Batch, row *archive.Row) bool {
	return row.Model == m.ID && b.Dims == m.Dims
}

// note counts one. A hostile archive can name any number of models.
func (o otherModels) note(row *archive.Row) {
	if len(o) < maxCameras {
		o[row.Model]++
	}
}

func (o otherModels) add(more otherModels) {
	for model, n := range more {
		o[model] += n
	}
}

package process

import (
	"context"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// soonest is the shortest time between two records of a worker, however often its
// problems change.
const soonest = time.Second

// describeWorker writes the process's record to the table of workers, every
// topics.WorkerEvery and when its problems or warnings change, and removes it at
// the end. While the broker is away the record waits; the part "kafka" reports
// that.
func (p *Process) describeWorker(ctx context.Context) error {
	table := p.Bus.Table(p.Names.Of(topics.Workers))
	started, changes := time.Now(), p.reporter.changes()
	tick := time.NewTicker(topics.WorkerEvery)
	defer tick.Stop()
	rest := time.NewTicker(soonest)
	defer rest.Stop()
	for ctx.Err() == nil {
		value, err := topics.EncodeWorker(p.describe(started))
		if err != nil {
			return err
		}
		sending, cancel := context.WithTimeout(ctx, topics.WorkerEvery)
		if _, err := table.Put(sending, p.worker, value, ""); err != nil && ctx.Err() == nil {
			p.log.DebugContext(ctx, "write the worker's record", "error", err)
		}
		cancel()
		select {
		case <-ctx.Done():
		case <-rest.C:
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-changes:
		}
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := table.Delete(ending, p.worker, ""); err != nil {
		p.log.DebugContext(ctx, "remove the worker's record", "error", err)
	}
	return nil
}

func (p *Process) describe(started time.Time) topics.Worker {
	w := topics.Worker{Name: p.worker, Version: p.version, Started: started.UTC(), At: time.Now().UTC(), Stages: map[string]topics.WorkerStage{}}
	for _, s := range p.stages {
		w.Stages[s] = topics.WorkerStage{}
	}
	p.reporter.fill(&w)
	p.fillDisks(&w)
	return w
}

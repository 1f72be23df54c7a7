package process

import (
	"context"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/scoring"
)

// Calibrate builds the stage that finds thresholds for budgets of false alarms.
// Without an archive it reads what Kafka still has.
func (p *Process) Calibrate(ctx context.Context) ([]Part, error) {
	words, more, err := p.words()
	if err != nil {
		return nil, err
	}
	past, err := p.past(ctx)
	if err != nil {
		return nil, err
	}
	s, err := calibrate.New(calibrate.Options{
		Bus: stageBus{p.Bus, p, "calibrate"}, Names: p.Names, Group: p.Names.Group(p.Config.Calibrate.Group), Past: past,
		Embedder: func(m calibrate.Model) (calibrate.Embedder, error) {
			return scoring.NewRemote(scoring.RemoteOptions{Client: p.Redis, Prefix: p.Config.Redis.Prefix, Model: m.ID, Dim: m.Dims})
		},
		Vocabularies: words, VocabularyOf: p.further, Logger: p.log, Reporter: p.reporter,
	})
	if err != nil {
		return nil, err
	}
	following, err := p.feed(s.SetRules)
	if err != nil {
		return nil, err
	}
	p.stages = append(p.stages, "calibrate")
	more = append(more, following...)
	return append(more, Part{Name: "calibrate", Run: s.Run}), nil
}

// past reads what is recorded, two partitions at a time: nobody waits for it.
func (p *Process) past(ctx context.Context) (*archive.Reader, error) {
	o := archive.ReaderOptions{Log: p.Bus, Names: p.Names, Parallel: 2}
	if location := p.Config.Archive.Bucket; location != "" && location != config.NoArchive {
		bucket, err := archive.OpenBucket(ctx, location)
		if err != nil {
			return nil, err
		}
		p.onClose(bucket.Close)
		o.Bucket = bucket
	}
	return archive.NewReader(o)
}

package process

import (
	"context"
	"errors"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/internal/config"
)

// Archive builds the stage that archives recognitions and alerts.
func (p *Process) Archive(ctx context.Context) ([]Part, error) {
	c := p.Config.Archive
	if c.Bucket == "" || c.Bucket == config.NoArchive {
		return nil, errors.New("archive.bucket: want a folder or s3://NAME to write to")
	}
	bucket, err := archive.OpenBucket(ctx, c.Bucket)
	if err != nil {
		return nil, err
	}
	p.onClose(bucket.Close)
	s, err := archive.New(archive.Options{
		Bus: stageBus{p.Bus, p, "archive"}, Names: p.Names, Bucket: bucket, Group: p.Names.Group(c.Group), Keep: ArchiveKeep(c),
		Logger: p.log, Meter: p.tel.Meter("archive"), Reporter: p.reporter,
	})
	if err != nil {
		return nil, err
	}
	p.stages = append(p.stages, "archive")
	return []Part{{Name: "archive", Run: s.Run}}, nil
}

// ArchiveKeep is the retention that a configuration asks for.
func ArchiveKeep(c config.Archive) archive.Keep {
	r := c.Retention
	return archive.Keep{Actions: time.Duration(r.Actions), Alerts: time.Duration(r.Alerts), Films: int64(r.Films), Size: int64(r.Size)}
}

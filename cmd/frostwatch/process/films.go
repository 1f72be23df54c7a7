package process

import (
	"context"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/notify"
	"github.com/frostwatch/frostwatch/topics"
)

// films says how films of alerts are made; nil: there is no folder for packets, or no
// bucket for films.
func (p *Process) films() (*ingest.Films, error) {
	c := p.Config.Ingest
	if c.Packets.Dir == "" {
		return nil, nil
	}
	bucket, err := p.filmBucket()
	if bucket == nil {
		return nil, err
	}
	return filmOptions(c, bucket, p.Bus.Table(p.Names.Of(topics.OpenAlerts))), nil
}

// filmOptions says how films are made.
func filmOptions(c config.Ingest, keep ingest.Keep, open ingest.Table) *ingest.Films {
	return &ingest.Films{
		Dir: c.Packets.Dir, Camera: int64(c.Packets.Camera), Total: int64(c.Packets.Total), Spare: int64(c.Packets.Spare),
		Record: c.Record, Pre: c.Pre, Post: c.Post, Keep: keep, Open: open,
	}
}

// filmStore is where films are; nil: nowhere.
func (p *Process) filmStore() (notify.Films, error) {
	bucket, err := p.filmBucket()
	if bucket == nil {
		return nil, err
	}
	return bucket, nil
}

// filmBucket opens the archive's bucket; nil: none is configured.
func (p *Process) filmBucket() (*archive.Bucket, error) {
	location := p.Config.Archive.Bucket
	if location == "" || location == config.NoArchive {
		return nil, nil
	}
	bucket, err := archive.OpenBucket(context.Background(), location)
	if err != nil {
		return nil, err
	}
	p.onClose(bucket.Close)
	return bucket, nil
}

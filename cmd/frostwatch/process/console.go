package process

import (
	"context"
	"fmt"
	"net"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/console"
	"github.com/frostwatch/frostwatch/topics"
)

// Console builds the web page, and listens for it at once, so that a port that is taken is
// an error of the start.
func (p *Process) Console() ([]Part, error) {
	address := p.Config.Console.Listen
	if err := console.CheckListen(address); err != nil {
		return nil, err
	}
	table, err := p.Cameras()
	if err != nil {
		return nil, err
	}
	bucket, err := p.filmBucket()
	if err != nil { // the newest can be seen without it
		p.log.Warn("the console shows no alerts that Kafka has forgotten, and no films", "error", topics.Clean(err.Error()))
	}
	past, err := archive.NewReader(archive.ReaderOptions{Log: p.Bus, Bucket: bucket, Names: p.Names})
	if err != nil {
		return nil, err
	}
	log := alertlog.New(alertlog.Options{Bus: p.Bus, Names: p.Names, Reader: past, Bucket: bucket})
	c, err := console.New(console.Options{
		Bus: p.Bus, Names: p.Names, Cameras: table, Past: past, Alerts: log, Version: p.version, Logger: p.log, Reporter: p.reporter,
	})
	if err != nil {
		return nil, err
	}
	following, err := p.feed(c.SetRules)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("console.listen: %w", err)
	}
	p.onClose(func() error { _ = l.Close(); return nil }) // serve closes it too
	p.stages = append(p.stages, "console")
	return append(following,
		Part{Name: "console", Run: c.Run},
		Part{Name: "console's web server", Early: true, Run: func(ctx context.Context) error { return serve(ctx, l, c.Handler()) }},
	), nil
}

package process

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/console"
	"github.com/frostwatch/frostwatch/ingest"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/tlsfiles"
	"github.com/frostwatch/frostwatch/topics"
)

// Console builds the web page, and listens for it at once, so that a port that is taken is
// an error of the start. own are cameras that the operator has given by flags.
func (p *Process) Console(own ...topics.Camera) ([]Part, error) {
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
	probe := ingest.Probe
	if p.itself {
		probe = ingest.ProbeApart
	}
	c, err := console.New(console.Options{
		Bus: p.Bus, Names: p.Names, Cameras: table, Past: past, Alerts: log, Version: p.version, Access: p.Config.Console, Logger: p.log, Reporter: p.reporter,
		Redis: p.Redis, Config: p.Config, Own: own, Texts: demo.Texts(), Probe: probe,
	})
	if err != nil {
		return nil, err
	}
	p.onReload(func(next config.Config) (func() []string, error) { return c.Prepare(next.Console) }, "console.users", "console.tokens", "console.hosts", "console.proxies")
	following, err := p.feed(c.SetRules)
	if err != nil {
		return nil, err
	}
	p.rules.tell(c.SetRuleSources)
	l, err := p.listenConsole()
	if err != nil {
		return nil, err
	}
	p.onClose(func() error { _ = l.Close(); return nil }) // serve closes it too
	p.pageAt = l.Addr().String()
	p.stages = append(p.stages, "console")
	return append(following,
		Part{Name: "console", Run: c.Run},
		Part{Name: "console's web server", Early: true, Run: func(ctx context.Context) error { return serve(ctx, l, c.Handler(), p.log) }},
	), nil
}

// PageAt is the address at which the console listens; empty: it does not run here.
func (p *Process) PageAt() string { return p.pageAt }

// listenConsole listens at console.listen, with TLS where there is a certificate.
func (p *Process) listenConsole() (net.Listener, error) {
	c := p.Config.Console
	var server *tls.Config
	if c.TLS.Cert != "" {
		var err error
		if server, err = tlsfiles.Server(c.TLS.Cert, c.TLS.Key); err != nil {
			return nil, fmt.Errorf("console.tls: %w", err)
		}
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("console.listen: %w", err)
	}
	switch {
	case server != nil:
		return tls.NewListener(l, server), nil
	case c.TLS.Mode == config.TLSOff && !c.OnLoopback():
		p.log.Warn("the console encrypts nothing (console.tls.mode: off): whoever is on the network can read passwords, sessions and pictures", "listen", c.Listen)
	case c.TLS.Mode == config.TLSByProxy && !c.OnLoopback():
		p.log.Warn("the console leaves encryption to a proxy (console.tls.mode: proxy): see to it that only the proxy reaches this address", "listen", c.Listen)
	}
	return l, nil
}

package process

import (
	"context"
	"errors"
	"fmt"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/infer"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// Infer builds the stage that recognises actions. choose returns the folder of the
// bundle that a configuration names; it is called again after each reload.
func (p *Process) Infer(choose func(config.Config) string) ([]Part, error) {
	c := p.Config.Infer
	b, err := p.openBundles(choose(p.Config))
	if err != nil {
		return nil, err
	}
	b.stage, err = infer.New(infer.Options{
		Bus: stageBus{p.Bus, p, "infer"}, Names: p.Names, Group: p.Names.Group(c.Group), First: b.current.serving,
		MaxBatch: c.MaxBatch, MaxWait: c.MaxWait, MaxAge: c.MaxAge, TopK: c.TopK, QuietEvery: c.QuietEvery,
		Logger: p.log, Tracer: p.tel.Tracer("infer"), Meter: p.tel.Meter("infer"), Propagator: p.tel.Propagator(),
		Watched: p.Bus.Table(p.Names.Of(topics.Watched)), VocabularyOf: p.further, Reporter: p.reporter,
	})
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	// A bundle takes time to load: b reports the result later.
	p.onReload(func(c config.Config) (func() []string, error) {
		return func() []string {
			b.want(choose(c))
			return nil
		}, nil
	}, "infer.bundle")
	p.onClose(b.close)
	p.stages = append(p.stages, "infer")
	return []Part{{Name: "infer", Run: b.stage.Run}, {Name: "bundle", Run: b.run}}, nil
}

// openBundles loads the runtime and the first bundle.
func (p *Process) openBundles(dir string) (*bundles, error) {
	c := p.Config.Infer
	runtime, err := froster.OpenRuntime(froster.RuntimeOptions{Library: c.Runtime, Provider: c.Provider, Threads: c.Threads})
	if err != nil {
		return nil, err
	}
	i := telemetry.Instruments{Meter: p.tel.Meter("infer")}
	reload := telemetry.Reload{
		OK: i.Gauge("frostwatch.model.last_reload_successful", "", "1 if the configured model serves, 0 while it can't be loaded and the previous one serves"),
		At: i.Gauge("frostwatch.model.last_reload_success_timestamp", "s", "when the model that serves was loaded, or found to be the configured one"),
	}
	if err := i.Err(); err != nil {
		return nil, fmt.Errorf("infer: %w", err)
	}
	b := &bundles{Process: p, runtime: runtime, reload: reload, wanted: make(chan string, 1), dir: dir, tried: folderStamp(dir)}
	if b.unwatch, err = b.watch(); err != nil {
		return nil, err
	}
	if b.current, err = b.load(context.Background(), dir); err != nil {
		return nil, errors.Join(err, b.unwatch())
	}
	reload.Done(context.Background(), nil)
	return b, nil
}

// Alerts builds the stage that evaluates the rules.
func (p *Process) Alerts() ([]Part, error) {
	words, more, err := p.words()
	if err != nil {
		return nil, err
	}
	named, err := p.receivers()
	if err != nil {
		return nil, err
	}
	s, err := alerts.New(alerts.Options{
		Bus: stageBus{p.Bus, p, "alerts"}, Names: p.Names, Group: p.Names.Group(p.Config.Alerts.Group), Vocabularies: words, VocabularyOf: p.further, Receivers: named,
		Logger: p.log, Tracer: p.tel.Tracer("alerts"), Meter: p.tel.Meter("alerts"), Propagator: p.tel.Propagator(),
		Reporter: p.reporter,
	})
	if err != nil {
		return nil, err
	}
	following, err := p.feed(s.SetRules)
	if err != nil {
		return nil, err
	}
	p.stages = append(p.stages, "alerts")
	more = append(more, following...)
	return append(more, Part{Name: "alerts", Run: s.Run}, Part{Name: "budgets", Run: p.watchBudgets}), nil
}

// further is the vocabulary of a camera, empty for the default one.
func (p *Process) further(c topics.Camera) string {
	if name := p.Config.Vocab.Of(c); name != p.Config.Vocab.Name {
		return name
	}
	return ""
}

// words returns the vocabularies against which rules are checked: those of infer, if
// infer runs in this process too, or else some of its own and the part that watches
// them.
func (p *Process) words() (*vocab.Watchers, []Part, error) {
	if p.watchers != nil {
		return p.watchers, nil, nil
	}
	w, err := vocab.NewWatchers(vocab.WatcherOptions{
		Client: p.Redis, Prefix: p.Config.Redis.Prefix, Name: p.Config.Vocab.Name, Poll: p.Config.Vocab.Poll,
		Logger: p.log, Meter: p.tel.Meter("vocab"), Reporter: optionalWords{p.reporter},
	})
	if err != nil {
		return nil, nil, err
	}
	return w, []Part{{Name: "vocabulary", Run: w.Run}}, nil
}

// optionalWords is the reporter of a vocabulary that the process can work without:
// its problems are only warnings, and its own warnings are left to infer.
type optionalWords struct{ telemetry.Reporter }

func (r optionalWords) Problem(part string, err error) { r.Reporter.Warning(part, err) }

func (r optionalWords) Warning(part string, err error) {
	if part != "vocabulary" && part != "vocabulary history" { // it is about a further one
		r.Reporter.Warning(part, err)
	}
}

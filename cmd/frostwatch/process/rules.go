package process

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/changes"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// ruleSources joins the rules of the configuration file with those in Redis.
type ruleSources struct {
	*Process

	mu      sync.Mutex
	file    *alerts.RuleSet
	stored  *alerts.Stored // nil: not read yet
	inForce *alerts.RuleSet
	skipped map[string]error // of the stored rules, by name
	warned  map[string]error // by part
	counts  ruleCounts
	put     []func(*alerts.RuleSet) // put rules in force
	told    []func(file *alerts.RuleSet, stored *alerts.Stored)
}

// feed gives a stage the rules of the file and of Redis, now and whenever they change.
// The stages of a process share one source of them; the parts run it.
func (p *Process) feed(put func(*alerts.RuleSet)) (parts []Part, err error) {
	if p.rules == nil {
		file, err := alerts.Compile(p.Config.Rules)
		if err != nil {
			return nil, err
		}
		r := &ruleSources{Process: p, file: file, inForce: file}
		if r.counts, err = newRuleCounts(p.tel.Meter("alerts")); err != nil {
			return nil, err
		}
		r.join()
		following, err := r.follow()
		if err != nil {
			return nil, err
		}
		p.onReload(func(c config.Config) (func() []string, error) {
			next, err := alerts.Compile(c.Rules)
			return func() []string { return r.fromFile(next) }, err
		}, "rules")
		p.rules, parts = r, []Part{following}
	}
	p.rules.mu.Lock()
	defer p.rules.mu.Unlock()
	p.rules.put = append(p.rules.put, put)
	put(p.rules.inForce)
	return parts, nil
}

// follow is the part that follows the rules in Redis. It is Early, so that they are
// known when Kafka is.
func (r *ruleSources) follow() (Part, error) {
	w, err := alerts.NewStoreWatcher(alerts.StoreWatcherOptions{
		Store: alerts.NewStore(r.Redis, r.Config.Redis.Prefix), Poll: r.Config.Vocab.Poll, Changed: r.fromStore,
		Worker: r.evaluates, Skipped: r.skips, Logger: r.log, Meter: r.tel.Meter("alerts"), Reporter: r.reporter,
	})
	return Part{Name: "rules in Redis", Early: true, Run: w.Run}, err
}

// tell calls fn with the rules of the file and those of the store, now and whenever either
// changes.
func (r *ruleSources) tell(fn func(file *alerts.RuleSet, stored *alerts.Stored)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, fn)
	fn(r.file, r.stored)
}

// evaluates is this worker's name, if it evaluates the rules.
func (r *ruleSources) evaluates() string {
	if !slices.Contains(r.stages, "alerts") {
		return ""
	}
	return r.worker
}

// skips are the stored rules that are skipped, and why: the first few.
func (r *ruleSources) skips(most int) map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(r.skipped)) {
		if len(out) < most {
			out[name] = r.skipped[name].Error()
		}
	}
	return out
}

// fromFile takes the rules of the file, and returns a line about each change.
func (r *ruleSources) fromFile(rules *alerts.RuleSet) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.file = rules
	return r.renew().Lines("rule")
}

// fromStore takes the rules of the store. It confirms each change, but not those that
// were there already when this process started.
func (r *ruleSources) fromStore(stored *alerts.Stored) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.stored == nil
	r.stored = stored
	lines := r.renew().Lines("rule")
	if first {
		return
	}
	for _, line := range lines {
		r.confirm(context.Background(), line)
	}
}

// renew puts the joined rules in force. It needs the lock.
func (r *ruleSources) renew() changes.Names {
	before := r.inForce
	rules := r.join()
	for _, put := range r.put {
		put(rules)
	}
	for _, tell := range r.told {
		tell(r.file, r.stored)
	}
	return r.inForce.Since(before)
}

// join joins the rules and reports those that are skipped. It needs the lock once
// there are several goroutines.
func (r *ruleSources) join() *alerts.RuleSet {
	all, skipped := alerts.Join(r.file, r.stored)
	now := map[string]error{}
	for _, s := range skipped {
		now[s.Rule] = fmt.Errorf("it is skipped: %w", s.Err)
	}
	r.reportSkipped(now)
	r.inForce, r.skipped = all, now
	r.counts.note(len(all.Names()), len(now))
	return all
}

// maxSkipped bounds the lines about one edit, and the warnings: who may write to Redis can
// make a thousand rules that can't be used, and make them anew each second.
const maxSkipped = 20

// reportSkipped logs rules that can't be used, each once until what is wrong with it changes,
// and warns of them: of the first by name, and of how many more there are.
func (r *ruleSources) reportSkipped(now map[string]error) {
	lines := 0
	warned := map[string]error{}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		err := now[name]
		if len(warned) < maxSkipped {
			warned[partStoredRule+name] = err
		}
		if was := r.skipped[name]; was != nil && was.Error() == err.Error() {
			continue
		}
		if lines++; lines <= maxSkipped {
			r.log.Warn("rule in Redis skipped", "rule", name, "error", err)
		}
	}
	if more := lines - maxSkipped; more > 0 {
		r.log.Warn("further rules in Redis skipped, which are not logged one by one", "rules", more)
	}
	if more := len(now) - len(warned); more > 0 {
		warned[partMoreStored] = fmt.Errorf("%d more are skipped: see `frostwatch rule ls`", more)
	}
	for part, err := range warned {
		r.reporter.Warning(part, err)
	}
	for part := range r.warned {
		if warned[part] == nil {
			r.reporter.Warning(part, nil)
		}
	}
	r.warned = warned
}

// ruleCounts are gauges of how many rules there are.
type ruleCounts struct{ inForce, skipped metric.Int64Gauge }

func newRuleCounts(m metric.Meter) (ruleCounts, error) {
	i := telemetry.Instruments{Meter: m}
	c := ruleCounts{
		inForce: i.Gauge("frostwatch.rules.in_force", "{rule}", "rules in force, of the file and of Redis"),
		skipped: i.Gauge("frostwatch.rules.skipped", "{rule}", "rules in Redis that can't be used"),
	}
	return c, i.Err()
}

func (c ruleCounts) note(inForce, skipped int) {
	c.inForce.Record(context.Background(), int64(inForce))
	c.skipped.Record(context.Background(), int64(skipped))
}

// partStoredRule begins the names under which rules in Redis that are skipped are
// reported.
const partStoredRule = "rule in Redis "

// partMoreStored is the name under which those are reported that are not by name.
const partMoreStored = "further rules in Redis"

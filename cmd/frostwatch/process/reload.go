package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
)

// prepareFunc checks what a configuration that was read anew means, and changes
// nothing. commit puts it in force, which can't fail and does not wait, and
// returns a line on each thing that has changed.
type prepareFunc func(config.Config) (commit func() []string, err error)

// takeover is what is taken over from an edited configuration.
type takeover struct {
	keys    []string
	prepare prepareFunc
}

// onReload has the keys taken over by prepare, from each configuration that is
// read anew. To be called before Run.
func (p *Process) onReload(prepare prepareFunc, keys ...string) {
	p.takeovers = append(p.takeovers, takeover{keys, prepare})
}

// Following is the part that follows the configuration file, where there is one.
// It runs before the topics exist: an edit while Kafka is awaited counts.
func (p *Process) Following() []Part {
	if p.file.Path == "" {
		return nil
	}
	return []Part{{Name: "configuration", Early: true, Run: func(ctx context.Context) error {
		m, err := newReloadMetrics(p.tel.Meter("process"))
		if err != nil {
			return err
		}
		m.succeeded(ctx)
		p.followFile(ctx, p.file, pollTime, func() { p.reload(ctx, m) })
		return nil
	}}}
}

// reload takes the file over as a whole or not at all, and says what has changed.
func (p *Process) reload(ctx context.Context, m reloadMetrics) {
	lines, err := p.takeOver()
	if err != nil {
		m.failed(ctx)
		p.tellReload(ctx, slog.LevelError, "configuration not reloaded, the old one stays in force", err)
		p.reporter.Warning(partConfiguration, fmt.Errorf("%s is not in force: %w", p.file.Path, err))
		p.unsettled = refusedFile
		return
	}
	m.succeeded(ctx)
	was := p.unsettled
	p.unsettled = ""
	if was == refusedFile {
		p.tellSettled(ctx, "the file can be read again and is in force")
	}
	for _, line := range lines {
		p.confirm(ctx, line)
	}
	var restart []string
	for _, c := range p.needsRestart() {
		restart = append(restart, c.String())
	}
	if len(restart) == 0 {
		p.reporter.Warning(partConfiguration, nil)
		if was == needsStart {
			p.tellSettled(ctx, "nothing waits for the next start any more")
		}
		return
	}
	p.unsettled = needsStart
	later := fmt.Errorf("takes effect at the next start: %s", strings.Join(restart, ", "))
	p.tellReload(ctx, slog.LevelWarn, "configuration", later)
	p.reporter.Warning(partConfiguration, later)
}

// partConfiguration is the configuration file among what may be wrong.
const partConfiguration = "configuration"

// What may be wrong with the file.
const (
	refusedFile = "refused"
	needsStart  = "needs a start"
)

// tellSettled says that what was wrong with the file is over.
func (p *Process) tellSettled(ctx context.Context, line string) {
	if p.onTrouble != nil {
		p.onTrouble(Solved, partConfiguration+": "+line)
		return
	}
	p.log.InfoContext(ctx, partConfiguration+": "+line, "file", p.file.Path)
}

// tellReload says once what an edit did not do.
func (p *Process) tellReload(ctx context.Context, level slog.Level, what string, err error) {
	if p.onTrouble != nil {
		p.onTrouble(Trouble, fmt.Sprintf("%s: %v", what, err))
		return
	}
	p.log.Log(ctx, level, what, "file", p.file.Path, "error", err)
}

// takeOver reads the file, has everyone check it, and then puts it in force.
func (p *Process) takeOver() (lines []string, err error) {
	file, err := config.Open(p.file.Path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(checkRules(file.Config), checkCameras(file, CameraLimits(p.Config))); err != nil {
		return nil, err
	}
	commits := make([]func() []string, len(p.takeovers))
	for i, t := range p.takeovers {
		commit, e := t.prepare(file.Config)
		commits[i], err = commit, errors.Join(err, e)
	}
	if err != nil {
		return nil, err
	}
	for _, commit := range commits {
		lines = append(lines, commit()...)
	}
	p.edited = file.Config
	return lines, nil
}

// checkRules refuses a file with a mistake in its rules in every process, also in
// those that use none: it is in force everywhere or nowhere.
func checkRules(c config.Config) error {
	_, err := alerts.Compile(c.Rules)
	return err
}

// sections of the configuration are of these stages alone; every stage reads the
// others.
var sections = map[string][]string{
	"ingest": {"ingest"}, "framer": {"ingest"}, "cameras": {"ingest"},
	"infer": {"infer"}, "vocab": {"infer"},
	"alerts": {"alerts"}, "rules": {"alerts"},
	"archive": {"archive"},
}

// needsRestart is what differs in the file from what the process was started
// with, and is neither taken over nor none of its stages' business.
func (p *Process) needsRestart() []config.Change {
	return slices.DeleteFunc(config.Diff(p.file.Config, p.edited), func(c config.Change) bool {
		section, _, _ := strings.Cut(c.Key, ".")
		if of, some := sections[section]; some && !slices.ContainsFunc(of, func(s string) bool { return slices.Contains(p.stages, s) }) {
			return true
		}
		return slices.ContainsFunc(p.takeovers, func(t takeover) bool { return slices.Contains(t.keys, c.Key) }) ||
			slices.Contains(p.overridden, c.Key)
	})
}

// confirm says in a line that an edit was accepted.
func (p *Process) confirm(ctx context.Context, line string) {
	p.log.InfoContext(ctx, "taken over", "edit", line)
	if p.onEdit != nil {
		p.onEdit(line)
	}
}

// reloadMetrics are named as Prometheus's own servers name theirs.
type reloadMetrics struct{ ok, at metric.Int64Gauge }

func newReloadMetrics(meter metric.Meter) (reloadMetrics, error) {
	i := telemetry.Instruments{Meter: meter}
	m := reloadMetrics{
		ok: i.Gauge("frostwatch.config.last_reload_successful", "1 where the configuration file is in force, 0 where its last edit was refused"),
		at: i.Gauge("frostwatch.config.last_reload_success_timestamp", "when the configuration in force was read", metric.WithUnit("s")),
	}
	return m, i.Err()
}

func (m reloadMetrics) failed(ctx context.Context) { m.ok.Record(ctx, 0) }

func (m reloadMetrics) succeeded(ctx context.Context) {
	m.ok.Record(ctx, 1)
	m.at.Record(ctx, time.Now().Unix())
}

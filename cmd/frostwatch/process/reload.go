package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/metric"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/cameraedit"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/notify"
)

// prepareFunc checks a configuration that was read again, and changes nothing.
// commit puts it in force, which can't fail and does not block, and returns a line
// about each change.
type prepareFunc func(config.Config) (commit func() []string, err error)

// reloadable are keys whose new values take effect without a restart.
type reloadable struct {
	keys    []string
	prepare prepareFunc
}

// onReload registers how the new values of some keys are put in force whenever the
// configuration is read again. To be called before Run.
func (p *Process) onReload(prepare prepareFunc, keys ...string) {
	p.reloadables = append(p.reloadables, reloadable{keys, prepare})
}

// Live are the keys whose new values take effect without a restart.
func (p *Process) Live() (keys []string) {
	for _, r := range p.reloadables {
		keys = append(keys, r.keys...)
	}
	return keys
}

// Following is the part that watches the configuration file, if there is one. It
// is Early, so that edits take effect even while Kafka is away.
func (p *Process) Following() []Part {
	if p.file.Path == "" {
		return nil
	}
	return []Part{{Name: "configuration", Early: true, Run: func(ctx context.Context) error {
		m, err := newFileReload(p.tel.Meter("process"))
		if err != nil {
			return err
		}
		m.Done(ctx, nil)
		p.followFile(ctx, p.file, pollTime, func() { p.reload(ctx, m) })
		return nil
	}}}
}

// reload puts the file in force as a whole or not at all, and reports what has
// changed.
func (p *Process) reload(ctx context.Context, m telemetry.Reload) {
	lines, err := p.putInForce()
	m.Done(ctx, err)
	if err != nil {
		p.reportReload(ctx, slog.LevelError, "configuration not reloaded, the old one stays in force", err)
		p.reporter.Warning(partConfiguration, fmt.Errorf("%s is not in force: %w", p.file.Path, err))
		p.fileState = fileRefused
		return
	}
	was := p.fileState
	p.fileState = ""
	if was == fileRefused {
		p.reportSolved(ctx, "the file can be read again and is in force")
	}
	for _, line := range lines {
		p.confirm(ctx, line)
	}
	waits := p.withoutEffect()
	if waits == nil {
		p.reporter.Warning(partConfiguration, nil)
		if was == fileNeedsStart {
			p.reportSolved(ctx, "nothing waits for the next start any more")
		}
		return
	}
	p.fileState = fileNeedsStart
	p.reportReload(ctx, slog.LevelWarn, "configuration", waits)
	p.reporter.Warning(partConfiguration, waits)
}

// withoutEffect names the edits that wait for the next start, and those that a flag
// outranks.
func (p *Process) withoutEffect() error {
	var restart, texts []string
	for _, c := range p.needsRestart() {
		restart = append(restart, c.String())
	}
	side, waits := p.sideWithoutEffect()
	if waits {
		restart = append(restart, side)
	}
	if len(restart) > 0 {
		texts = append(texts, "takes effect at the next start: "+strings.Join(restart, ", "))
	}
	if side != "" && !waits {
		texts = append(texts, side)
	}
	for _, c := range config.Diff(p.file.Config, p.edited) {
		if flag, is := p.outranked[c.Key]; is {
			texts = append(texts, fmt.Sprintf("does not count, because %s is given: %s; start without it", flag, c))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return errors.New(strings.Join(texts, "; "))
}

// partConfiguration is the name under which warnings about the configuration file
// are reported.
const partConfiguration = "configuration"

// What may be wrong with the file.
const (
	fileRefused    = "refused"
	fileNeedsStart = "needs a start"
)

// reportSolved reports that nothing is wrong with the file any more.
func (p *Process) reportSolved(ctx context.Context, line string) {
	if p.onTrouble != nil {
		p.onTrouble(Solved, partConfiguration+": "+line)
		return
	}
	p.log.InfoContext(ctx, partConfiguration+": "+line, "file", p.file.Path)
}

// reportReload reports why an edit has not taken effect.
func (p *Process) reportReload(ctx context.Context, level slog.Level, what string, err error) {
	if p.onTrouble != nil {
		p.onTrouble(Trouble, fmt.Sprintf("%s: %v", what, err))
		return
	}
	p.log.Log(ctx, level, what, "file", p.file.Path, "error", err)
}

// putInForce reads the file, has every stage check it, and then puts it in force.
func (p *Process) putInForce() (lines []string, err error) {
	file, err := config.Open(p.file.Path)
	if err != nil {
		return nil, err
	}
	if file.Empty() {
		return nil, fmt.Errorf("%s is empty: an editor that was interrupted leaves such a file; to have no rules, write \"rules: []\"", file.Path)
	}
	_, err = checkParts(file.Config)
	if err := errors.Join(err, checkCameras(file, cameraedit.LimitsOf(p.Config))); err != nil {
		return nil, err
	}
	commits := make([]func() []string, len(p.reloadables))
	for i, t := range p.reloadables {
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

// checkParts refuses a file with a mistake in its rules or receivers, also in processes
// that use none: a file is in force in all processes or in none.
func checkParts(c config.Config) (parts, error) {
	rules, err := alerts.Compile(c.Rules)
	plan, err2 := notify.Compile(c.Notify.Receivers)
	_, err3 := notify.CompileVerify(c.Notify.Verify)
	return parts{rules, plan}, errors.Join(err, err2, err3)
}

// parts are what a file has beside its keys.
type parts struct {
	rules *alerts.RuleSet
	plan  *notify.Plan
}

// sections names the stages that use a section of the configuration. A section
// that is not listed is used by all.
var sections = map[string][]string{
	"ingest": {"ingest"}, "framer": {"ingest"}, "cameras": {"ingest"},
	"infer": {"infer"}, "vocab": {"infer"},
	"alerts": {"alerts"}, "rules": {"alerts", "console"},
	"archive": {"archive"}, "notify": {"notify"}, "console": {"console"},
}

// needsRestart lists the keys that have changed in the file since the process was started,
// that its stages use, and that can't be reloaded. Each is compared with what is in force,
// which is not the file's where `frostwatch up` has chosen it.
func (p *Process) needsRestart() (waiting []config.Change) {
	inForce := map[string]config.Change{}
	for _, c := range config.Diff(p.Config, p.edited) {
		inForce[c.Key] = c
	}
	for _, c := range config.Diff(p.file.Config, p.edited) {
		if now, differs := inForce[c.Key]; differs && p.restarts(c.Key) {
			waiting = append(waiting, now)
		}
	}
	return waiting
}

// keyShortSide is fitted to the model at ingest's start, so that it is compared by itself.
const keyShortSide = "framer.short_side"

// restarts is whether a new value of a key takes effect here, and not before the next start.
func (p *Process) restarts(key string) bool {
	section, _, _ := strings.Cut(key, ".")
	if of, some := sections[section]; some && !slices.ContainsFunc(of, func(s string) bool { return slices.Contains(p.stages, s) }) {
		return false
	}
	return key != keyShortSide && !slices.ContainsFunc(p.reloadables, func(t reloadable) bool { return slices.Contains(t.keys, key) }) &&
		!slices.Contains(p.overridden, key) && p.outranked[key] == ""
}

// confirm reports an edit that has taken effect.
func (p *Process) confirm(ctx context.Context, line string) {
	p.log.InfoContext(ctx, "edit in force", "edit", line)
	if p.onEdit != nil {
		p.onEdit(line)
	}
}

func newFileReload(meter metric.Meter) (telemetry.Reload, error) {
	i := telemetry.Instruments{Meter: meter}
	r := telemetry.Reload{
		OK: i.Gauge("frostwatch.config.last_reload_successful", "", "1 if the configuration file is in force, 0 if its last edit was refused"),
		At: i.Gauge("frostwatch.config.last_reload_success_timestamp", "s", "when the configuration in force was read"),
	}
	return r, i.Err()
}

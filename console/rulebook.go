package console

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// rulebook is the rules of the configuration file and of the store as they were read
// last, so that a list parses none of them. Safe for concurrent use.
type rulebook struct {
	console *Console
	parser  alerts.Parser
	checked *recent[checked]
	edits   *recent[map[string]lastEdit]
	year    *ruleYear
	trying  chan struct{} // held by who replays the past

	mu     sync.Mutex
	file   *alerts.RuleSet
	stored *alerts.Stored // nil: not read yet
	joined joined
}

// joined are the rules of both, of the same moment.
type joined struct {
	file    *alerts.RuleSet
	version string // of the store
	ofFile  map[string]bool
	all     *alerts.RuleSet
	skipped []alerts.RuleProblem
}

// checked is what rules can't do in what there is around them.
type checked struct {
	joined
	around ruledesk.Around
	idle   map[string]error
	// labels are those of each vocabulary by their spelling.
	labels map[string]map[string]bool
}

// lastEdit is when and by whom a rule was edited last.
type lastEdit struct {
	By string
	At time.Time
}

const (
	// checkedAge is how old what rules were checked against may be, editsAge who edited
	// them: an edit made here is shown at once.
	checkedAge = 3 * time.Second
	editsAge   = 10 * time.Second
	// rulesTime bounds what is asked of Redis for an answer.
	rulesTime = 10 * time.Second
	// tryingAtOnce bounds the replays of the past: each uses several cores.
	tryingAtOnce = 2
)

func newRulebook(c *Console) *rulebook {
	b := &rulebook{console: c, trying: make(chan struct{}, tryingAtOnce), year: newRuleYear(c.days.seed, c.Alerts.Each)}
	file, err := alerts.Compile(c.Config.Rules)
	if err != nil { // what feeds the console has refused it before, and feeds those that count
		file = nil
	}
	b.file = file
	b.checked = newRecent(checkedAge, b.check)
	b.edits = newRecent(editsAge, b.lastEdits)
	return b
}

// SetRuleSources sets which rules are of the file and which of the store; stored is nil
// until they have been read. Neither changes afterwards.
func (c *Console) SetRuleSources(file *alerts.RuleSet, stored *alerts.Stored) {
	b := c.rules
	b.mu.Lock()
	b.file = file
	if stored != nil {
		b.stored = stored
	}
	b.mu.Unlock()
	b.checked.forget()
}

// desk is what rules are edited with, by whom.
func (b *rulebook) desk(by, note string) *ruledesk.Desk {
	c := b.console
	b.mu.Lock()
	file := b.file
	b.mu.Unlock()
	return &ruledesk.Desk{
		Store: alerts.NewStore(c.Redis, c.Config.Redis.Prefix).By(by, note), Labels: vocab.NewStore(c.Redis, c.Config.Redis.Prefix),
		Config: c.Config, File: file, Path: "pipeline.yaml", Parse: b.parser.Parse, Cameras: c.tableOfCameras,
	}
}

// tableOfCameras are the cameras as they are followed: while Kafka is away, nothing waits
// for it.
func (c *Console) tableOfCameras(context.Context) ([]topics.Camera, error) {
	all, err := c.cameras.List()
	out := make([]topics.Camera, len(all))
	for i, e := range all {
		out[i] = e.Camera
	}
	return out, err
}

// refresh reads the store, so that who has edited it sees that.
func (b *rulebook) refresh(ctx context.Context) error {
	content, err := b.desk("", "").Store.Read(ctx)
	if err != nil {
		return err
	}
	stored := b.parser.Parse(content)
	b.mu.Lock()
	b.stored = &stored
	b.mu.Unlock()
	b.checked.forget()
	b.edits.forget()
	return nil
}

// all are the rules.
func (b *rulebook) all(ctx context.Context) (joined, error) {
	b.mu.Lock()
	unread := b.stored == nil
	b.mu.Unlock()
	if unread {
		if err := b.refresh(ctx); err != nil {
			return joined{}, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if j := b.joined; j.all != nil && j.file == b.file && j.version == b.stored.Version {
		return j, nil
	}
	j := joined{file: b.file, version: b.stored.Version, ofFile: map[string]bool{}}
	for _, name := range b.file.Names() {
		j.ofFile[name] = true
	}
	j.all, j.skipped = alerts.Join(b.file, b.stored)
	b.joined = j
	return j, nil
}

// check checks the rules against cameras, words and receivers.
func (b *rulebook) check(ctx context.Context) (checked, error) {
	j, err := b.all(ctx)
	if err != nil {
		return checked{}, err
	}
	out := checked{joined: j, around: b.desk("", "").Around(ctx), labels: map[string]map[string]bool{}}
	out.idle = j.all.WithoutEffect(out.around.Surroundings)
	for _, name := range out.around.Names() {
		v := out.around.Contents.Words(name)
		if v == nil {
			continue
		}
		out.labels[name] = make(map[string]bool, len(v.Labels))
		for _, l := range v.Labels {
			out.labels[name][vocab.Spelling(l.Name)] = true
		}
	}
	return out, nil
}

// lastEdits are those of each stored rule, by the history.
func (b *rulebook) lastEdits(ctx context.Context) (map[string]lastEdit, error) {
	past, err := b.desk("", "").Store.Past(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]lastEdit{}
	for _, e := range past.Edits {
		for _, change := range e.Changes {
			out[change.Label] = lastEdit{topics.Clean(e.By), e.Time.UTC()}
		}
	}
	return out, nil
}

// holds is whether a vocabulary has a label; an unknown vocabulary may.
func (k *checked) holds(vocabulary, label string) bool {
	labels, known := k.labels[vocabulary]
	return !known || labels[vocab.Spelling(label)]
}

// skippedWhy is why a stored rule is not in force; empty: it is.
func (j *joined) skippedWhy(name string) string {
	for _, s := range j.skipped {
		if s.Rule == name {
			return topics.Clean(strings.ReplaceAll(s.Err.Error(), "\n", "; "))
		}
	}
	return ""
}

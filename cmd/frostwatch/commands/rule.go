package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/notify"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// ruleTarget are the servers on which rules are, and who edits them.
type ruleTarget struct {
	target
	by, note string
	warn     io.Writer
}

func (p Program) ruleCommand() *cobra.Command {
	t := &ruleTarget{warn: p.Err}
	cmd := &cobra.Command{
		Use: "rule", Short: "Show and edit the rules while everything runs",
		Long: "Shows all rules, and edits those in Redis, which are in force beside those of the configuration file.\nA rule of the file is edited there; it counts where Redis has one of the same name.",
	}
	t.flags(cmd)
	cmd.PersistentFlags().StringVar(&t.by, "by", whoEdits(), "who makes an edit, for its history")
	cmd.PersistentFlags().Lookup("by").DefValue = "" // help would name the machine that it was made on
	cmd.PersistentPreRun = func(cmd *cobra.Command, _ []string) { t.note = pathOf(cmd) }
	cmd.AddCommand(p.ruleList(t), p.ruleShow(t), p.ruleAdd(t), p.ruleRemove(t), p.ruleHistory(t), p.ruleRollback(t))
	return cmd
}

// ruleDesk is what commands about rules work on.
type ruleDesk struct {
	store  *alerts.Store
	labels *vocab.Store
	cfg    config.Config
	file   *alerts.RuleSet
	known  bool   // the file's rules are
	path   string // of the configuration file; empty: not known
	target *target
}

func (t *ruleTarget) with(ctx context.Context, do func(context.Context, *ruleDesk) error) error {
	return t.withRedis(ctx, func(ctx context.Context, c *redis.Client, cfg config.Config) error {
		file, known, err := t.fileRules(cfg)
		if err != nil {
			return err
		}
		return do(ctx, &ruleDesk{
			store:  alerts.NewStore(c, cfg.Redis.Prefix).By(t.by, t.note),
			labels: vocab.NewStore(c, cfg.Redis.Prefix).By(t.by, t.note),
			cfg:    cfg, file: file, known: known, path: t.file(), target: &t.target,
		})
	})
}

// fileRules are the rules of the configuration file. With a mistake in it they are not
// known, which is a warning: rules in Redis can be listed and edited all the same.
func (t *ruleTarget) fileRules(cfg config.Config) (rules *alerts.RuleSet, known bool, err error) {
	if err = t.unread(); err == nil {
		if rules, err = alerts.Compile(cfg.Rules); err == nil {
			return rules, true, nil
		}
	}
	if _, err := fmt.Fprintf(t.warn, "warning: the rules of the configuration file are not known here, since it has a mistake; workers keep those that they had: %s\n", topics.Clean(err.Error())); err != nil {
		return nil, false, err
	}
	rules, err = alerts.Compile(config.Raw{})
	return rules, false, err
}

// surroundings are what rules are checked against. What is not known is nil, and
// unknown says why.
type surroundings struct {
	alerts.Surroundings
	contents
	unknown error
}

func (d *ruleDesk) surroundings(ctx context.Context) surroundings {
	var out surroundings
	if plan, err := notify.Compile(d.cfg.Notify.Receivers); err == nil { // a mistake in it is none of the rules'
		out.Receivers = plan.WhyNot
	}
	var there []topics.Camera
	kafka := d.target.onKafka(ctx, d.cfg, func(ctx context.Context, b *bus.Client, n topics.Names) error {
		table, err := cameras.Open(b, n, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		all, err := table.List(ctx)
		if err != nil {
			return err
		}
		out.Cameras, out.Vocabularies, out.Zones = map[string][]string{}, map[string]string{}, map[string]map[string]topics.Polygon{}
		for _, c := range all {
			there = append(there, c.Camera)
			out.Cameras[c.Name], out.Vocabularies[c.Name], out.Zones[c.Name] = c.Tags, d.cfg.Vocab.Of(c.Camera), c.Zones
		}
		return nil
	})
	var err error
	out.contents, err = readContents(ctx, d.labels, d.cfg.Vocab, there)
	out.Words = out.words
	out.unknown = errors.Join(err, kafka)
	return out
}

// note says what rules could not be checked against; empty: nothing.
func (s surroundings) note() string {
	if s.unknown == nil {
		return ""
	}
	return fmt.Sprintf("not checked against everything: %s\n", topics.Clean(s.unknown.Error()))
}

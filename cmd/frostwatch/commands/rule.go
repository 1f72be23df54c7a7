package commands

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/internal/config"
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
	ruledesk.Desk
	known bool // the file's rules are
}

func (t *ruleTarget) with(ctx context.Context, do func(context.Context, *ruleDesk) error) error {
	return t.withRedis(ctx, func(ctx context.Context, c *redis.Client, cfg config.Config) error {
		file, known, err := t.fileRules(cfg)
		if err != nil {
			return err
		}
		return do(ctx, &ruleDesk{ruledesk.Desk{
			Store:  alerts.NewStore(c, cfg.Redis.Prefix).By(t.by, t.note),
			Labels: vocab.NewStore(c, cfg.Redis.Prefix).By(t.by, t.note),
			Config: cfg, File: file, Path: t.file(),
			Cameras: func(ctx context.Context) ([]topics.Camera, error) { return t.cameras(ctx, cfg) },
		}, known})
	})
}

// cameras are those of the table of cameras.
func (t *target) cameras(ctx context.Context, cfg config.Config) (out []topics.Camera, err error) {
	err = t.onKafka(ctx, cfg, func(ctx context.Context, b *bus.Client, n topics.Names) error {
		table, err := cameras.Open(b, n, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		out, err = table.Records(ctx)
		return err
	})
	return out, err
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

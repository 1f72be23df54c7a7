package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/process"
	"github.com/frostwatch/frostwatch/console/fleet"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

const (
	// answerTime bounds the first request to a server, and lookTime all that is read then.
	answerTime = 5 * time.Second
	lookTime   = 20 * time.Second
	// maxClockDifference is how far the clock of Redis' machine may be from this one's.
	maxClockDifference = 2 * time.Second
	// maxListed bounds the findings of one kind.
	maxListed = 10
)

// servers looks at Kafka and Redis, and at what they hold.
func (o Options) servers(ctx context.Context) (out []Finding) {
	if o.Idle != nil {
		return []Finding{{"servers", Warning, o.Idle.Error(), "not looked at: Kafka, Redis, cameras, rules"}}
	}
	store, out := o.redis(ctx)
	if store != nil {
		defer func() { _ = store.Close() }()
	}
	client, more := o.kafka(ctx)
	out = append(more, out...)
	if client == nil {
		return out
	}
	defer func() { _ = client.Close() }()
	out = append(out, o.fleet(ctx, client)...)
	if store != nil {
		out = append(out, o.rules(ctx, client, store)...)
	}
	return out
}

// kafka returns a client if the brokers answer.
func (o Options) kafka(ctx context.Context) (*bus.Client, []Finding) {
	at := strings.Join(o.Config.Kafka.Brokers, ", ")
	c, err := process.Kafka(o.Config.Kafka, "frostwatch-doctor", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return nil, []Finding{{"Kafka", Wrong, err.Error(), "see kafka in the configuration"}}
	}
	ping, stop := context.WithTimeout(ctx, answerTime)
	defer stop()
	if err := c.Ping(ping); err != nil {
		_ = c.Close()
		return nil, []Finding{{"Kafka", Wrong, fmt.Sprintf("%s: %v", at, err), "start it, or correct kafka.brokers, kafka.tls and kafka.sasl"}}
	}
	out := []Finding{{Part: "Kafka", Grade: OK, What: "answers at " + at}}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	specs := bus.TopicSpecs(topics.Names{Prefix: o.Config.Kafka.Prefix}, o.Config.Kafka.Partitions, o.Config.Kafka.Replication)
	absent, differs, err := c.Compare(ctx, specs)
	if err != nil {
		return c, append(out, Finding{"topics", Warning, err.Error(), "grant this user Describe and DescribeConfigs of the topics, to have them compared"})
	}
	return c, append(out, topicFindings(len(specs), absent, differs)...)
}

func topicFindings(all int, absent []string, differs []bus.Difference) (out []Finding) {
	if len(absent) > 0 {
		out = append(out, Finding{"topics", Warning, fmt.Sprintf("%d of %d don't exist, the first is %s", len(absent), all, absent[0]), "the first worker creates them, if it may"})
	}
	for i, d := range differs {
		if i == maxListed {
			return append(out, Finding{Part: "topics", Grade: Warning, What: fmt.Sprintf("%d more differences", len(differs)-i)})
		}
		what := fmt.Sprintf("%s: %s is %s, and not %s", d.Topic, d.Setting, d.Have, d.Want)
		if d.Note != "" {
			what += ": " + d.Note
		}
		out = append(out, Finding{"topics", Warning, what, "Frostwatch leaves it as it is: change it with your Kafka's tools, or the configuration"})
	}
	if len(out) == 0 {
		out = append(out, Finding{Part: "topics", Grade: OK, What: fmt.Sprintf("all %d are as they should be", all)})
	}
	return out
}

// redis returns a client if the server answers.
func (o Options) redis(ctx context.Context) (*redis.Client, []Finding) {
	process.QuietRedis()
	c, err := vocab.Connect(process.RedisOptions(o.Config.Redis))
	if err != nil {
		return nil, []Finding{{"Redis", Wrong, err.Error(), "see redis in the configuration"}}
	}
	ctx, stop := context.WithTimeout(ctx, answerTime)
	defer stop()
	if err := c.Ping(ctx).Err(); err != nil {
		_ = c.Close()
		return nil, []Finding{{"Redis", Wrong, fmt.Sprintf("%s: %v", o.Config.Redis.Address, err), "start it, or correct redis.address, its login and redis.tls"}}
	}
	out := []Finding{{Part: "Redis", Grade: OK, What: fmt.Sprintf("%s answers at %s", version(ctx, c), o.Config.Redis.Address)}}
	return c, append(out, redisFindings(ctx, c)...)
}

// version is "Redis 7.0.15", or "Redis" where the user may not ask.
func version(ctx context.Context, c *redis.Client) string {
	info, err := c.Info(ctx, "server").Result()
	if err != nil {
		return "Redis"
	}
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, "redis_version:"); ok {
			return "Redis " + strings.TrimSpace(v)
		}
	}
	return "Redis"
}

// redisFindings are about settings under which a vocabulary gets lost. A user who may not
// read them is told nothing.
func redisFindings(ctx context.Context, c *redis.Client) (out []Finding) {
	if set, err := c.ConfigGet(ctx, "maxmemory*").Result(); err == nil {
		policy := set["maxmemory-policy"]
		if most, _ := strconv.ParseInt(set["maxmemory"], 10, 64); most > 0 && policy != "noeviction" && !strings.HasPrefix(policy, "volatile") {
			out = append(out, Finding{"Redis", Warning, "with the policy " + policy + " a full server removes vocabularies and rules", "set maxmemory-policy to noeviction"})
		}
	}
	if info, err := c.Info(ctx, "persistence").Result(); err == nil && strings.Contains(info, "rdb_last_bgsave_status:err") {
		out = append(out, Finding{"Redis", Wrong, "its last save to disk failed", "see its log: the disk is full, or its folder can't be written to"})
	}
	before := time.Now()
	if there, err := c.Time(ctx).Result(); err == nil {
		here := before.Add(time.Since(before) / 2)
		if by := there.Sub(here).Abs(); by > maxClockDifference {
			out = append(out, Finding{"clock", Warning, fmt.Sprintf("that of Redis' machine differs by %v", by.Round(time.Second/10)), "let chrony or systemd-timesyncd set both"})
		}
	}
	return out
}

// fleet looks at workers and cameras.
func (o Options) fleet(ctx context.Context, c *bus.Client) []Finding {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	f, err := fleet.Read(ctx, c, topics.Names{Prefix: o.Config.Kafka.Prefix})
	if err != nil {
		return []Finding{{"workers", Warning, err.Error(), ""}}
	}
	return fleetFindings(f)
}

func fleetFindings(f fleet.Fleet) (out []Finding) {
	alive, streaming, wrong := 0, 0, []Finding{}
	for _, w := range f.Workers {
		if w.Alive {
			alive++
		}
	}
	for _, c := range f.Cameras {
		if c.State == string(topics.StreamStreaming) {
			streaming++
		}
	}
	if alive == 0 {
		return []Finding{{"workers", Warning, "none runs", "start `frostwatch up`, or the stages (README, In production)"}}
	}
	if len(f.Cameras) == 0 {
		out = append(out, Finding{"cameras", Warning, "there are none", "add one with `frostwatch camera add`"})
	}
	for _, w := range f.Wrong {
		if strings.HasPrefix(w.Warning, "rule ") {
			continue // the rules are looked at themselves
		}
		wrong = append(wrong, fleetFinding(w))
	}
	if more := len(wrong) - maxListed; more > 0 {
		wrong = append(wrong[:maxListed], Finding{"workers", Wrong, fmt.Sprintf("%d more", more), "see `frostwatch status`"})
	}
	out = append(out, wrong...)
	if len(wrong) == 0 {
		out = append(out, Finding{Part: "workers", Grade: OK, What: fmt.Sprintf("%d, nothing is wrong", alive)})
	}
	return append(out, Finding{Part: "cameras", Grade: OK, What: fmt.Sprintf("%d of %d stream", streaming, len(f.Cameras))})
}

func fleetFinding(w fleet.Wrong) Finding {
	f := Finding{"workers", Wrong, w.What, w.Do}
	if strings.HasPrefix(w.What, "camera ") {
		f.Part = "cameras"
	}
	if w.Warning != "" {
		f.Grade = Warning
	}
	return f
}

// rules checks all rules against the vocabulary and the cameras that there are.
func (o Options) rules(ctx context.Context, c *bus.Client, store *redis.Client) []Finding {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	file, err := alerts.Compile(o.Config.Rules)
	if err != nil { // said of the configuration
		return nil
	}
	table, err := cameras.Open(c, topics.Names{Prefix: o.Config.Kafka.Prefix}, slog.New(slog.DiscardHandler))
	if err != nil {
		return []Finding{{"rules", Warning, err.Error(), ""}}
	}
	desk := &ruledesk.Desk{
		Store: alerts.NewStore(store, o.Config.Redis.Prefix), Labels: vocab.NewStore(store, o.Config.Redis.Prefix),
		Config: o.Config, File: file, Path: o.File.Path, Cameras: table.Records,
	}
	all, idle, err := desk.Idle(ctx)
	if err != nil {
		return []Finding{{"rules", Warning, err.Error(), ""}}
	}
	return ruleFindings(all, idle)
}

func ruleFindings(all []string, idle map[string]error) (out []Finding) {
	if len(all) == 0 {
		return []Finding{{"rules", Warning, "there are none: nothing raises an alert", "add one with `frostwatch watch` or `frostwatch rule add`"}}
	}
	for _, name := range all {
		if why := idle[name]; why != nil {
			out = append(out, Finding{"rules", Warning, fmt.Sprintf("%s is without full effect: %v", name, why), ""})
		}
	}
	if len(out) > maxListed {
		out = append(out[:maxListed], Finding{"rules", Warning, fmt.Sprintf("%d more", len(out)-maxListed), "see `frostwatch rule ls`"})
	}
	if len(out) == 0 {
		out = append(out, Finding{Part: "rules", Grade: OK, What: fmt.Sprintf("%d, each can take effect", len(all))})
	}
	return out
}

package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/calibrate/twomodels"
	"github.com/frostwatch/frostwatch/console/ruledesk"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// compareFlags say what to compare two models on.
type compareFlags struct {
	pastRange
	models, rules string
	runtime       froster.RuntimeOptions
	clips         int
	learn, asJSON bool
}

func (p Program) modelCompare() *cobra.Command {
	t := &target{}
	var f compareFlags
	cmd := &cobra.Command{
		Use: "compare A B", Short: "Score recorded clips with two models, and show where they differ", Args: exactly(2),
		Long: "Compares A, such as the model that serves, with B on recorded clips, before B takes its place: which label is best,\n" +
			"how alike they rank the clips by each label, the clips on which they are farthest apart, and how many alerts the\n" +
			"rules in force would have raised with each. Recordings have the embeddings of the model that made them alone, so\n" +
			"the other one embeds pictures: only clips that Kafka still keeps can be compared, --clips of them at most, in\n" +
			"stretches of a minute that are spread over the range. Alerts are those of these stretches, and not of the whole time.",
		Example: "  frostwatch model compare froster-b16 pe-core-b16 --since 24h\n" +
			"  frostwatch model compare froster-b16 pe-core-b16 --since 12h --clips 20000 --learn-thresholds",
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := f.parse(time.Now())
			if err != nil {
				return err
			}
			if f.clips < 1 || f.clips > twomodels.MaxClips {
				return fmt.Errorf("--clips %d: want 1 to %d", f.clips, twomodels.MaxClips)
			}
			return p.compareModels(cmd.Context(), t, args, g, f)
		},
	}
	t.flags(cmd)
	f.flags(cmd, "24h")
	modelsFlag(cmd, &f.models)
	c := config.Default().Infer
	cmd.Flags().IntVar(&f.clips, "clips", 500, "how many clips to compare at most; a model embeds each in up to seconds")
	cmd.Flags().StringVar(&f.rules, "rules", "", "configuration file whose rules are run (default: the one in force)")
	cmd.Flags().BoolVar(&f.learn, "learn-thresholds", false, "find B's thresholds for budgets of false alarms from what it saw, and keep them for when it takes A's place; wants an hour of clips of a camera")
	cmd.Flags().StringVar(&f.runtime.Library, "runtime", c.Runtime, "path of ONNX Runtime's shared library")
	cmd.Flags().StringVar(&f.runtime.Provider, "provider", c.Provider, "cpu, cuda or tensorrt")
	cmd.Flags().IntVar(&f.runtime.Threads, "threads", c.Threads, "model runs at once; 0: one per core")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON: one object")
	return cmd
}

// compareModels loads both models, and connects to what is recorded.
func (p Program) compareModels(ctx context.Context, t *target, names []string, g archive.Range, f compareFlags) (err error) {
	rt, err := froster.OpenRuntime(f.runtime)
	if err != nil {
		return err
	}
	var loaded [2]*froster.Model
	for i, name := range names {
		if loaded[i], err = loadModel(rt, f.models, name); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, loaded[i].Close()) }()
	}
	if id := loaded[0].Bundle().ID; id == loaded[1].Bundle().ID { // said before a text is embedded
		return fmt.Errorf("%s and %s are the same model (id %s)", names[0], names[1], id)
	}
	cfg, err := t.load()
	if err != nil {
		return err
	}
	return t.onKafka(ctx, cfg, func(ctx context.Context, c *bus.Client, n topics.Names) error {
		return t.onRedis(ctx, cfg, func(ctx context.Context, r *redis.Client) error {
			bucket, err := t.openArchive(ctx)
			if err != nil {
				return err
			}
			past, err := archive.NewReader(archive.ReaderOptions{Log: c, Bucket: bucket, Names: n})
			if err == nil {
				x := &comparing{Program: p, target: t, flags: f, cfg: cfg, redis: r,
					past: &pastAlerts{alertlog.New(alertlog.Options{Bus: c, Names: n, Reader: past, Bucket: bucket})}}
				err = x.run(ctx, loaded, g)
			}
			if bucket != nil {
				err = errors.Join(err, bucket.Close())
			}
			return err
		})
	})
}

func loadModel(rt *froster.Runtime, models, name string) (*froster.Model, error) {
	b, err := openModel(models, name)
	if err != nil {
		return nil, err
	}
	return rt.Load(b)
}

// comparing is one comparison of two models.
type comparing struct {
	Program
	target  *target
	flags   compareFlags
	cfg     config.Config
	redis   *redis.Client
	past    *pastAlerts
	cameras map[string]topics.Camera
	there   ruledesk.Contents
	rules   *alerts.RuleSet
	shown   int // tenths of the clips that were said to be compared
}

func (x *comparing) run(ctx context.Context, loaded [2]*froster.Model, g archive.Range) (err error) {
	if err := x.read(ctx); err != nil {
		return err
	}
	var models [2]*twomodels.Model
	for i, m := range loaded {
		if models[i], err = x.model(ctx, m); err != nil {
			return err
		}
		defer models[i].Close()
	}
	dir, err := os.MkdirTemp("", "frostwatch-compare-*")
	if err != nil {
		return fmt.Errorf("make a place for what the models see: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o := twomodels.Options{
		Past: x.past.Reader, A: models[0], B: models[1], Since: g.Since, Until: g.Until, Cameras: g.Cameras, Clips: x.flags.clips,
		Vocabulary: func(camera string, tags []string) *vocab.Vocabulary {
			return x.there.Words(x.there.NameFor(x.cameras, camera, tags))
		},
		Rules: x.rules, RuleWords: x.ruleWords, Progress: x.progress,
		Zones: func(camera string) map[string]topics.Polygon { return x.cameras[camera].Zones },
	}
	if o.Thresholds, err = x.past.thresholds(ctx); err != nil {
		return err
	}
	r, err := twomodels.Compare(ctx, o, dir)
	if errors.Is(err, twomodels.ErrNoClips) {
		return fmt.Errorf("%w (Kafka keeps clips as long as its topic %s says)%s", err, x.past.Names.Of(topics.Clips), x.unmatched(g.Cameras))
	}
	if err != nil {
		return err
	}
	var found *learnt
	if x.flags.learn {
		if found, err = x.learn(ctx, o, dir); err != nil {
			return err
		}
	}
	if x.flags.asJSON {
		return printJSON(x.Out, struct {
			*twomodels.Result
			Learnt *learnt `json:"learnt,omitempty"`
		}{r, found})
	}
	if err := writeCompared(x.Out, r); err != nil || found == nil {
		return err
	}
	_, err = io.WriteString(x.Out, found.text(models[1].Name))
	return err
}

// unmatched names the patterns that no camera matches, for where there are no clips; "": all match.
func (x *comparing) unmatched(patterns []string) (text string) {
	for _, pattern := range patterns {
		if !anyMatches(pattern, slices.Collect(maps.Keys(x.cameras))) {
			text += fmt.Sprintf("; no camera matches %q", pattern)
		}
	}
	return text
}

// read reads cameras, vocabularies and rules.
func (x *comparing) read(ctx context.Context) (err error) {
	if x.cameras, err = x.past.cameras(ctx); err != nil {
		return err
	}
	if x.there, err = ruledesk.ReadContents(ctx, vocab.NewStore(x.redis, x.cfg.Redis.Prefix), x.cfg.Vocab, slices.Collect(maps.Values(x.cameras))); err != nil {
		return err
	}
	file := x.flags.rules
	if file == "" {
		file = x.target.file()
	}
	if file == "" {
		_, err = fmt.Fprintln(x.Err, "no alerts are counted: the file with the rules in force is not known: name one with --rules")
		return err
	}
	x.rules, err = x.rulesOf(ctx, x.target, file, x.flags.rules == "")
	return err
}

// model embeds the reference texts of a model, by way of the cache that infer uses too.
func (x *comparing) model(ctx context.Context, m *froster.Model) (*twomodels.Model, error) {
	texts, err := scoring.NewEmbeddings(scoring.EmbeddingsOptions{
		Client: x.redis, Prefix: x.cfg.Redis.Prefix, Embedder: m, Logger: slog.New(slog.DiscardHandler), Meter: noop.NewMeterProvider().Meter(""),
	})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(x.Err, "%s: embed the reference texts, minutes the first time with a large model\n", topics.Clean(m.Bundle().Name)); err != nil {
		return nil, err
	}
	return twomodels.NewModel(ctx, m, texts, x.zone)
}

// zone is whether a rule in force is about a zone of a camera.
func (x *comparing) zone(camera, zone string) bool {
	return x.rules != nil && slices.ContainsFunc(x.rules.Rules(), func(r alerts.Rule) bool {
		return slices.Contains(r.Zone, zone) && r.Watches(camera, x.cameras[camera].Tags)
	})
}

func (x *comparing) ruleWords(ctx context.Context, m *twomodels.Model) (*calibrate.Words, error) {
	return x.there.Ready(x.cameras, x.rules, x.flags.rules != "", func(labels []vocab.Label) (*calibrate.Words, error) {
		return calibrate.NewWords(ctx, m, m.Model, labels)
	})
}

// progress says it at each tenth.
func (x *comparing) progress(done, most int) {
	if tenth := 10 * done / most; tenth > x.shown {
		x.shown = tenth
		_, _ = fmt.Fprintf(x.Err, "%d of at most %d clips compared\n", done, most) // nobody may be there to read it
	}
}

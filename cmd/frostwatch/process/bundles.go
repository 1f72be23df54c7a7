package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/frostwatch/frostwatch/infer"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/scoring"
	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// bundles loads models: the configured one when the process starts, and another
// when the configuration names another folder or the folder's content changes.
type bundles struct {
	*Process
	runtime *froster.Runtime
	stage   *infer.Stage
	reload  telemetry.Reload
	// wanted holds the folder that was named last, until run takes it.
	wanted  chan string
	unwatch func() error // stops watching the vocabulary

	// Used by run alone.
	current *loaded
	dir     string
	tried   string // stamp of the content that was last loaded or refused
}

// loaded is a model in memory with its live vocabulary.
type loaded struct {
	bundle  *froster.Bundle
	serving infer.Recogniser
	live    *scoring.Live
	reports *modelReports
}

// load reads a bundle, and starts embedding the vocabulary with its model.
func (b *bundles) load(ctx context.Context, dir string) (*loaded, error) {
	bundle, err := froster.OpenBundle(dir)
	if err != nil {
		return nil, err
	}
	model, err := b.runtime.Load(bundle)
	if err != nil {
		return nil, err
	}
	// One that can't recognise anything must not replace one that can.
	if _, err := model.Try(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("try model %s: %w", bundle.Name, err), model.Close())
	}
	l := &loaded{bundle: bundle, reports: &modelReports{Reporter: b.reporter, inForce: b.current == nil, warnings: map[string]error{}}}
	live, err := b.follow(l, model)
	if err != nil {
		return nil, errors.Join(err, model.Close())
	}
	following, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- live.Run(following) }()
	l.live = live
	l.serving = infer.Recogniser{
		Model: model, Vocabulary: live, Frames: bundle.Dims.Frames, Side: bundle.Dims.ImageSize, Resize: bundle.Dims.Resize(),
		Close: sync.OnceValue(func() error {
			stop()
			return errors.Join(<-ended, model.Close())
		}),
	}
	if bundle.Dims.Framewise {
		l.serving.EachFrame = model
		b.checkStride(bundle)
	}
	b.checkSize(bundle)
	return l, nil
}

// follow makes a live vocabulary, whose labels are embedded by a model.
func (b *bundles) follow(l *loaded, model *froster.Model) (*scoring.Live, error) {
	log, meter := b.log.With("model", l.bundle.ID), b.tel.Meter("vocab")
	embeddings, err := scoring.NewEmbeddings(scoring.EmbeddingsOptions{
		Client: b.Redis, Prefix: b.Config.Redis.Prefix, Embedder: model, Logger: log, Meter: meter,
	})
	if err != nil {
		return nil, err
	}
	return scoring.NewLive(scoring.LiveOptions{
		Vocabularies: b.watchers, Embeddings: embeddings, BaseClasses: l.bundle.BaseClasses, References: l.bundle.ReferenceTexts(), Logger: log, Meter: meter,
		Reporter: l.reports,
		OnEdit: func(vocabulary string, changes []vocab.Change) {
			if vocabulary == b.Config.Vocab.Name {
				vocabulary = ""
			}
			if line := editLine(vocabulary, changes); line != "" && l.reports.active() && b.onEdit != nil {
				b.onEdit(line)
			}
		},
	})
}

// editLine describes an edit of a vocabulary in one line, which names it unless it is
// the default one, whose name is empty here. The log has all of it.
// Labels that are skipped are left out, because each has a warning; it is empty if
// there are no others.
func editLine(vocabulary string, changes []vocab.Change) string {
	const most = 5
	var words []string
	if len(changes) == 0 {
		return strings.TrimSpace("vocabulary "+vocabulary) + " edited, its labels are as before"
	}
	changes = slices.DeleteFunc(slices.Clone(changes), func(c vocab.Change) bool { return c.What == vocab.Skipped })
	for _, c := range changes[:min(most, len(changes))] {
		words = append(words, EditText(c))
	}
	if more := len(changes) - most; more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	line := strings.Join(words, ", ")
	if line != "" && vocabulary != "" {
		line = "vocabulary " + vocabulary + ": " + line
	}
	return line
}

// EditText describes what an edit did to a label. It is cleaned.
func EditText(c vocab.Change) string {
	text := fmt.Sprintf("label %q %s", topics.Clean(c.Label), c.What)
	if c.Why != "" {
		text += ": " + topics.Clean(c.Why)
	}
	return text
}

// watch starts watching the vocabularies at once, so that new labels are embedded
// even while Kafka is away. The returned function stops it.
func (b *bundles) watch() (stop func() error, err error) {
	b.watchers, err = vocab.NewWatchers(vocab.WatcherOptions{
		Client: b.Redis, Prefix: b.Config.Redis.Prefix, Name: b.Config.Vocab.Name, Poll: b.Config.Vocab.Poll,
		Logger: b.log, Meter: b.tel.Meter("vocab"), Reporter: b.reporter,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.watchers.Run(ctx) }()
	return sync.OnceValue(func() error {
		cancel()
		return <-ended
	}), nil
}

// close frees the model in service and stops watching the vocabulary.
func (b *bundles) close() error { return errors.Join(b.current.serving.Close(), b.unwatch()) }

// checkSize warns if frames are carried at a smaller size than the model takes.
func (b *bundles) checkSize(bundle *froster.Bundle) {
	if carried := b.Config.Framer.ShortSide; carried < bundle.Dims.ImageSize {
		b.log.Warn("the model takes larger frames than clips carry: raise framer.short_side and restart ingest",
			"model", bundle.Name, "image_size", bundle.Dims.ImageSize, "short_side", carried)
	}
}

// checkStride warns if a framewise model has to embed most frames several times.
func (b *bundles) checkStride(bundle *froster.Bundle) {
	if stride := b.Config.Framer.Stride; stride.Steps == 0 {
		b.log.Warn("clips share frames where framer.stride is a number of steps, such as 4 steps; now the model embeds most of them anew in each clip",
			"model", bundle.Name, "stride", stride)
	}
}

// want names the folder to load from. It may be the one in service or one that was
// refused, which is then looked at again.
func (b *bundles) want(dir string) { putNewest(b.wanted, dir) }

// run loads what is wanted until ctx ends. It checks the folder every second by
// the times and sizes of its files, because it may be a link, or on a file server
// that reports no changes.
func (b *bundles) run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	seen := b.tried
	for {
		select {
		case <-ctx.Done():
			return nil
		case b.dir = <-b.wanted:
			b.tried = ""
		case <-tick.C:
		}
		now := folderStamp(b.dir)
		if settled := now == seen; !settled || now == b.tried {
			seen = now
			continue
		}
		b.tried = now
		b.renew(ctx)
	}
}

// renew puts the bundle in the wanted folder in service, if it is another one. A
// bundle that can't be loaded is reported and changes nothing.
func (b *bundles) renew(ctx context.Context) {
	if err := b.swap(ctx); ctx.Err() == nil {
		b.report(ctx, err)
	}
}

// report reports the result of a swap.
func (b *bundles) report(ctx context.Context, err error) {
	var unclosed *infer.CloseError
	if err != nil && !errors.As(err, &unclosed) {
		b.reload.Done(ctx, err)
		b.refuse(ctx, err)
		return
	}
	if unclosed != nil {
		b.log.ErrorContext(ctx, "new bundle in service, but the previous model could not be closed",
			"bundle", b.dir, "serving", b.current.bundle.Name, "model", b.current.bundle.ID, "previous", unclosed.Model, "error", unclosed.Err)
	}
	b.reload.Done(ctx, nil)
	b.reporter.Warning(partBundle, nil)
}

// partBundle is the name under which warnings about the bundle are reported.
const partBundle = "bundle"

// refuse reports a bundle that can't be loaded. Where a person watches, the warning
// is already a line for that person.
func (b *bundles) refuse(ctx context.Context, err error) {
	b.reporter.Warning(partBundle, fmt.Errorf("%s can't be used, model %s goes on serving: %w", b.dir, b.current.bundle.Name, err))
	if b.onTrouble == nil {
		b.log.ErrorContext(ctx, "bundle can't be used, the previous model goes on serving",
			"bundle", b.dir, "serving", b.current.bundle.Name, "model", b.current.bundle.ID, "error", err)
	}
}

func (b *bundles) swap(ctx context.Context) error {
	bundle, err := froster.OpenBundle(b.dir)
	if err != nil || sameBundle(bundle, b.current.bundle) {
		return err
	}
	next, err := b.load(ctx, b.dir)
	if err != nil {
		return err
	}
	// The previous model serves until the vocabularies are embedded by the new one. That
	// may take any time, as when Redis is away.
	select {
	case <-next.live.Whole():
	case dir := <-b.wanted: // a newer request
		b.want(dir)
		return next.serving.Close()
	case <-ctx.Done():
		return next.serving.Close()
	}
	before := b.current
	b.current = next
	b.reporter.Problem("embeddings", nil) // reported for the previous model, if at all
	next.reports.replace(before.reports)
	if err := b.stage.Swap(ctx, next.serving); err != nil {
		return err
	}
	line := fmt.Sprintf("model %s in place of %s", next.bundle.Name, before.bundle.Name)
	if err := b.compareFrames(ctx, before.bundle, next.bundle); err != nil {
		line += ", on frames that are still those of before"
	}
	b.confirm(ctx, line)
	return nil
}

// sameBundle compares the contents of bundle.json, which include the hashes of the
// graphs.
func sameBundle(a, b *froster.Bundle) bool {
	one, err := json.Marshal(a)
	other, err2 := json.Marshal(b)
	return err == nil && err2 == nil && string(one) == string(other)
}

// folderStamp identifies a folder's contents by the names, times and sizes of
// its files.
func folderStamp(dir string) string {
	files, err := os.ReadDir(dir)
	if err != nil {
		return dir + ": " + err.Error()
	}
	var s strings.Builder
	for _, f := range append([]string{""}, names(files)...) {
		fmt.Fprintf(&s, "%s %s\n", f, stamp(filepath.Join(dir, f)))
	}
	return s.String()
}

func names(files []os.DirEntry) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.Name()
	}
	return out
}

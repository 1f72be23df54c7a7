package commands

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/frostwatch/frostwatch/topics"
	"github.com/frostwatch/frostwatch/vocab"
)

// writeInForce lists the models that have a vocabulary in force, and the labels
// that each of them skips.
func writeInForce(b *strings.Builder, v vocab.Vocabulary, configured string, force []vocab.InForce) {
	switch {
	case len(force) > 0:
	case v.Name != configured:
		fmt.Fprintf(b, "no infer worker has it in force: no camera that sends clips uses the vocabulary %s (docs/vocabulary.md); the default one is %s\n", v.Name, configured)
	default:
		b.WriteString("no infer worker has it in force: either none runs, or none has reported it yet\n")
	}
	known := map[string]bool{}
	for _, problem := range v.Problems {
		known[topics.Clean(problem.String())] = true
	}
	for _, f := range force {
		if f.Version != v.Version && len(v.Labels) == 0 && f.Labels > 0 {
			// Either Redis has lost its data, or infer has not seen yet that the
			// vocabulary was emptied on purpose.
			fmt.Fprintf(b, "not in force: an empty vocabulary is, only if it was emptied with `vocab rm --all`; model %s keeps %s of version %s%s. Add labels again\n",
				f.Model, labelCount(f.Labels), f.Version, soFar(f.Pending, v))
			continue
		}
		if f.Version != v.Version {
			has := "still has version " + f.Version
			if f.Version == "" {
				has = "has no version in force yet"
			}
			fmt.Fprintf(b, "not in force yet: model %s %s%s\n", f.Model, has, soFar(f.Pending, v))
			continue
		}
		fmt.Fprintf(b, "in force: model %s recognises %s\n", f.Model, labelCount(f.Labels))
		for _, text := range f.Skipped {
			if !known[text] {
				fmt.Fprintf(b, "  skipped: %s\n", text)
			}
		}
		if more := f.SkippedTotal - len(f.Skipped); more > 0 {
			fmt.Fprintf(b, "  and %d more skipped\n", more)
		}
	}
}

// soFar says how far a model is with embedding the texts of a newer version,
// which may be another than the one that is shown.
func soFar(p *vocab.Pending, shown vocab.Vocabulary) string {
	if p == nil {
		return ""
	}
	of := ""
	if p.Version != shown.Version {
		of = " of version " + p.Version
	}
	return fmt.Sprintf(", and has embedded %d of %d new texts%s so far", p.Embedded, p.Texts, of)
}

// anyTime is how long an infer is waited for that may not run at all; one that is known to
// run is waited for longer.
const anyTime = time.Second

// awaitForce waits until all models have a version in force, for some seconds at most.
func awaitForce(ctx context.Context, s *vocab.Store, v vocab.Vocabulary) ([]vocab.InForce, error) {
	return vocab.Await(ctx, anyTime, func(ctx context.Context) ([]vocab.InForce, error) { return s.InForce(ctx, v.Name) },
		func(f vocab.InForce) bool { return f.Version != v.Version })
}

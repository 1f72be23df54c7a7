package timeline

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const stride = 2419200 * time.Microsecond

// clip is the recognition of a camera's n-th window of an epoch.
func clip(camera string, epoch time.Time, n int, labels ...topics.LabelScore) topics.Recognition {
	start := epoch.Add(time.Duration(n) * stride)
	return topics.Recognition{
		ClipID: topics.ClipID(camera, epoch, start.Sub(epoch)), Camera: camera, Epoch: epoch, Sequence: uint64(n), Start: start, End: start.Add(4267 * time.Millisecond),
		Labels: labels, Model: "m", Vocab: topics.VocabRef{Name: "default", Version: "v"}, References: &topics.References{Hash: "h"},
	}
}

func label(name string, contrast float64) topics.LabelScore {
	return topics.LabelScore{Label: name, Score: contrast / 2, Contrast: contrast}
}

// archived is a reader of an archive with recognitions, those of each list in a partition.
func archived(t testing.TB, partitions ...[]topics.Recognition) *archive.Reader {
	t.Helper()
	b, err := archive.OpenBucket(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	for i, all := range partitions {
		fill(t, b, i, 0, all)
	}
	r, err := archive.NewReader(archive.ReaderOptions{Bucket: b})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func fill(t testing.TB, b *archive.Bucket, partition int, from int64, all []topics.Recognition) int64 {
	t.Helper()
	var records []archive.Record[topics.Recognition]
	for _, r := range all {
		records = append(records, archive.Record[topics.Recognition]{Value: r, Time: r.End.Add(200 * time.Millisecond)})
	}
	next, err := b.Import(context.Background(), partition, from, records)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// watches are rules that watch a label.
func watches(name string) watching {
	return func(l *topics.LabelScore) []alerts.Nearness {
		if l.Label != name {
			return nil
		}
		return []alerts.Nearness{{Rule: "r", Measure: alerts.ByContrast, Raise: 0.5}}
	}
}

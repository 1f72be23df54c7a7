package timeline

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// BenchmarkWeek reads the timeline of a week of one camera, which shares its partition with
// seven: of each a clip of ten labels each 2.4 s. Making the archive takes minutes.
func BenchmarkWeek(b *testing.B) {
	const cameras, days = 8, 7
	bucket, err := archive.OpenBucket(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = bucket.Close() }()
	end := time.Now().UTC().Truncate(day).Add(-day)
	from := end.Add(-days * day)
	next := int64(0)
	embedding := make(topics.Float16Vector, 16) // they are not read
	for h := range days * 24 {
		var hour []topics.Recognition
		for n := int(time.Duration(h) * time.Hour / stride); n < int(time.Duration(h+1)*time.Hour/stride); n++ {
			for c := range cameras {
				r := clip(fmt.Sprintf("cam-%d", c), from, n)
				for l := range 10 {
					r.Labels = append(r.Labels, label(fmt.Sprintf("label %d", (n+l)%40), float64((n*7+l*13)%1000)/1000))
				}
				r.Embedding, r.First, r.Last = embedding, embedding, embedding
				hour = append(hour, r)
			}
		}
		next = fill(b, bucket, 0, next, hour)
	}
	past, err := archive.NewReader(archive.ReaderOptions{Bucket: bucket})
	if err != nil {
		b.Fatal(err)
	}
	for _, span := range []time.Duration{10 * time.Minute, 6 * time.Hour, day, days * day} {
		asked := Asked{Camera: "cam-3", From: end.Add(-span), To: end, Steps: MaxSteps, Watch: watches("label 3")}
		for _, kept := range []bool{false, true} {
			b.Run(fmt.Sprintf("%v/kept=%v", span, kept), func(b *testing.B) {
				r := NewReader(past)
				readWhole(b, r, asked)
				for b.Loop() {
					if !kept {
						r = NewReader(past)
					}
					readWhole(b, r, asked)
				}
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(r.bytes)/1e6, "MB-kept")
				b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-heap")
			})
		}
	}
}

func readWhole(b *testing.B, r *Reader, asked Asked) {
	for {
		a, err := r.Read(b.Context(), asked)
		if err != nil {
			b.Fatal(err)
		}
		if a.Unread.IsZero() {
			return
		}
	}
}

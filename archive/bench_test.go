package archive

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/frostwatch/frostwatch/topics"
)

// dims are those of FROSTER's embeddings.
const benchDims = 512

// seen is a recognition as infer writes it: ten labels, three vectors.
func seen(random *rand.Rand, camera string, at time.Time, dims int) topics.Recognition {
	r := action(camera, at, 0)
	r.Labels = nil
	for i := range 10 {
		r.Labels = append(r.Labels, topics.LabelScore{
			Label: fmt.Sprintf("person doing the %d. thing", i), Similarity: float64(random.Float32()), Score: random.Float64() / 10,
			Novel: i%2 == 0, NearestBase: fmt.Sprintf("doing thing %d", i), NearestSimilarity: random.Float64(), Tags: []string{"care"},
		})
	}
	for _, v := range []*topics.Float16Vector{&r.Embedding, &r.First, &r.Last} {
		for range dims {
			*v = append(*v, float32(random.NormFloat64()/math.Sqrt(float64(dims))))
		}
	}
	return r
}

// fillBucket writes full segments of four partitions, without waiting for the
// disk.
func fillBucket(b *testing.B, bucket *Bucket, segments int) (rows int, size int64) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 1))
	for i := range segments {
		from := int64(i/4) * perSegment
		n := Name{Topic: topics.Actions, Partition: i % 4, Hour: hour.Add(time.Duration(i/4) * time.Hour), From: from, To: from + perSegment}
		var records []Record[topics.Recognition]
		for k := range perSegment {
			at := n.Hour.Add(time.Duration(k) * time.Second / 2)
			records = append(records, Record[topics.Recognition]{
				Value: seen(random, fmt.Sprintf("cam-%d", k%8), at, benchDims), At: topics.RecordRef{Offset: from + int64(k)}, Time: at})
		}
		size += store(b, bucket, n, records)
		rows += perSegment
	}
	return rows, size
}

func store(b *testing.B, bucket *Bucket, n Name, records []Record[topics.Recognition]) int64 {
	b.Helper()
	content, _, err := actionsCodec().encode(n, records, 0)
	must(b, err)
	file := filepath.Join(bucket.dir, filepath.FromSlash(n.Key()))
	must(b, os.MkdirAll(filepath.Dir(file), 0o755))
	must(b, os.WriteFile(file, content, 0o644))
	return int64(len(content))
}

// forget drops a bucket's files from the page cache.
func forget(b *testing.B, bucket *Bucket) {
	b.Helper()
	eachFile(b, bucket, func(f *os.File) {
		must(b, f.Sync())
		must(b, unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
	})
}

func eachFile(b *testing.B, bucket *Bucket, do func(*os.File)) {
	b.Helper()
	must(b, filepath.WalkDir(bucket.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err == nil {
			do(f)
			err = f.Close()
		}
		return err
	}))
}

// Embeddings by one goroutine from memory, by the default four from the disk,
// beside the plain reading of as many bytes of the same files.
func BenchmarkScan(b *testing.B) {
	bucket := benchBucket(b)
	rows, size := fillBucket(b, bucket, 24)
	scan := func(parallel int) func(b *testing.B) {
		return func(b *testing.B) {
			r, err := NewReader(ReaderOptions{Bucket: bucket, Names: names, Parallel: parallel})
			must(b, err)
			var n atomic.Int64
			counts, err := r.Scan(b.Context(), Range{}, func(batch Batch) error { n.Add(int64(len(batch.Rows))); return nil })
			if err != nil || n.Load() != int64(rows) {
				b.Fatalf("%d of %d rows, %v", n.Load(), rows, err)
			}
			b.ReportMetric(float64(counts.Bytes)/float64(rows), "fetched_B/clip")
		}
	}
	buffer := make([]byte, 4<<20)
	plain := func(b *testing.B) {
		eachFile(b, bucket, func(f *os.File) {
			left := int64(perSegment * benchDims * 2)
			for left > 0 {
				n, err := io.ReadFull(f, buffer[:min(left, int64(len(buffer)))])
				must(b, err)
				left -= int64(n)
			}
		})
	}
	b.Logf("%d clips in %.0f MB: %.0f bytes a recognition", rows, float64(size)/1e6, float64(size)/float64(rows))
	for _, way := range []struct {
		name string
		do   func(*testing.B)
		cold bool
	}{{"memory", scan(1), false}, {"memory, plain reading", plain, false}, {"disk", scan(4), true}, {"disk, plain reading", plain, true}} {
		b.Run(way.name, func(b *testing.B) {
			busy := -cpu(b)
			for b.Loop() {
				if way.cold {
					b.StopTimer()
					forget(b, bucket)
					b.StartTimer()
				}
				way.do(b)
			}
			busy += cpu(b)
			b.ReportMetric(float64(rows)*float64(b.N)/busy.Seconds(), "clips/cpu-s")
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "clips/s")
			b.ReportMetric(float64(rows)*benchDims*2*float64(b.N)/b.Elapsed().Seconds()/1e6, "MB/s")
		})
	}
}

// cpu is the processor time that the process has used: what is measured beside
// other work is comparable by it.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	must(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchBucket(b *testing.B) *Bucket {
	b.Helper()
	bucket, err := OpenBucket(context.Background(), b.TempDir())
	must(b, err)
	b.Cleanup(func() { _ = bucket.Close() })
	return bucket
}

// 30 days of 100 cameras on 12 partitions, with as many files as they have and a
// few rows in each: what a range of time and cameras opens and fetches of them.
func BenchmarkRange(b *testing.B) {
	bucket := benchBucket(b)
	random := rand.New(rand.NewPCG(1, 1))
	start := hour.Truncate(24 * time.Hour)
	files := 0
	for h := range 30 * 24 {
		for p := range 12 {
			for part := range 4 { // 12,400 clips an hour
				at := start.Add(time.Duration(h) * time.Hour)
				from := int64(h*4+part) * perSegment
				var records []Record[topics.Recognition]
				for c := range 8 {
					t := at.Add(time.Duration(part*15+c) * time.Minute)
					records = append(records, Record[topics.Recognition]{
						Value: seen(random, fmt.Sprintf("cam-%d", p*8+c), t, 8), At: topics.RecordRef{Offset: from + int64(c)}, Time: t})
				}
				store(b, bucket, Name{Topic: topics.Actions, Partition: p, Hour: at, From: from, To: from + perSegment}, records)
				files++
			}
		}
	}
	r, err := NewReader(ReaderOptions{Bucket: bucket, Names: names})
	must(b, err)
	b.Logf("%d files", files)
	day := start.AddDate(0, 0, 15)
	for name, g := range map[string]Range{
		"an hour":                 {Since: day.Add(12 * time.Hour), Until: day.Add(13 * time.Hour)},
		"an hour of a camera":     {Since: day.Add(12 * time.Hour), Until: day.Add(13 * time.Hour), Cameras: []string{"cam-17"}},
		"a day of a camera":       {Since: day, Until: day.AddDate(0, 0, 1), Cameras: []string{"cam-17"}},
		"thirty days of a camera": {Since: start, Until: start.AddDate(0, 0, 30), Cameras: []string{"cam-17"}},
	} {
		b.Run(name, func(b *testing.B) {
			var counts Counts
			for b.Loop() {
				counts, err = r.Actions(b.Context(), g, func(Record[topics.Recognition]) error { return nil })
				must(b, err)
			}
			b.ReportMetric(float64(counts.Segments), "files")
			b.ReportMetric(float64(counts.Bytes)/1e6, "fetched_MB")
			b.ReportMetric(float64(counts.Given), "records")
		})
	}
	b.Run("list a day", func(b *testing.B) {
		for b.Loop() {
			days, err := bucket.Days(b.Context(), Range{Since: day, Until: day.AddDate(0, 0, 1)})
			if err != nil || len(days) == 0 {
				b.Fatal(err)
			}
		}
	})
}

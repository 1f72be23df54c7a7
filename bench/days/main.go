// Command days writes recognitions, one record of the actions topic a line on standard
// input, into an archive's folder, where every command that reads an archive finds them:
//
//	python -m demo.days.export FOLDER --model-id ID | go run ./bench/days BUCKET
//
// The lines of a camera follow each other, in the order of their windows.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: days BUCKET < recognitions, one a line")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "days:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, location string, in io.Reader, out io.Writer) (err error) {
	b, err := archive.OpenBucket(ctx, location)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	i := importer{bucket: b, out: out}
	for lines.Scan() {
		r, err := topics.DecodeRecognition(lines.Bytes())
		if err != nil {
			return err
		}
		if err := i.add(ctx, r); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read recognitions: %w", err)
	}
	return i.flush(ctx)
}

// late is how long after its window's end a recognition is taken to have been recorded.
const late = 200 * time.Millisecond

// importer collects one camera's records at a time. Each camera has a partition of its
// own, so that its records are in the order of their times.
type importer struct {
	bucket    *archive.Bucket
	out       io.Writer
	partition int
	records   []archive.Record[topics.Recognition]
}

func (i *importer) add(ctx context.Context, r topics.Recognition) error {
	if n := len(i.records); n > 0 && i.records[n-1].Value.Camera != r.Camera {
		if err := i.flush(ctx); err != nil {
			return err
		}
	}
	i.records = append(i.records, archive.Record[topics.Recognition]{Value: r, Time: r.End.Add(late)})
	return nil
}

func (i *importer) flush(ctx context.Context) error {
	if len(i.records) == 0 {
		return nil
	}
	if _, err := i.bucket.Import(ctx, i.partition, 0, i.records); err != nil {
		return err
	}
	first, last := i.records[0].Value, i.records[len(i.records)-1].Value
	_, err := fmt.Fprintf(i.out, "%s: %d recognitions, %s to %s\n", first.Camera, len(i.records), first.Start.Format(time.RFC3339), last.End.Format(time.RFC3339))
	i.partition, i.records = i.partition+1, nil
	return err
}

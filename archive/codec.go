package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// Record is a record with the position that it has on Kafka, or had, and the time
// that Kafka gave it.
type Record[T any] struct {
	Value T
	At    topics.RecordRef
	Time  time.Time
}

// codec turns records of one topic into rows, and rows into records.
type codec[T any] struct {
	topic  topics.Topic
	decode func([]byte) (T, error) // of a record's value
	camera func(T) string
	when   func(T) time.Time // the time that a Range is about
	model  func(T) string
	dims   func(T) int // length of its embeddings, 0: none
	// viewed is whether a record names views, and whether these fit into columns of a
	// segment with embeddings of dims numbers; nil: none does.
	viewed func(v T, dims int) (views, fit bool)
	// columns are those beside the ones that every segment has. dims is the length
	// of embeddings.
	columns func(dims int) parquet.Group
	put     func(r *row, v T, dims int) error
	get     func(r *row) (T, error)
}

// The columns of every segment.
const (
	offsetColumn = "offset"
	timeColumn   = "record_time"
	cameraColumn = "camera"
	restColumn   = "extra" // JSON of the fields without a column
)

func (c codec[T]) schema(dims int) *parquet.Schema {
	group := parquet.Group{offsetColumn: whole(), timeColumn: instant(), cameraColumn: repeated(), restColumn: text()}
	for name, node := range c.columns(dims) {
		group[name] = node
	}
	return parquet.NewSchema(string(c.topic), group)
}

// fromMessage decodes a record of Kafka.
func (c codec[T]) fromMessage(m bus.Message) (Record[T], error) {
	v, err := c.decode(m.Value)
	if err != nil {
		return Record[T]{}, err
	}
	if !nanoseconds(m.Time) || !nanoseconds(c.when(v)) {
		return Record[T]{}, fmt.Errorf("its times %v and %v are out of range", m.Time, c.when(v))
	}
	return Record[T]{Value: v, At: topics.RecordRef{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset}, Time: m.Time.UTC()}, nil
}

// fromRow decodes a row of a segment of the topic with the given full name.
func (c codec[T]) fromRow(r *row, topic string, partition int) (Record[T], error) {
	v, err := c.get(r)
	if err != nil {
		return Record[T]{}, err
	}
	at := topics.RecordRef{Topic: topic, Partition: partition, Offset: r.int(offsetColumn)}
	return Record[T]{Value: v, At: at, Time: r.time(timeColumn)}, nil
}

// encode returns a segment's file, and what its footer says. The same records give
// the same bytes. A record that can't be put into a row counts as skipped.
func (c codec[T]) encode(n Name, records []Record[T], skipped int64) ([]byte, Meta, error) {
	dims := c.commonDims(records)
	var out bytes.Buffer
	schema := c.schema(dims)
	w := parquet.NewWriter(&out, append(writerOptions(), schema)...)
	r := newRow(schema)
	kept := make([]Record[T], 0, len(records))
	for _, record := range records {
		r.setInt(offsetColumn, record.At.Offset)
		r.setTime(timeColumn, record.Time)
		r.setText(cameraColumn, c.camera(record.Value))
		if err := c.put(r, record.Value, dims); err != nil {
			skipped++
			continue
		}
		if _, err := w.WriteRows([]parquet.Row{r.values}); err != nil {
			return nil, Meta{}, errors.Join(err, w.Close())
		}
		kept = append(kept, record)
	}
	meta := c.describe(n, kept, skipped, dims)
	text, err := json.Marshal(meta)
	if err != nil {
		return nil, Meta{}, errors.Join(err, w.Close())
	}
	w.SetKeyValueMetadata(metaKey, string(text))
	if err := w.Close(); err != nil {
		return nil, Meta{}, err
	}
	return out.Bytes(), meta, nil
}

func writerOptions() []parquet.WriterOption {
	o := []parquet.WriterOption{parquet.CreatedBy("frostwatch", "1", "archive"), parquet.PageBufferSize(1 << 20), parquet.DataPageVersion(1)}
	// The smallest and the greatest vector or JSON text are of no use to readers.
	for _, column := range append(viewColumnNames(), "embedding", "embedding_first3", "embedding_last3", labelsColumn, valuesColumn, dictionaryColumn, restColumn) {
		o = append(o, parquet.SkipPageBounds(column))
	}
	return o
}

// commonDims is the length that most embeddings have. Those of another length, around
// a change of the model, are in the column of the rest.
func (c codec[T]) commonDims(records []Record[T]) int {
	count, best := map[int]int{}, 0
	for _, r := range records {
		if dims := c.dims(r.Value); dims > 0 {
			count[dims]++
			if best == 0 || count[dims] > count[best] {
				best = dims
			}
		}
	}
	return best
}

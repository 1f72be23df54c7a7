package archive

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/frostwatch/frostwatch/topics"
)

// text is a compressed column; columns with few distinct values use repeated, which
// has a dictionary.
func text() parquet.Node {
	return parquet.Compressed(parquet.Encoded(parquet.String(), &parquet.DeltaLengthByteArray), &parquet.Zstd)
}

func repeated() parquet.Node {
	return parquet.Compressed(parquet.Encoded(parquet.String(), &parquet.RLEDictionary), &parquet.Zstd)
}

func instant() parquet.Node {
	return parquet.Compressed(parquet.Encoded(parquet.Timestamp(parquet.Nanosecond), &parquet.DeltaBinaryPacked), &parquet.Zstd)
}

func whole() parquet.Node {
	return parquet.Compressed(parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked), &parquet.Zstd)
}

func number() parquet.Node {
	return parquet.Compressed(parquet.Leaf(parquet.DoubleType), &parquet.Zstd)
}

// half is a vector of float16, little endian, neither encoded nor compressed: scanning
// embeddings copies bytes. It is null where a record has none, or one of another
// length than the segment's.
func half(dims int) parquet.Node {
	return parquet.Optional(parquet.Encoded(parquet.Leaf(parquet.FixedLenByteArrayType(2*max(1, dims))), &parquet.Plain))
}

// row is one row of a segment, by the names of its columns. A column that the
// segment does not have reads as zero, so that segments of other versions can be
// read.
type row struct {
	columns map[string]parquet.LeafColumn
	values  parquet.Row // by column
	// Of the segment up to this row: what was written, and what was read.
	numbers    labelNumbers
	dictionary dictionary
}

func newRow(s *parquet.Schema) *row {
	r := &row{columns: map[string]parquet.LeafColumn{}}
	for _, path := range s.Columns() {
		leaf, ok := s.Lookup(path...)
		if ok && len(path) == 1 {
			r.columns[path[0]] = leaf
		}
	}
	r.values = make(parquet.Row, len(s.Columns()))
	return r
}

// set puts a value; null only into an optional column.
func (r *row) set(name string, v parquet.Value) {
	c := r.columns[name]
	level := c.MaxDefinitionLevel
	if v.IsNull() {
		level = 0
	}
	r.values[c.ColumnIndex] = v.Level(0, level, c.ColumnIndex)
}

func (r *row) setText(name, v string)      { r.set(name, parquet.ByteArrayValue([]byte(v))) }
func (r *row) setInt(name string, v int64) { r.set(name, parquet.Int64Value(v)) }
func (r *row) setNumber(name string, v float64) {
	r.set(name, parquet.DoubleValue(v))
}

func (r *row) setTime(name string, t time.Time) {
	r.set(name, parquet.Int64Value(t.UnixNano()))
}

// setHalf puts a vector's bytes; empty is null.
func (r *row) setHalf(name string, raw []byte) {
	if len(raw) == 0 {
		r.set(name, parquet.NullValue())
		return
	}
	r.set(name, parquet.FixedLenByteArrayValue(raw))
}

func (r *row) setJSON(name string, v any) error {
	raw, err := json.Marshal(v)
	if err == nil {
		r.set(name, parquet.ByteArrayValue(raw))
	}
	return err
}

// turn makes the next row of a segment that is read the current one.
func (r *row) turn(values parquet.Row) {
	r.values = values
	r.dictionary.learn(r.bytes(dictionaryColumn, parquet.ByteArray))
}

// labels are the row's.
func (r *row) labels() (out []topics.LabelScore, err error) {
	values := r.bytes(valuesColumn, parquet.ByteArray)
	if len(values) == 0 {
		err = r.json(labelsColumn, &out)
		return out, err
	}
	if out, err = r.dictionary.append(make([]topics.LabelScore, 0, len(values)/labelSize), values); err != nil {
		return out, err
	}
	return out, placeLabels(out, r.bytes(labelViewsColumn, parquet.ByteArray))
}

func (r *row) value(name string, kind parquet.Kind) (parquet.Value, bool) {
	c, ok := r.columns[name]
	if !ok || c.ColumnIndex >= len(r.values) {
		return parquet.Value{}, false
	}
	v := r.values[c.ColumnIndex]
	return v, !v.IsNull() && v.Kind() == kind
}

// bytes are valid until the next row is read.
func (r *row) bytes(name string, kind parquet.Kind) []byte {
	v, ok := r.value(name, kind)
	if !ok {
		return nil
	}
	return v.ByteArray()
}

func (r *row) text(name string) string { return string(r.bytes(name, parquet.ByteArray)) }

func (r *row) int(name string) int64 {
	v, ok := r.value(name, parquet.Int64)
	if !ok {
		return 0
	}
	return v.Int64()
}

func (r *row) number(name string) float64 {
	v, ok := r.value(name, parquet.Double)
	if !ok {
		return 0
	}
	return v.Double()
}

func (r *row) time(name string) time.Time {
	v, ok := r.value(name, parquet.Int64)
	if !ok {
		return time.Time{}
	}
	return time.Unix(0, v.Int64()).UTC()
}

func (r *row) json(name string, v any) error {
	raw := r.bytes(name, parquet.ByteArray)
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("column %s: %w", name, err)
	}
	return nil
}

// rest is v's JSON without the keys that have columns of their own: fields that later
// versions add to a record are kept without a change here.
func rest(v any, columns ...string) ([]byte, error) {
	fields, err := restOf(v, columns...)
	if err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}

// restOf is rest before it is JSON.
func restOf(v any, columns ...string) (map[string]json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	for _, name := range columns {
		delete(fields, name)
	}
	return fields, nil
}

// nanoseconds is whether a time fits into a column of nanoseconds since 1970.
func nanoseconds(t time.Time) bool { return t.Year() >= 1900 && t.Year() < 2200 }

package archive

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"github.com/frostwatch/frostwatch/topics"
)

// Labels are in a segment twice: as JSON for other programs, with values rounded to
// nine digits, and exactly, so that replaying rules decodes no JSON for each clip. All
// of a label but its values is a line of JSON in the column of the dictionary, in the
// first row that has the label. In the column of values a row has labelSize bytes for
// each of its labels, little endian: the number of the line in the dictionary (uint16),
// similarity (float32), score and contrast (float64). (Its view has a column of its own:
// views.go.) It is null where a row's labels
// don't fit into that, or the row has something for rules that has no column: then the
// JSON has them exactly, as in segments of older versions.
const (
	labelsColumn     = "labels"
	valuesColumn     = "label_values"
	dictionaryColumn = "label_dictionary"
	labelSize        = 2 + 4 + 8 + 8
	maxDictionary    = 1 << 16
)

func labelColumns() parquet.Group {
	values := parquet.Encoded(parquet.Leaf(parquet.ByteArrayType), &parquet.Plain)
	return parquet.Group{labelsColumn: text(), valuesColumn: parquet.Optional(values), dictionaryColumn: parquet.Optional(text())}
}

// labelNumbers are those of the labels of a segment that is being written.
type labelNumbers map[string]uint16 // by JSON

// put puts a recognition's labels into a row, into the column of values only if all
// that rules read of it is in columns. Nothing of the row may be refused
// afterwards: the dictionary would lack what it has.
func (n *labelNumbers) put(r *row, labels []topics.LabelScore, all bool) error {
	r.set(valuesColumn, parquet.NullValue())
	r.set(dictionaryColumn, parquet.NullValue())
	if !all || !n.fit(labels) {
		return r.setJSON(labelsColumn, labels)
	}
	if err := r.setJSON(labelsColumn, rounded(labels)); err != nil {
		return err
	}
	values, fresh, err := n.entries(labels)
	if err != nil {
		return err
	}
	r.set(valuesColumn, parquet.ByteArrayValue(values))
	if len(fresh) > 0 {
		r.set(dictionaryColumn, parquet.ByteArrayValue(bytes.Join(fresh, []byte{'\n'})))
	}
	return nil
}

// fit is whether labels can be put into the column of values: infer computes
// similarities in float32.
func (n *labelNumbers) fit(labels []topics.LabelScore) bool {
	return len(*n)+len(labels) <= maxDictionary && !slices.ContainsFunc(labels, func(l topics.LabelScore) bool {
		return float64(float32(l.Similarity)) != l.Similarity
	})
}

// entries are the labels' in the column of values, and what they add to the dictionary.
func (n *labelNumbers) entries(labels []topics.LabelScore) (values []byte, fresh [][]byte, err error) {
	if *n == nil {
		*n = labelNumbers{}
	}
	values = make([]byte, 0, labelSize*len(labels))
	for _, l := range labels {
		alike := l
		alike.Similarity, alike.Score, alike.Contrast, alike.View = 0, 0, 0, 0
		raw, err := json.Marshal(alike)
		if err != nil {
			return nil, nil, err
		}
		number, known := (*n)[string(raw)]
		if !known {
			number = uint16(len(*n))
			(*n)[string(raw)] = number
			fresh = append(fresh, raw)
		}
		values = binary.LittleEndian.AppendUint16(values, number)
		values = binary.LittleEndian.AppendUint32(values, math.Float32bits(float32(l.Similarity)))
		values = binary.LittleEndian.AppendUint64(values, math.Float64bits(l.Score))
		values = binary.LittleEndian.AppendUint64(values, math.Float64bits(l.Contrast))
	}
	return values, fresh, nil
}

// rounded are labels for readers of the JSON: more digits would take a tenth of the
// segment again.
func rounded(labels []topics.LabelScore) []topics.LabelScore {
	out := slices.Clone(labels)
	for i := range out {
		l := &out[i]
		l.Similarity, l.Score, l.Contrast = nineDigits(l.Similarity), nineDigits(l.Score), nineDigits(l.Contrast)
	}
	return out
}

func nineDigits(v float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 9, 64), 64)
	if err != nil { // beyond the largest number
		return v
	}
	return short
}

// dictionary is that of a segment that is being read, up to the row that is read.
type dictionary struct {
	list []topics.LabelScore // without values
	// known are labels by their JSON: most segments have the same ones.
	known map[string]topics.LabelScore
	wrong error // why the list is not known any more
}

// clear forgets the segment.
func (d *dictionary) clear() {
	if d.list, d.wrong = d.list[:0], nil; len(d.known) > maxDictionary {
		d.known = nil
	}
}

// learn adds what a row has, which may be nothing. What is wrong with it is wrong with
// all rows from there on.
func (d *dictionary) learn(raw []byte) {
	for len(raw) > 0 && d.wrong == nil {
		var line []byte
		line, raw, _ = bytes.Cut(raw, []byte{'\n'})
		if err := d.add(line); err != nil {
			d.wrong = fmt.Errorf("column %s: %w", dictionaryColumn, err)
		}
	}
}

func (d *dictionary) add(line []byte) error {
	l, known := d.known[string(line)]
	if !known {
		if err := json.Unmarshal(line, &l); err != nil {
			return err
		}
		if err := l.Validate(); err != nil {
			return err
		}
		if d.known == nil {
			d.known = map[string]topics.LabelScore{}
		}
		d.known[string(line)] = l
	}
	if len(d.list) == maxDictionary {
		return fmt.Errorf("more than %d labels", maxDictionary)
	}
	d.list = append(d.list, l)
	return nil
}

// append appends the labels of a row to others.
func (d *dictionary) append(to []topics.LabelScore, values []byte) ([]topics.LabelScore, error) {
	if d.wrong != nil {
		return to, d.wrong
	}
	if len(values)%labelSize != 0 || len(values) > labelSize*topics.MaxLabels {
		return to, fmt.Errorf("column %s: %d bytes", valuesColumn, len(values))
	}
	for ; len(values) > 0; values = values[labelSize:] {
		entry := values[:labelSize:labelSize]
		number := int(binary.LittleEndian.Uint16(entry))
		if number >= len(d.list) {
			return to, fmt.Errorf("column %s: label %d of %d", valuesColumn, number, len(d.list))
		}
		to = append(to, d.list[number])
		l := &to[len(to)-1]
		l.Similarity = float64(math.Float32frombits(binary.LittleEndian.Uint32(entry[2:])))
		l.Score = math.Float64frombits(binary.LittleEndian.Uint64(entry[6:]))
		l.Contrast = math.Float64frombits(binary.LittleEndian.Uint64(entry[14:]))
	}
	return to, nil
}

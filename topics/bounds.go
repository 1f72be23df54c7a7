package topics

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// bounds are how much JSON a record of one kind may hold. An element of a list can
// take many times its bytes in memory, so bounds are checked before a record is
// decoded.
type bounds struct {
	bytes int     // of the record
	lists []bound // lists and tables that have a bound of their own
	// fields bounds the fields of the record itself and of the objects in its lists,
	// together.
	fields int
}

// bound is how many elements a field may hold, or how many members if it is an
// object. If the field is there several times, all count together.
type bound struct {
	field string
	most  int
}

const (
	smallRecord = 128 << 10 // bytes of a record without long lists
	maxFields   = 1000      // far more than any record has, so that versions to come can add some
	maxValue    = 64 << 10  // bytes of a text or number: an embedding of 24,000 values
	maxDepth    = 32        // of lists and objects within each other
)

// decodeJSON decodes a record of one kind into v, after check.
func decodeJSON(b []byte, v any, of bounds) error {
	if err := of.check(b); err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return errors.New(Clean(err.Error())) // it quotes the record
	}
	return nil
}

// check refuses a record that is too large or holds too much. It allocates nothing
// for one that it accepts. Whether the JSON is valid is left to the decoder.
func (o bounds) check(b []byte) error {
	if err := checkSize(b, o.bytes); err != nil {
		return err
	}
	if !utf8.Valid(b) { // each wrong byte would become three
		return errors.New("the text is not valid UTF-8")
	}
	w := walker{bounds: o, text: b}
	if err := w.walk(); err != nil {
		return err
	}
	for i, l := range o.lists {
		if w.counts[i] > l.most {
			return fmt.Errorf("%s: %d elements, want at most %d", l.field, w.counts[i], l.most)
		}
	}
	if n := w.counts[otherFields]; n > maxFields {
		return fmt.Errorf("lists and objects in other fields: %d elements, want at most %d", n, maxFields)
	}
	if n := w.counts[looseFields]; n > o.fields {
		return fmt.Errorf("fields: %d, want at most %d", n, o.fields)
	}
	return nil
}

// checkSize refuses a record that is larger than any that we write.
func checkSize(b []byte, most int) error {
	if len(b) > most {
		return fmt.Errorf("the record has %d bytes, want at most %d", len(b), most)
	}
	return nil
}

// Places in walker.counts after those of bounds.lists.
const (
	maxLists    = 6
	looseFields = maxLists     // of objects that are not the value of a field
	otherFields = maxLists + 1 // of lists and objects in all other fields
)

// walker goes over a JSON text and counts the elements in it.
type walker struct {
	bounds
	text   []byte
	at     int
	counts [maxLists + 2]int
	open   [maxDepth]int // what the lists and objects around the current place count as
	depth  int
	last   []byte // text that was read last
	field  []byte // field whose value comes next; nil for an element of a list
}

func (w *walker) walk() error {
	for ; w.at < len(w.text); w.at++ {
		switch c := w.text[w.at]; c {
		case '{', '[':
			if w.depth == maxDepth {
				return fmt.Errorf("lists and objects are more than %d deep", maxDepth)
			}
			w.open[w.depth] = w.place()
			w.counts[w.open[w.depth]]++
			w.depth++
			w.field = nil
		case '}', ']':
			w.depth = max(0, w.depth-1)
			w.field = nil
		case ',':
			if w.depth > 0 {
				w.counts[w.open[w.depth-1]]++
			}
			w.field = nil
		case ':':
			w.field = w.last
		case ' ', '\t', '\r', '\n':
		default:
			if err := w.value(c == '"'); err != nil {
				return err
			}
		}
	}
	return nil
}

// place is where the elements of the list or object that opens are counted.
func (w *walker) place() int {
	if w.field == nil {
		return looseFields
	}
	for i, l := range w.lists {
		if string(w.field) == l.field {
			return i
		}
	}
	return otherFields
}

// value passes over a text, or over a number or word.
func (w *walker) value(text bool) error {
	began := w.at
	if text {
		w.at = began + 1 + textEnd(w.text[began+1:])
		w.last = w.text[began+1 : w.at]
	} else {
		for w.at+1 < len(w.text) && strings.IndexByte(",:]}[{\" \t\r\n", w.text[w.at+1]) < 0 {
			w.at++
		}
	}
	if n := w.at - began; n > maxValue {
		return fmt.Errorf("%.80q: a value of %d bytes, want at most %d", w.field, n, maxValue)
	}
	return nil
}

// textEnd is the index of the quote that ends a text, or its length without one.
func textEnd(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(b)
}

var (
	recognitionBounds = bounds{bytes: MaxRecordBytes, fields: maxFields + 16*MaxLabels, lists: []bound{
		{"labels", MaxLabels}, {"tags", MaxLabels * maxTags}, {"camera_tags", maxTags}, {"zone", 4 * (MaxLabels + maxSeenViews)},
	}}
	alertBounds     = bounds{bytes: 2 * smallRecord, fields: maxFields, lists: []bound{{"camera_tags", maxTags}, {"cameras", MaxAlertCameras}}}
	cameraBounds    = bounds{bytes: smallRecord, fields: maxFields, lists: []bound{{"tags", maxTags}, {"zones", maxZones}}}
	cameraSetBounds = bounds{bytes: MaxRecordBytes, fields: maxFields, lists: []bound{{"cameras", maxSet}}}
	watchedBounds   = bounds{bytes: MaxRecordBytes, fields: maxFields, lists: []bound{{"labels", MaxLabels}, {"tags", MaxLabels}, {"zones", maxZones}}}
	thresholdBounds = bounds{bytes: smallRecord, fields: maxFields}
	sightingBounds  = bounds{bytes: smallRecord, fields: maxFields, lists: []bound{{"camera_tags", maxTags}, {"tags", maxTags}}}
	markBounds      = bounds{bytes: smallRecord, fields: maxFields}
	verdictBounds   = bounds{bytes: smallRecord, fields: maxFields}
	silenceBounds   = bounds{bytes: smallRecord, fields: maxFields}
	withheldBounds  = bounds{bytes: smallRecord, fields: maxFields, lists: []bound{{"camera_tags", maxTags}}}
	statusBounds    = bounds{bytes: smallRecord, fields: maxFields}
	workerBounds    = bounds{bytes: MaxRecordBytes, fields: maxFields, lists: []bound{
		{"stages", maxStages}, {"partitions", maxHolding * maxPartitions}, {"problems", maxReports}, {"warnings", maxReports},
		{"further_vocabularies", maxFurther},
	}}
)

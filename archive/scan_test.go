package archive

import (
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/frostwatch/frostwatch/topics"
)

// Segments that were written before a recognition had references are read and
// scanned, and say that they have none.
func TestSegmentsOfOlderVersionsHaveNoReferences(t *testing.T) {
	b := bucket(t)
	old := actionsCodec()
	columns := old.columns
	old.columns = func(dims int) parquet.Group {
		group := columns(dims)
		delete(group, "references_hash")
		delete(group, "references_logit")
		return group
	}
	old.put = func(r *row, a topics.Recognition, dims int) error {
		for _, name := range []string{"references_hash", "references_logit"} {
			r.columns[name] = parquet.LeafColumn{ColumnIndex: 0} // offset, which is put again below
		}
		offset := r.values[r.columns[offsetColumn].ColumnIndex]
		err := putAction(r, a, dims)
		r.values[r.columns[offsetColumn].ColumnIndex] = offset
		return err
	}
	var records []Record[topics.Recognition]
	for i := range 100 {
		at := hour.Add(time.Duration(i) * time.Second)
		a := action("lobby", at, 8)
		a.References = nil
		records = append(records, Record[topics.Recognition]{Value: a, At: topics.RecordRef{Offset: int64(i)}, Time: at})
	}
	n := Name{Topic: topics.Actions, Partition: 1, Hour: hour, From: 0, To: 100}
	content, _, err := old.encode(n, records, 0)
	must(t, err)
	must(t, b.put(t.Context(), n.Key(), content))
	r := reader(t, ReaderOptions{Bucket: b})
	rows := 0
	counts, err := r.Scan(t.Context(), Range{}, func(b Batch) error {
		for _, row := range b.Rows {
			if row.References != (topics.References{}) || row.ClipID() != records[rows].Value.ClipID {
				t.Errorf("row %+v of clip %s", row, records[rows].Value.ClipID)
			}
			rows++
		}
		return nil
	})
	if err != nil || rows != 100 || counts.Broken > 0 {
		t.Errorf("%d rows, %+v, %v", rows, counts, err)
	}
	counts, err = r.Actions(t.Context(), Range{}, func(r Record[topics.Recognition]) error {
		if r.Value.References != nil {
			t.Errorf("references %+v", r.Value.References)
		}
		return nil
	})
	if err != nil || counts.Given != 100 {
		t.Errorf("%+v, %v", counts, err)
	}
}

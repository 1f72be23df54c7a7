package bench

import (
	"testing"
	"time"
)

func TestDelaysAreOfTheRecordsThatHaveABeginning(t *testing.T) {
	zero := time.Unix(1000, 0)
	var records []seenRecord
	for i := 1; i <= 200; i++ { // in falling order: 200 ms to 1 ms
		records = append(records, seenRecord{clip: "known", published: zero.Add(time.Duration(201-i) * time.Millisecond)})
	}
	records = append(records, seenRecord{clip: "unknown", published: zero.Add(time.Hour)})
	begin := func(r seenRecord) (time.Time, bool) { return zero, r.clip == "known" }
	if got, want := delaysFrom(records, begin), (delays{N: 200, P50: 100, P99: 198, Max: 200}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := delaysFrom(nil, begin); got != (delays{}) {
		t.Errorf("of nothing: %+v", got)
	}
	if got := percentile([]float64{7}, 50); got != 7 {
		t.Errorf("median of one value: %v", got)
	}
}

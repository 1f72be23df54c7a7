package console

import (
	"net/http"
	"testing"
	"time"
)

// Days of zones that have left one out, or where one has no midnight, end.
func TestOddDaysOfACalendar(t *testing.T) {
	r := newReviewed(t)
	for zone, month := range map[string]string{"Pacific/Apia": "2011-12", "Pacific/Kwajalein": "1993-08", "America/Santiago": "2026-09"} {
		if status, text := r.call("GET", "/alerts/calendar?zone="+zone+"&month="+month, nil, nil); status != http.StatusOK {
			t.Errorf("%s of %s: %d %s", month, zone, status, text)
		}
	}
	apia, err := time.LoadLocation("Pacific/Apia")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2011, 12, 29, 15, 0, 0, 0, apia)
	if from, to := daySpan(at); to.Sub(from) != 24*time.Hour || !to.Equal(time.Date(2011, 12, 31, 0, 0, 0, 0, apia)) {
		t.Errorf("the day before the one that was left out: from %s to %s", from, to)
	}
}

package topics

import (
	"encoding/json"
	"strings"
	"testing"
)

// What a foreign record may hold is shown to people: texts that would move the
// cursor, colour or hide what follows are refused.
func TestAlertsWithUnprintableTextAreRefused(t *testing.T) {
	for name, bend := range map[string]func(*Alert, string){
		"alert_id":      func(a *Alert, raw string) { a.ID = raw },
		"rule":          func(a *Alert, raw string) { a.Rule = raw },
		"severity":      func(a *Alert, raw string) { a.Severity = raw },
		"camera":        func(a *Alert, raw string) { a.Camera = raw },
		"tags":          func(a *Alert, raw string) { a.Tags = []string{raw} },
		"label":         func(a *Alert, raw string) { a.Label = raw },
		"nearest_base":  func(a *Alert, raw string) { a.NearestBase = raw },
		"onset_clip_id": func(a *Alert, raw string) { a.OnsetClip = raw },
		"clip_id":       func(a *Alert, raw string) { a.Clip = raw },
		"reason":        func(a *Alert, raw string) { a.Reason = raw },
	} {
		for _, raw := range []string{"a\x1b[2Jb", "a\nALERT", "a\u202eb", strings.Repeat("a", maxAlertID+1)} {
			a := fullAlert(AlertCleared)
			bend(&a, raw)
			data, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			record := `{"specversion":"1.0","id":"x","source":"frostwatch","type":"` + TypeAlertCleared + `","datacontenttype":"application/json","data":` + string(data) + `}`
			if _, err := DecodeAlert([]byte(record)); err == nil || !strings.Contains(err.Error(), strings.Split(name, "_")[0]) {
				t.Errorf("%s %q: %v", name, raw, err)
			}
		}
	}
}

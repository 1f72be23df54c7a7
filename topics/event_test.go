package topics

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// A dead letter's reason says what is wrong, and does not fill up with the record.
func TestReasonsOfBadEvents(t *testing.T) {
	head := `{"specversion":"1.0","id":"x","type":"` + TypeRecognition + `"`
	for record, want := range map[string]string{
		head + `,"data":{"camera":5,"model_id":"` + strings.Repeat("m", 600) + `"}}`: `decode frostwatch.recognition.v1 "x": json: cannot unmarshal number into Go struct field Recognition.camera of type string`,
		head + `,"data":{"labels":[` + elements(1001, "{}") + `]}}`:                  `decode event: labels: 1001 elements, want at most 1000`,
		head + `}`: `decode frostwatch.recognition.v1 "x": unexpected end of JSON input`,
		`{"specversion":"0.3","id":"x","type":"` + TypeRecognition + `","data":{}}`: `decode event "x": specversion "0.3", want 1.0`,
		`{"specversion":"1.0","id":"x","type":"y","data":{}}`:                       `decode event "x": type "y", want one of [frostwatch.recognition.v1]`,
		`{"specversion":"1.0",`: `decode event: unexpected end of JSON input`,
	} {
		if _, err := DecodeRecognition([]byte(record)); err == nil || err.Error() != want {
			t.Errorf("%.80s\ngot  %v\nwant %s", record, err, want)
		}
	}
}

// Attributes of other producers do no harm, and data may be in base64, as in
// CloudEvents' JSON format.
func TestEventsOfOtherProducers(t *testing.T) {
	data, err := json.Marshal(fullRecognition())
	if err != nil {
		t.Fatal(err)
	}
	head := `{"specversion":"1.0","id":"x","source":"s","type":"` + TypeRecognition + `","traceparent":"00-1","sequence":5,`
	for _, rest := range []string{
		`"datacontenttype":"application/json; charset=utf-8","data":` + string(data) + `}`,
		`"data_base64":"` + base64.StdEncoding.EncodeToString(data) + `"}`,
	} {
		if r, err := DecodeRecognition([]byte(head + rest)); err != nil || r.ClipID != fullRecognition().ClipID {
			t.Errorf("%.150s: %v", rest, err)
		}
	}
	hidden := base64.StdEncoding.EncodeToString([]byte(`{"labels":[` + elements(1001, "{}") + `]}`))
	if _, err := DecodeRecognition([]byte(head + `"data_base64":"` + hidden + `"}`)); err == nil || !strings.Contains(err.Error(), "labels: 1001 elements") {
		t.Errorf("base64 with too many labels: %v", err)
	}
}

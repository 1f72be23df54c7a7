package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestBenchOfTheWholeProduct(t *testing.T) {
	out, err := frostwatch(t, "bench", "up", "--for", "15s", "--json")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var r struct {
		Up struct {
			Cameras int `json:"cameras"`
		} `json:"up"`
	}
	// Progress goes to standard error, here before the JSON.
	_, report, _ := strings.Cut(out, "{")
	if err := json.Unmarshal([]byte("{"+report), &r); err != nil || r.Up.Cameras != 10 {
		t.Errorf("%v in\n%s", err, out)
	}
}

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// Workers and the broker are killed, and connections die, while a fleet sends: every record
// is checked by `frostwatch bench chaos`, which fails on a violation. How many alerts and
// clips there were is asserted here, so that a trial in which nothing happens is no success.
func TestChaos(t *testing.T) {
	t.Parallel()
	need(t, "redis-server")
	out, err := frostwatch(t, "bench", "chaos", "--seed", "11", "--trials", "4", "--nemesis", "calm,kill,broker,conns",
		"--cameras", "6", "--clips", "24", "--speed", "6", "--json")
	var sum struct {
		Trials       int `json:"trials"`
		Clips        int `json:"clips"`
		Acknowledged int `json:"acknowledged"`
		Recognised   int `json:"recognised"`
		Alerts       int `json:"alert_records"`
		Violations   int `json:"violations"`
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i := len(lines) - 1; i >= 0 && sum.Trials == 0; i-- {
		_ = json.Unmarshal([]byte(lines[i]), &sum) // progress is not JSON
	}
	if err != nil || sum.Trials != 4 || sum.Violations != 0 {
		t.Fatalf("%v in\n%s", err, out)
	}
	if sum.Clips < 4*6*20 || sum.Recognised < sum.Acknowledged || sum.Acknowledged < sum.Clips/2 || sum.Alerts < 40 {
		t.Errorf("too little happened: %+v", sum)
	}
}

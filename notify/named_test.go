package notify

import (
	"fmt"
	"slices"
	"testing"

	"github.com/frostwatch/frostwatch/topics"
)

// A rule's alerts go to the receivers that it names and to no others, whose own `when`
// still counts. That one of them does not exist is reported.
func TestARuleNamesItsReceivers(t *testing.T) {
	b, ops, desk, wards := startBroker(t, 1), startHook(t), startHook(t), startHook(t)
	r := b.run(t, plan(t, fmt.Sprintf(`
- {name: ops, webhook: {url: %q, private: true}}
- {name: desk, webhook: {url: %q, private: true}}
- {name: wards, when: {cameras: ["ward-*"]}, webhook: {url: %q, private: true}}
`, ops.URL, desk.URL, wards.URL)), 1)
	named := func(camera string, state topics.AlertState, names ...string) topics.Alert {
		a := alert(camera, 1, state)
		a.Notify = names
		return a
	}
	b.send(t, named("lobby", topics.AlertRaised, "ops", "wards", "nobody"), named("lobby", topics.AlertCleared, "ops", "wards", "nobody"),
		named("ward-1", topics.AlertRaised, "wards"), named("hall", topics.AlertRaised))
	for name, c := range map[string]struct {
		hook *hook
		want []string
	}{
		"ops":   {ops, []string{"fall/lobby-1/raised", "fall/lobby-1/cleared", "fall/hall-1/raised"}},
		"desk":  {desk, []string{"fall/hall-1/raised"}},
		"wards": {wards, []string{"fall/ward-1-1/raised"}},
	} {
		await(t, "delivery to "+name, func() bool { return len(c.hook.accepted()) >= len(c.want) })
		if got := c.hook.accepted(); !slices.Equal(got, c.want) {
			t.Errorf("%s got %q, want %q", name, got, c.want)
		}
	}
	r.reports.AwaitWarning(t, "receiver nobody", "the rule fall notifies it, and notify.receivers has none of that name")
}

func TestReceiversThatGetNothingOfARule(t *testing.T) {
	const hook = "webhook: {url: 'https://h/'}"
	p := plan(t, "- {name: ops, when: {rules: ['fall*'], severity: critical}, "+hook+"}\n- {name: desk, "+hook+"}\n")
	for _, c := range []struct{ receiver, rule, severest, want string }{
		{"ops", "fall-2", "critical", ""},
		{"desk", "fight", "info", ""},
		{"ops", "fight", "critical", "it notifies ops, whose when.rules leaves it out"},
		{"ops", "fall", "warning", "it notifies ops, whose when.severity is critical, and its alerts are warning at most"},
		{"pager", "fall", "critical", `it notifies "pager", and notify.receivers has only ops, desk`},
	} {
		if got := p.WhyNot(c.receiver, c.rule, c.severest); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
	if got := plan(t, "[]").WhyNot("ops", "fall", "info"); got != `it notifies "ops", and notify.receivers is empty` {
		t.Errorf("without receivers: got %q", got)
	}
}

package calibrate

import (
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/topics"
)

// What counts as true for a rule: what people marked so of its own alerts, or of
// another rule's about one of its labels, on the same camera.
func TestWhatIsTrueForARule(t *testing.T) {
	rule, labels := bagRule("1 per week"), named("leaves a bag", "drops a case")
	ended := t0.Add(20 * time.Second)
	sound := topics.Mark{Camera: "hall", Rule: "other", Label: "Leaves  a BAG", True: true, Onset: t0, Ended: ended, At: t0.Add(time.Hour)}
	for name, c := range map[string]struct {
		change func(*topics.Mark)
		want   []interval
	}{
		"another rule about a label":   {func(*topics.Mark) {}, []interval{{t0.Add(-10 * time.Second), ended.Add(10 * time.Second)}}},
		"its second label":             {func(m *topics.Mark) { m.Label = "drops a case" }, []interval{{t0.Add(-10 * time.Second), ended.Add(10 * time.Second)}}},
		"its own alert":                {func(m *topics.Mark) { m.Rule, m.Label = "bag", "of old" }, []interval{{t0.Add(-10 * time.Second), ended.Add(10 * time.Second)}}},
		"open when it was marked":      {func(m *topics.Mark) { m.Ended = time.Time{} }, []interval{{t0.Add(-10 * time.Second), t0.Add(time.Hour + 10*time.Second)}}},
		"false":                        {func(m *topics.Mark) { m.True = false }, nil},
		"another camera":               {func(m *topics.Mark) { m.Camera = "door" }, nil},
		"neither the rule nor a label": {func(m *topics.Mark) { m.Label = "waves" }, nil},
	} {
		m := sound
		c.change(&m)
		got := truths([]topics.Mark{m}, "hall", rule, labels)
		if !slices.EqualFunc(got, c.want, func(a, b interval) bool { return a.from.Equal(b.from) && a.to.Equal(b.to) }) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// Marks reach the thresholds: a camera on which most of what looked like the label was
// marked as true raises at a lower contrast, and one that has no marks as before.
func TestMarksLowerThresholds(t *testing.T) {
	past := twoHours(t)
	find := func(marks []topics.Mark) (hall, door topics.Threshold) {
		t.Helper()
		o := dialOptions(t, past, "10 per hour", "hall", "door")
		o.Marks = marks
		got, err := Thresholds(t.Context(), o)
		if err != nil || len(got) != 2 || got[0].Camera != "door" {
			t.Fatalf("%+v, %v", got, err)
		}
		return got[1], got[0]
	}
	var marks []topics.Mark
	for i := 0; i < 3600; i += 40 { // when the hall shows what looks like it most
		at := t0.Add(time.Duration(i) * stride)
		marks = append(marks, topics.Mark{Alert: topics.AlertID("bag", topics.ClipID("hall", t0, at.Sub(t0))), Camera: "hall", Rule: "bag", Label: "leaves a bag", True: true, Onset: at, Ended: at.Add(4 * time.Second), At: end})
	}
	hall, door := find(nil)
	marked, same := find(marks)
	if marked.Raise > hall.Raise-.02 || marked.Clips >= hall.Clips || same.Raise != door.Raise {
		t.Errorf("hall raises at %v, with marks at %v; door at %v and %v", hall.Raise, marked.Raise, door.Raise, same.Raise)
	}
	for i := range marks {
		marks[i].True = false
	}
	if again, _ := find(marks); again.Raise != hall.Raise {
		t.Errorf("what was marked as false changes the threshold from %v to %v", hall.Raise, again.Raise)
	}
}

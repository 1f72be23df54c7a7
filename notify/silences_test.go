package notify

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/stagetest"
	"github.com/frostwatch/frostwatch/topics"
)

// silence puts a silence of the wards on the table, from now until then.
func (b broker) silence(t *testing.T, at, until time.Time) {
	t.Helper()
	value, err := topics.EncodeSilence(topics.Silence{ID: "s", Choice: topics.Choice{Cameras: []string{"ward-*"}}, At: at, Until: until})
	if err == nil {
		_, err = b.Table(names.Of(topics.Silences)).Put(t.Context(), "s", value, "")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// profile puts a profile in force, as the command does, after all that was sent before.
func (b broker) profile(t *testing.T, name string) {
	t.Helper()
	if err := OpenSilences(b.Client, names).SetProfile(t.Context(), name, "", thisMoment().Add(2*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
}

// thisMoment is the time as precisely as Kafka has times.
func thisMoment() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// What is silenced is not delivered, also if the stage was down meanwhile; what is still
// open afterwards is. Clears go the way of their raises.
func TestWhatIsSilencedIsNotDelivered(t *testing.T) {
	b, h := startBroker(t, 1), startHook(t)
	p := plan(t, fmt.Sprintf("- {name: ops, webhook: {url: %q, private: true}}\n", h.URL))
	r := b.run(t, p, 1)
	b.send(t, alert("ward-1", 1, topics.AlertRaised))
	await(t, "delivery", func() bool { return len(h.accepted()) == 1 })

	begun := thisMoment()
	b.silence(t, begun, begun.Add(time.Hour))
	await(t, "silence", func() bool { return r.silences.cover(alert("ward-1", 0, topics.AlertRaised), thisMoment()) })
	b.send(t, alert("ward-1", 2, topics.AlertRaised), alert("lobby", 3, topics.AlertRaised), alert("ward-1", 1, topics.AlertCleared), alert("ward-1", 2, topics.AlertCleared), alert("lobby", 3, topics.AlertCleared))
	want := []string{"fall/ward-1-1/raised", "fall/lobby-3/raised", "fall/ward-1-1/cleared", "fall/lobby-3/cleared"}
	await(t, "delivery", func() bool { return len(h.accepted()) >= len(want) })
	r.stop()
	if counts := stagetest.Counts(t, r.reader); counts["frostwatch.notify.silenced"] != 2 {
		t.Errorf("counted %v", counts)
	}

	b.send(t, alert("ward-1", 4, topics.AlertRaised)) // nobody is there to see it
	lifted := thisMoment().Add(2 * time.Millisecond)
	b.silence(t, begun, lifted)
	await(t, "end of the silence", func() bool { return thisMoment().After(lifted) })
	b.run(t, p, 1)
	b.send(t, alert("ward-1", 5, topics.AlertRaised))
	want = append(want, "fall/ward-1-4/raised", "fall/ward-1-5/raised")
	await(t, "delivery", func() bool { return slices.Contains(h.accepted(), want[len(want)-1]) })
	if got := unique(h.accepted()); !slices.Equal(got, want) { // it may be stopped before it commits
		t.Errorf("delivered %q, want %q", got, want)
	}
	await(t, "an empty table", func() bool {
		rows, err := b.Table(names.Of(topics.Withheld)).List(t.Context())
		return err == nil && len(rows) == 0
	})
}

// Of the alerts that the profile in force disarms none is delivered, until another is set.
func TestAProfileDisarms(t *testing.T) {
	b, h := startBroker(t, 1), startHook(t)
	r := b.run(t, plan(t, fmt.Sprintf("- {name: ops, webhook: {url: %q, private: true}}\n", h.URL)), 1)
	r.SetProfiles([]config.Profile{{Name: "home", Disarm: []topics.Choice{{Rules: []string{"fight"}}, {Cameras: []string{"ward-*"}}}}, {Name: "away"}})
	disarmed := func() bool { return r.silences.cover(alert("ward-1", 0, topics.AlertRaised), thisMoment()) }
	b.profile(t, "home")
	await(t, "profile", disarmed)
	b.send(t, alert("ward-1", 1, topics.AlertRaised), alert("ward-1", 1, topics.AlertCleared), alert("ward-1", 2, topics.AlertRaised), alert("lobby", 2, topics.AlertRaised))
	b.profile(t, "away")
	await(t, "profile", func() bool { return !disarmed() })
	b.send(t, alert("ward-1", 3, topics.AlertRaised))
	await(t, "delivery", func() bool { return len(h.accepted()) >= 3 })
	got := h.accepted()
	slices.Sort(got)
	if !slices.Equal(got, []string{"fall/lobby-2/raised", "fall/ward-1-2/raised", "fall/ward-1-3/raised"}) {
		t.Errorf("delivered %q", got)
	}
	b.profile(t, "holidays")
	r.reports.AwaitWarning(t, "profile", "the profile holidays is in force, and notify.profiles has none of that name: it disarms nothing")
	r.SetProfiles([]config.Profile{{Name: "holidays"}})
	await(t, "end of the warning", func() bool { return r.reports.WarningOf("profile") == nil })
}

// Anybody may write to the table: what is wrong changes nothing, and much of it takes no
// memory without end.
func TestRecordsOfSilencesAreNotTrusted(t *testing.T) {
	s := newSilences(nil)
	record := func(key string, one topics.Silence) bus.Message {
		value, err := topics.EncodeSilence(one)
		if err != nil {
			t.Fatal(err)
		}
		return bus.Message{Key: []byte(key), Value: value, Time: noon}
	}
	one := topics.Silence{Choice: topics.Choice{Cameras: []string{"*"}}, At: noon, Until: noon.Add(time.Hour)}
	for i := range maxSilences + 10 {
		one.ID = fmt.Sprint(i)
		if err := s.note(record(one.ID, one)); (err != nil) != (i >= maxSilences) {
			t.Fatal(i, err)
		}
	}
	if err := s.note(record("other", one)); err == nil {
		t.Error("a silence under another key is taken")
	}
	if err := s.note(bus.Message{Key: []byte(topics.ProfileKey), Value: []byte(`{"profile":"a\u001b"}`)}); err == nil || s.profile.Name != "" {
		t.Error("a broken profile is taken")
	}
	one.At, one.Until = noon.Add(-maxKeep-2*time.Hour), noon.Add(-maxKeep-time.Hour)
	one.ID = "1"
	if err := s.note(record("1", one)); err != nil || len(s.all.byID) != maxSilences-1 {
		t.Errorf("%d silences, %v: those that have long ended are forgotten", len(s.all.byID), err)
	}
	if err := s.note(bus.Message{Key: []byte("2")}); err != nil || len(s.all.byID) != maxSilences-2 {
		t.Errorf("%d silences, %v: one that is removed is forgotten", len(s.all.byID), err)
	}
}

// Receivers that show what is open do not show what is silenced, until the silence has ended.
func TestWhatIsSilencedIsNotShownAsOpen(t *testing.T) {
	p := plan(t, "- {name: ops, webhook: {url: 'http://127.0.0.1:1', private: true}}\n")
	clock := &tape{now: noon.Add(time.Hour - time.Second)}
	s, err := New(Options{Bus: clock, Names: names, Group: "notify", Plan: p, Logger: slog.New(slog.DiscardHandler), Meter: noop.NewMeterProvider().Meter("test")})
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.delivery(p.all()[0], func() {})
	if err != nil {
		t.Fatal(err)
	}
	d.hold(0, true)
	s.silences.all.put(topics.Silence{ID: "s", Choice: topics.Choice{Cameras: []string{"ward-*"}}, At: noon, Until: noon.Add(time.Hour)})
	for camera, at := range map[string]time.Time{"ward-1": noon.Add(-time.Second), "ward-2": noon.Add(time.Second), "ward-3": noon.Add(time.Hour), "lobby": noon.Add(time.Second)} {
		a := alert(camera, 1, topics.AlertRaised)
		value, err := topics.EncodeAlert(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.open.take(bus.Message{Key: []byte(a.OpenKey()), Value: value, Time: at}); err != nil {
			t.Fatal(err)
		}
	}
	s.open.read(nil)
	for _, want := range [][]string{{"lobby", "ward-1", "ward-3"}, {"lobby", "ward-1", "ward-2", "ward-3"}} {
		var shown []string
		open, known, _ := d.openNow()
		for _, e := range open {
			shown = append(shown, e.Alert.Camera)
		}
		if !known || !slices.Equal(shown, want) {
			t.Errorf("shown as open: %q, want %q", shown, want)
		}
		clock.now = noon.Add(time.Hour)
	}
}

package notify

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/internal/config"
	"github.com/frostwatch/frostwatch/internal/telemetry"
	"github.com/frostwatch/frostwatch/topics"
)

// tape is a partition of alerts, and of the table of what is withheld, in memory, with a
// clock of its own: minutes after noon.
type tape struct {
	Bus   // no more of it is needed
	t     testing.TB
	now   time.Time
	log   []bus.Message
	open  map[string]topics.Alert
	table map[string]bus.Message
	// committed is the group's offset, told what the receiver got.
	committed int64
	told      []string
	silences  *silences
	opinions  *opinions
	skip      int64 // offsets that are too old at the next start
	w         *worker
}

func newTape(t testing.TB) *tape {
	p := &tape{t: t, now: noon, open: map[string]topics.Alert{}, table: map[string]bus.Message{}}
	p.silences = newSilences([]config.Profile{{Name: "home", Disarm: []topics.Choice{{Rules: []string{"fall"}}}}, {Name: "away"}})
	p.opinions = newOpinions(nil)
	p.start()
	return p
}

func (p *tape) Now() time.Time { return p.now }

func (p *tape) Age(m bus.Message) time.Duration { return p.now.Sub(m.Time) }

func (p *tape) Replay(_ context.Context, topic string, _ int, from, to int64, fn func(bus.Message) error) error {
	switch topic {
	case names.Of(topics.Alerts):
		for _, m := range p.log[from:to] {
			_ = fn(m)
		}
	case names.Of(topics.Withheld):
		for _, key := range slices.Sorted(maps.Keys(p.table)) {
			_ = fn(p.table[key])
		}
	case names.Of(topics.OpenAlerts):
		for key, a := range p.open {
			value, _ := topics.EncodeAlert(a)
			_ = fn(bus.Message{Key: []byte(key), Value: value})
		}
	}
	return nil
}

func (p *tape) ID() int          { return 0 }
func (p *tape) Committed() int64 { return p.committed }
func (p *tape) Bounds(context.Context) (first, next int64, err error) {
	return 0, int64(len(p.log)), nil
}
func (p *tape) SeekOffset(int64) error { return nil }
func (p *tape) SkipOlder(context.Context, time.Duration) (int64, error) {
	skipped := p.skip
	p.skip = 0
	return skipped, nil
}
func (p *tape) FetchInto(context.Context, chan<- bus.Message) error { return nil }
func (p *tape) Commit(_ context.Context, next int64) error {
	p.committed = next
	return nil
}

// Table is Kafka's: of each key the newest, and an empty one removes it.
func (p *tape) Send(_ context.Context, msgs ...bus.Message) ([]topics.RecordRef, error) {
	for _, m := range msgs {
		if m.Time = p.now; len(m.Value) == 0 {
			delete(p.table, string(m.Key))
		} else {
			p.table[string(m.Key)] = m
		}
	}
	return make([]topics.RecordRef, len(msgs)), nil
}

// sender is the receiver.
type tapeSender struct{ *tape }

func (s tapeSender) Send(_ context.Context, n Notification) error {
	for _, e := range n.Events {
		s.told = append(s.told, strings.TrimPrefix(e.Key, "fall/ward-"))
	}
	return nil
}

// start starts a worker where the last one has committed.
func (p *tape) start() {
	p.t.Helper()
	r := plan(p.t, `- {name: ops, command: {run: ["true"]}, when: {rules: [fall]}}`).all()[0]
	r.Sender = tapeSender{p}
	s := &Stage{
		Options: Options{Bus: p, Names: names, Group: "notify", Logger: slog.New(slog.DiscardHandler), Reporter: telemetry.Quiet{}},
		metrics: newMetrics(&telemetry.Instruments{Meter: noop.NewMeterProvider().Meter("")}), silences: p.silences, opinions: p.opinions,
	}
	d := &delivery{Stage: s, receiver: r, limit: newLimiter(Limit{}), by: metric.WithAttributes()}
	p.w = &worker{delivery: d, lease: p, pace: newPace(0, d.limit), later: newWithheld()}
	if err := p.w.begin(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// work reads what there is, as many records as that; commits unless it is killed.
func (p *tape) work(most int, killed bool) {
	p.t.Helper()
	err := p.w.releaseDue(p.t.Context())
	for n := 0; n < most && err == nil && p.w.next < int64(len(p.log)); n++ {
		err = p.w.take(p.t.Context(), p.log[p.w.next])
		if err == nil && !killed {
			next := p.w.pace.first(p.w.next)
			_ = p.Commit(p.t.Context(), next)
			err = p.w.settle(p.t.Context(), next)
		}
	}
	if err == nil {
		err = p.w.releaseDue(p.t.Context())
	}
	if err == nil && !killed {
		err = p.w.settle(p.t.Context(), p.committed)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// play does what a text says, "MINUTE WHAT" each, and returns what the receiver got. The
// worker does not see at once what ends with a comma.
func (p *tape) play(steps ...string) string {
	p.t.Helper()
	const all = 1000
	up := true
	for _, step := range steps {
		var minute, from, until int
		what := ""
		if _, err := fmt.Sscan(step, &minute, &what); err != nil {
			p.t.Fatal(err)
		}
		p.now = noon.Add(time.Duration(minute) * time.Minute)
		_, rest, _ := strings.Cut(step, what)
		name, state, _ := strings.Cut(strings.TrimSuffix(what, ","), "/")
		switch what {
		case "silence":
			_, _ = fmt.Sscanf(rest, "%d-%d", &from, &until)
			p.note("s"+fmt.Sprint(from), topics.Silence{ID: "s" + fmt.Sprint(from), Choice: topics.Choice{Cameras: []string{"ward-*"}},
				At: noon.Add(time.Duration(from) * time.Minute), Until: noon.Add(time.Duration(until) * time.Minute)})
		case "profile":
			next := p.silences.profile.Followed(strings.TrimSpace(rest), "", p.now, time.Time{})
			value, err := topics.EncodeProfile(next)
			if err == nil {
				err = p.silences.note(bus.Message{Key: []byte(topics.ProfileKey), Value: value, Time: p.now})
			}
			if err != nil {
				p.t.Fatal(err)
			}
		case "down": // nothing is read until it is up
			up = false
		case "up":
			up = true
			p.start()
		case "killed": // after a record and before it is committed
			p.work(1, true)
			p.start()
		case "skips":
			p.skip = int64(len(p.log)) - p.committed
		case "look":
		default:
			p.append(name, topics.AlertState(state))
		}
		if up && !strings.HasSuffix(step, ",") {
			p.work(all, false)
		}
	}
	return strings.Join(p.told, " ")
}

func (p *tape) note(key string, one topics.Silence) {
	value, err := topics.EncodeSilence(one)
	if err == nil {
		err = p.silences.note(bus.Message{Key: []byte(key), Value: value, Time: p.now})
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *tape) append(name string, state topics.AlertState) {
	a := alert("ward-"+name, 1, state)
	if state == topics.AlertEscalated {
		a.Severity = "critical"
	}
	value, err := topics.EncodeAlert(a)
	if err != nil {
		p.t.Fatal(err)
	}
	p.log = append(p.log, bus.Message{Topic: names.Of(topics.Alerts), Key: []byte(a.Camera), Value: value, Offset: int64(len(p.log)), Time: p.now})
	if a.State == topics.AlertCleared {
		delete(p.open, a.OpenKey())
	} else {
		a.State = topics.AlertRaised
		p.open[a.OpenKey()] = a
	}
}

// What is delivered when, if alerts are silenced from minute 10 to 70.
func TestWhatIsStillOpenAfterASilenceIsDelivered(t *testing.T) {
	for _, c := range []struct{ name, steps, want string }{
		{"raised within", "20 a/raised; 60 look; 71 look; 99 look; 120 a/cleared", "a-1/raised a-1/cleared"},
		{"over before its end", "20 a/raised; 69 a/cleared; 71 look; 72 look", ""},
		{"escalated within", "20 a/raised; 30 a/escalated; 71 look; 120 a/cleared", "a-1/raised a-1/escalated a-1/cleared"},
		{"escalated within, over within", "20 a/raised; 30 a/escalated; 40 a/cleared; 71 look", ""},
		{"escalated after it", "20 a/raised; 80 a/escalated; 90 a/cleared", "a-1/raised a-1/escalated a-1/cleared"},
		{"raised before", "1 a/raised; 20 a/cleared", "a-1/raised a-1/cleared"},
		{"raised before, escalated within", "1 a/raised; 20 a/escalated; 60 look; 71 look; 90 a/cleared", "a-1/raised a-1/escalated a-1/cleared"},
		{"raised before, over within", "1 a/raised; 20 a/escalated; 60 a/cleared; 71 look", "a-1/raised a-1/cleared"},
		{"raised after", "80 a/raised; 81 a/cleared", "a-1/raised a-1/cleared"},
		{"another camera's come between", "20 a/raised; 21 b/raised; 40 b/cleared; 71 c/raised; 72 look", "a-1/raised c-1/raised"},
		{"the records go first", "20 a/raised; 60 down; 65 a/cleared; 71 b/raised; 75 up", "b-1/raised"},
		{"down at its end", "20 a/raised; 60 down; 80 a/cleared; 90 up", "a-1/raised a-1/cleared"},
		{"down all the time", "1 down; 20 a/raised; 90 up; 91 look", "a-1/raised"},
		{"restarts", "20 a/raised; 25 up; 71 look; 72 up; 73 look; 74 up; 80 a/cleared; 81 up", "a-1/raised a-1/cleared"},
		{"restarts within", "20 a/raised; 25 up; 30 a/cleared; 31 up; 71 look", ""},
		{"killed at the raise", "20 a/raised,; 21 killed; 40 look; 71 look", "a-1/raised"},
		{"killed at the clear", "20 a/raised; 30 a/cleared,; 31 killed; 71 look", ""},
		{"killed at a clear that is news", "1 a/raised; 20 a/escalated; 30 a/cleared,; 31 killed", "a-1/raised a-1/cleared a-1/cleared"},
		{"ended early", "20 a/raised; 30 silence 10-30; 31 look; 40 a/cleared", "a-1/raised a-1/cleared"},
		{"made longer", "20 a/raised; 30 silence 10-90; 71 look; 80 a/cleared; 91 look", ""},
		{"silenced further", "20 a/raised; 30 silence 60-200; 71 look; 150 look; 201 look", "a-1/raised"},
		{"silenced anew when it is due", "20 a/raised; 60 down; 72 silence 72-200; 80 up; 90 a/cleared", ""},
		{"silenced anew after it", "20 a/raised; 71 look; 80 silence 80-200; 90 a/escalated; 91 a/cleared", "a-1/raised a-1/cleared"},
		{"again, by work that is repeated", "20 a/raised; 21 a/cleared; 22 a/raised; 23 a/cleared; 71 look", ""},
		{"the clock is set ahead, past its end", "20 a/raised; 300 look; 301 a/cleared", "a-1/raised a-1/cleared"},
		{"the clock is set back, to before it", "20 a/raised; -300 b/raised; -290 look; 71 look", "b-1/raised a-1/raised"},
		{"set back after its end", "20 a/raised; 71 look; 30 b/raised; 31 look; 71 look; 80 a/cleared", "a-1/raised b-1/raised a-1/cleared"},
		{"set ahead by a record, and back", "20 a/raised; 300 b/raised; 30 c/raised; 31 a/cleared; 71 look", "a-1/raised b-1/raised a-1/cleared c-1/raised"},
		{"too old by the time", "20 a/raised; 21 b/raised; 22 down; 30 a/cleared; 90 skips; 91 up", "b-1/raised"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newTape(t)
			got := p.play(append([]string{"0 silence 10-70"}, strings.Split(c.steps, "; ")...)...)
			if got != c.want {
				t.Errorf("delivered %q, want %q", got, c.want)
			}
			for key, m := range p.table {
				if one, err := topics.DecodeWithheld(m.Value); err != nil || one.Over() {
					t.Errorf("left on the table: %s: %v", key, err)
				}
			}
		})
	}
}

// A clock that is set back after an alert was raised makes nobody wait for a second opinion
// until it has caught up.
func TestAClockThatIsSetBackDelaysNoAlert(t *testing.T) {
	p := newTape(t)
	p.w.open = newOpenAlerts()
	p.opinions.verifier = &Verifier{Verify: Verify{Timeout: 10 * time.Millisecond, OnNo: onNoTell, Question: usualQuestion}}
	value, err := topics.EncodeAlert(pictured("ward-a", 1, topics.AlertRaised))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.w.take(ctx, bus.Message{Key: []byte("ward-a"), Value: value, Time: p.now.Add(5 * time.Hour)}); err != nil || len(p.told) != 1 {
		t.Errorf("delivered %q, %v", p.told, err)
	}
}

func TestASecondOpinionHoldsAlsoAfterASilence(t *testing.T) {
	p := newTape(t)
	p.opinions.verifier = &Verifier{Verify: Verify{OnNo: onNoHold}}
	p.opinions.note(topics.Verdict{Alert: alert("ward-a", 1, "").ID, Says: topics.SaysNo})
	p.opinions.note(topics.Verdict{Alert: alert("ward-b", 1, "").ID, Says: topics.SaysYes})
	if got := p.play("0 silence 0-60", "10 a/raised", "10 b/raised", "61 look", "70 a/cleared", "70 b/cleared"); got != "b-1/raised b-1/cleared" {
		t.Errorf("delivered %q, want what happens to b alone", got)
	}
}

// Alerts go by the profile in force when Kafka took their records, and are delivered when
// they are armed again and still open.
func TestAlertsGoByTheProfileOfTheirTime(t *testing.T) {
	for _, c := range []struct{ name, steps, want string }{
		{"armed again", "10 profile home; 20 a/raised; 30 profile away; 31 look", "a-1/raised"},
		{"cleared", "10 profile home; 20 a/raised; 30 profile; 31 look", "a-1/raised"},
		{"over before", "10 profile home; 20 a/raised; 25 a/cleared; 30 profile away; 31 look", ""},
		{"set again", "10 profile home; 20 a/raised; 30 profile home; 31 look", ""},
		{"down while it is set", "1 down; 2 a/raised; 10 profile home; 20 b/raised; 21 b/cleared; 30 profile away; 40 c/raised; 50 up", "a-1/raised c-1/raised"},
		{"down while two are set", "1 down; 10 profile home; 20 b/raised; 21 b/cleared; 30 profile away; 31 c/raised; 40 profile home; 41 d/raised; 50 profile; 60 up", "c-1/raised d-1/raised"},
		{"none before", "1 down; 2 a/raised; 10 profile home; 20 up", "a-1/raised"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := newTape(t).play(strings.Split(c.steps, "; ")...); got != c.want {
				t.Errorf("delivered %q, want %q", got, c.want)
			}
		})
	}
	p := newTape(t)
	p.play("10 profile home", "20 a/raised")
	p.silences.setProfiles([]config.Profile{{Name: "home"}}) // which disarms nothing now
	if got := p.play("21 look"); got != "a-1/raised" {
		t.Errorf("delivered %q", got)
	}
}

// Many are delivered in the order in which they came, no more at a time than one
// notification has, and what is held back is not lost if the worker is killed.
func TestWhatIsWithheldKeepsToThePace(t *testing.T) {
	p := newTape(t)
	p.play("0 silence 10-70")
	p.w.pace.every = time.Hour
	var want []string
	for i := range 3 * maxTogether {
		want = append(want, fmt.Sprintf("%d-1/raised", i))
		p.append(fmt.Sprint(i), topics.AlertRaised)
		p.log[i].Time = noon.Add(20 * time.Minute)
	}
	p.play("30 look", "71 look")
	if got := len(p.told); got != 1 || !p.w.pace.full() {
		t.Fatalf("%d are delivered at once, and the pace is not full", got)
	}
	p.start() // killed
	p.play("72 look")
	if !slices.Equal(p.told, want) {
		t.Errorf("delivered %d: %.80q", len(p.told), p.told)
	}
	if len(p.table) != 0 {
		t.Errorf("left on the table: %d", len(p.table))
	}
}

// Anybody may write to the table.
func TestRecordsOfWhatIsWithheldAreNotTrusted(t *testing.T) {
	p := newTape(t)
	p.play("1 a/raised", "2 a/cleared", "3 b/raised")
	put := func(key string, one topics.WithheldAlert) {
		one.Receiver, one.Key, one.Rule, one.Camera, one.At = cmp.Or(one.Receiver, "notify-ops"), "ward-a", "fall", "ward-a", cmp.Or(one.At, noon)
		value, err := topics.EncodeWithheld(one)
		if err != nil {
			t.Fatal(err)
		}
		p.table[cmp.Or(key, one.TableKey())] = bus.Message{Key: []byte(cmp.Or(key, one.TableKey())), Value: value, Time: p.now}
	}
	raised := map[topics.AlertState]int64{topics.AlertRaised: 0}
	put("", topics.WithheldAlert{Alert: "fall/elsewhere", Offsets: raised})
	put("", topics.WithheldAlert{Alert: "fall/ward-a-1", Offsets: map[topics.AlertState]int64{topics.AlertEscalated: 1}})
	put("wrong", topics.WithheldAlert{Alert: "fall/ward-b-1", Offsets: raised})
	put("", topics.WithheldAlert{Alert: "fall/ward-b-1", Receiver: "notify-other", Offsets: map[topics.AlertState]int64{topics.AlertRaised: 2}})
	p.table["x"] = bus.Message{Key: []byte("x"), Value: []byte("{"), Time: p.now}
	told := len(p.told)
	p.play("10 up", "11 look")
	if len(p.told) != told {
		t.Errorf("delivered %q", p.told[told:])
	}
	if len(p.table) != 3 {
		t.Errorf("%d records are left, want the other receiver's and those that nobody can read", len(p.table))
	}
	p.now = p.now.Add(topics.MaxSilence + time.Hour)
	if p.start(); len(p.table) != 2 {
		t.Errorf("%d records are left, want the unreadable ones", len(p.table))
	}
}

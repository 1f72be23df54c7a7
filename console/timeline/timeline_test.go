package timeline

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/topics"
)

// Each step has the highest value of each label and the clip that had it, whether steps are
// seconds of what is read or parts of days that are kept.
func TestHeightsAreThoseOfTheHighestClips(t *testing.T) {
	epoch := noon.Add(-2 * time.Minute)
	var all []topics.Recognition
	for n := range 3 * 1500 {
		value := 0.2
		if n == 200 || n == 4000 {
			value = 0.9
		}
		all = append(all, clip("lobby", epoch, n, label("falling", value), label("walking", 0.05), label("standing", 0.3), topics.LabelScore{Label: "nobody", Contrast: 0.9, Background: true}))
	}
	r := NewReader(archived(t, all))
	for _, span := range []time.Duration{10 * time.Minute, 72 * time.Hour} {
		a, err := r.Read(t.Context(), Asked{Camera: "lobby", From: epoch, To: epoch.Add(span), Steps: MaxSteps, Watch: watches("walking")})
		if err != nil || !a.Unread.IsZero() {
			t.Fatalf("%v: %v, not read before %v", span, err, a.Unread)
		}
		if len(a.Clips) > MaxSteps || a.Begin.After(epoch) || a.Begin.Add(a.Step*time.Duration(len(a.Clips))).Before(epoch.Add(span)) {
			t.Errorf("%v: %d steps of %v from %v", span, len(a.Clips), a.Step, a.Begin)
		}
		bands := a.Bands(nil, 20)
		if len(bands) != 3 || bands[0].Name() != "walking" || !bands[0].Watched || bands[1].Name() != "falling" || bands[2].Name() != "standing" {
			t.Fatalf("%v: %d bands", span, len(bands))
		}
		at := int(all[200].End.Sub(a.Begin) / a.Step)
		if b := bands[1]; b.Values[at] != 0.9 || b.Best[at].ID != all[200].ClipID || b.Measure != alerts.ByContrast {
			t.Errorf("%v: %v of %+v at %d", span, b.Values[at], b.Best[at], at)
		}
		clips := int32(0)
		for _, n := range a.Clips {
			clips += n
		}
		if want := len(slices.DeleteFunc(slices.Clone(all), func(r topics.Recognition) bool { return !r.End.Before(epoch.Add(span)) })); int(clips) != want {
			t.Errorf("%v: %d clips, want %d", span, clips, want)
		}
		if named := a.Bands([]string{"standing"}, 20); len(named) != 1 || named[0].Name() != "standing" {
			t.Errorf("%v: asked for standing: %d bands", span, len(named))
		}
	}
}

func TestStepsAreFewEnoughUpToFourWeeks(t *testing.T) {
	for span := 10 * time.Minute; span <= Longest; span += 7 * time.Minute {
		if s := StepOf(span, MaxSteps); span > s*(MaxSteps-1) {
			t.Fatalf("%v in steps of %v", span, s)
		}
	}
}

// Clips that follow each other leave no gap, whatever their stride; those that are missing
// from an unbroken stream were dropped; where a stream broke off, none were.
func TestGapsAreWhereNoClipsCame(t *testing.T) {
	first, second := noon, noon.Add(30*time.Minute)
	var all []topics.Recognition
	for n := range 300 {
		if n < 100 || n >= 120 {
			all = append(all, clip("lobby", first, n))
		}
	}
	for n := range 100 {
		all = append(all, clip("lobby", second, n))
	}
	all = append(all, all[len(all)-1]) // recognised again
	r := NewReader(archived(t, all))
	a, err := r.Read(t.Context(), Asked{Camera: "lobby", From: noon, To: noon.Add(time.Hour), Steps: MaxSteps, Watch: watches("")})
	if err != nil {
		t.Fatal(err)
	}
	gaps := a.Gaps(noon, noon.Add(time.Hour), noon.Add(time.Hour), 5*time.Second)
	want := []Gap{
		{From: clip("", first, 99).End, To: clip("", first, 120).Start, Dropped: 20},
		{From: clip("", first, 299).End, To: second, Anew: true},
		{From: clip("", second, 99).End, To: noon.Add(time.Hour)},
	}
	if !slices.Equal(gaps, want) {
		t.Errorf("%v\nwant %v", gaps, want)
	}
	if early := a.Gaps(noon, noon.Add(time.Hour), second.Add(time.Minute), 5*time.Second); len(early) != 2 {
		t.Errorf("a minute after the second began: %v", early)
	}
}

// failing is a past that can't be read, and says when it was asked.
type failing struct{ asked int }

func (f *failing) Labels(ctx context.Context, _ archive.Range, _ func(archive.Labelled) error) (archive.Counts, error) {
	if f.asked++; f.asked > 1 {
		return archive.Counts{}, errors.New("no bucket")
	}
	<-ctx.Done()
	return archive.Counts{}, ctx.Err()
}

// Whoever goes ends the reading; what could not be read is not kept as empty.
func TestAReadingEndsWithWhoAsks(t *testing.T) {
	f := &failing{}
	r := NewReader(f)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	asked := Asked{Camera: "lobby", From: noon.Add(-7 * day), To: noon, Steps: MaxSteps, Watch: watches("")}
	if _, err := r.Read(ctx, asked); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := r.Read(t.Context(), asked); err == nil || f.asked != 2 {
		t.Errorf("after that: %v, asked %d times", err, f.asked)
	}
}

// counted is a past that counts how often it is read.
type counted struct {
	Past
	n int
}

func (c *counted) Labels(ctx context.Context, g archive.Range, fn func(archive.Labelled) error) (archive.Counts, error) {
	c.n++
	return c.Past.Labels(ctx, g, fn)
}

// Days that are over are read once, until rules are others.
func TestDaysAreKept(t *testing.T) {
	past := &counted{Past: archived(t, []topics.Recognition{clip("lobby", noon, 0, label("falling", 0.05))})}
	r := NewReader(past)
	asked := Asked{Camera: "lobby", From: noon.Add(-7 * day), To: noon.Add(time.Hour), Steps: MaxSteps, Watch: watches("")}
	for _, step := range []struct {
		what  string
		rules uint64
		watch string
		reads int
		bands int
	}{{"first", 1, "", 8, 0}, {"again", 1, "", 8, 0}, {"other rules", 2, "falling", 16, 1}} {
		asked.Rules, asked.Watch = step.rules, watches(step.watch)
		a, err := r.Read(t.Context(), asked)
		if err != nil || past.n != step.reads || len(a.Bands(nil, 20)) != step.bands {
			t.Errorf("%s: %v, %d readings, %d bands", step.what, err, past.n, len(a.Bands(nil, 20)))
		}
	}
}

func TestAGapHasTheReasonThatIsKnown(t *testing.T) {
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	fine := topics.StreamStatus{State: topics.StreamStreaming}
	offline := topics.StreamStatus{State: topics.StreamWaiting, Reason: "no route to host", OfflineSince: at(100)}
	frozen := topics.StreamStatus{State: topics.StreamStreaming, Picture: &topics.PictureFaults{FrozenSince: at(1000)}}
	var r Reports
	for _, s := range []struct {
		at int
		s  topics.StreamStatus
	}{{0, fine}, {60, fine}, {110, offline}, {120, offline}, {200, fine}, {260, fine}, {320, fine}, {900, fine}, {1010, frozen}, {1020, frozen}, {1060, fine}, {20000, fine}, {20060, topics.StreamStatus{State: topics.StreamStopped}}, {20100, fine}} {
		r.Add(at(s.at), s.s)
	}
	wrong := r.Conditions(at(5000))
	want := []Condition{{"offline", at(100), at(200), "no route to host"}, {"frozen", at(1000), at(1060), ""}}
	if !slices.Equal(wrong, want) {
		t.Errorf("%v\nwant %v", wrong, want)
	}
	for _, tt := range []struct {
		gap  Gap
		kind string
	}{
		{Gap{From: at(98), To: at(195)}, "offline"},
		{Gap{From: at(230), To: at(232), Dropped: 1}, "dropped"},
		{Gap{From: at(210), To: at(300)}, "not recognised"},
		{Gap{From: at(230), To: at(235), Anew: true}, "offline"},
		{Gap{From: at(330), To: at(890)}, "workers"},
		{Gap{From: at(20058), To: at(20105), Anew: true}, "workers"},
		{Gap{From: at(-9000), To: at(-5000)}, "none"},
		{Gap{From: at(9000), To: at(9100)}, "none"},
	} {
		if kind, reason := r.Why(tt.gap, wrong); kind != tt.kind || reason == "" {
			t.Errorf("%v: %s, %s; want %s", tt.gap, kind, reason, tt.kind)
		}
	}
}

package console

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/alerts"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/topics"
)

var everyone = who{Name: "anna", Role: admin, All: true}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func streaming(name string, tags ...string) cameras.Entry {
	return cameras.Entry{Camera: topics.Camera{Name: name, Tags: tags}, Status: topics.StreamStatus{Camera: name, State: topics.StreamStreaming, Since: noon}}
}

func recognised(camera string, n int, labels ...topics.LabelScore) *topics.Recognition {
	start := noon.Add(time.Duration(n) * 2 * time.Second)
	return &topics.Recognition{
		ClipID: fmt.Sprintf("%s-%d", camera, n), Camera: camera, Start: start, End: start.Add(4 * time.Second), Labels: labels,
		References: &topics.References{}, Clip: topics.RecordRef{Topic: "frostwatch.clips", Offset: int64(n)},
	}
}

// What has changed while a page was slow comes once, as it is by then.
func TestASlowPageGetsTheNewestOfEachCamera(t *testing.T) {
	w := newWall()
	w.setCameras([]cameras.Entry{streaming("lobby"), streaming("yard"), streaming("gate")})
	s, all, err := w.look(everyone)
	if err != nil || len(all) != 3 {
		t.Fatalf("%d tiles, %v", len(all), err)
	}
	defer s.stop()
	for n := range 1000 {
		w.setRecognition(recognised("lobby", n))
	}
	w.setCameras([]cameras.Entry{streaming("lobby"), streaming("yard")})
	<-s.wake
	tiles, gone := s.take()
	if len(tiles) != 1 || tiles[0].Clip != "lobby-999" || !reflect.DeepEqual(gone, []string{"gate"}) {
		t.Errorf("%+v, gone: %v", tiles, gone)
	}
	w.setRecognition(recognised("lobby", 3)) // sent again after a crash
	w.setRecognition(recognised("unknown", 3))
	select {
	case <-s.wake:
		t.Error("what is old, or of no camera, is a change")
	default:
	}
}

// Anybody may write a recognition of any time: the next true one is shown again.
func TestARecognitionOfTheFutureDoesNotStay(t *testing.T) {
	w := newWall()
	w.setCameras([]cameras.Entry{streaming("lobby")})
	forged := recognised("lobby", 1)
	forged.Start, forged.End = time.Now().AddDate(100, 0, 0), time.Now().AddDate(100, 0, 1)
	w.setRecognition(forged)
	w.setRecognition(recognised("lobby", 2))
	if tile, _, _ := w.tile("lobby", who{All: true}); tile.Clip != "lobby-2" {
		t.Errorf("%s of %v is shown", tile.Clip, tile.End)
	}
}

func TestPagesAreBounded(t *testing.T) {
	w := newWall()
	var seers []*seer
	for range maxSeers {
		s, _, err := w.look(everyone)
		if err != nil {
			t.Fatal(err)
		}
		seers = append(seers, s)
	}
	if _, _, err := w.look(everyone); err == nil {
		t.Error("any number of pages is served")
	}
	seers[0].stop()
	if _, _, err := w.look(everyone); err != nil {
		t.Error("a page that was closed counts:", err)
	}
}

// People see first what is nearest to an alert, and of other labels the best.
func TestBarsShowHowNearAnAlertIs(t *testing.T) {
	rules, err := alerts.NewRuleSet(
		alerts.Rule{Name: "fall", Actions: []string{"falling"}, Contrast: &alerts.Levels{Raise: 0.8}},
		alerts.Rule{Name: "fence", Actions: []string{"climbing"}, Cameras: []string{"yard"}, Contrast: &alerts.Levels{Raise: 0.02}},
	)
	if err != nil {
		t.Fatal(err)
	}
	labels := []topics.LabelScore{
		{Label: "standing", Contrast: 0.9, Background: true}, {Label: "walking", Contrast: 0.6}, {Label: "waving", Contrast: 0.7},
		{Label: "falling", Contrast: 0.4}, {Label: "climbing", Contrast: 0.03},
	}
	w := newWall()
	w.setRules(rules)
	w.setCameras([]cameras.Entry{streaming("lobby"), streaming("yard")})
	for camera, want := range map[string][]string{"lobby": {"falling", "waving", "walking"}, "yard": {"climbing", "falling", "waving"}} {
		w.setRecognition(recognised(camera, 1, labels...))
		tile, at, _ := w.tile(camera, who{All: true})
		var got []string
		for _, b := range tile.Labels {
			got = append(got, b.Label)
		}
		if !slices.Equal(got, want) || tile.Labels[0].Raise == 0 || tile.Labels[2].Raise != 0 || at.Offset != 1 {
			t.Errorf("%s: %+v, want %v", camera, tile.Labels, want)
		}
	}
	limit := topics.Threshold{Camera: "lobby", Rule: "fall", RuleHash: "of another rule", Raise: 0.1}
	w.setLimit("lobby/fall", &limit)
	w.setRecognition(recognised("lobby", 2, labels...))
	if tile, _, _ := w.tile("lobby", who{All: true}); tile.Labels[0].Raise != 0.8 {
		t.Errorf("a threshold of another rule counts: %+v", tile.Labels[0])
	}
}

// An alert is on the tile of each camera it is about, until it is over.
func TestOpenAlertsAreOnTheirTiles(t *testing.T) {
	w := newWall()
	crowd := topics.Alert{ID: "crowd/1", Rule: "crowd", Camera: "lobby", Cameras: []string{"lobby", "yard"}, Label: "running", Onset: noon.Add(time.Minute)}
	w.setOpen("@/crowd", &crowd) // read before the cameras
	w.setCameras([]cameras.Entry{streaming("lobby"), streaming("yard"), streaming("gate")})
	fall := topics.Alert{ID: "fall/1", Rule: "fall", Camera: "lobby", Label: "nurse", Absent: true, Onset: noon}
	w.setOpen("lobby/fall", &fall)
	on := func() (out [][]string) {
		for _, tile := range w.all(everyone) {
			names := []string{}
			for _, a := range tile.Alerts {
				names = append(names, a.About)
			}
			out = append(out, names)
		}
		return out
	}
	if got, want := on(), [][]string{{}, {"no nurse", "running"}, {"running"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("on gate, lobby and yard: %q, want %q", got, want)
	}
	w.setOpen("@/crowd", nil)
	if got, want := on(), [][]string{{}, {"no nurse"}, {}}; !reflect.DeepEqual(got, want) {
		t.Errorf("after the end: %q, want %q", got, want)
	}
}

// Anybody may write any number of open alerts: a tile shows the gravest of them, none costs
// what all do, and once they are over nothing is left of them.
func TestManyOpenAlertsAreBounded(t *testing.T) {
	w := newWall()
	var all []cameras.Entry
	var names []string
	for n := range topics.MaxAlertCameras {
		names = append(names, fmt.Sprintf("c%d", n))
		all = append(all, streaming(names[n]))
	}
	w.setCameras(all)
	for n := range maxOpen + 10 {
		a := topics.Alert{ID: fmt.Sprint("r/", n), Rule: "r", Severity: "info", Camera: "c1", Label: "falling", Onset: noon.Add(time.Duration(n) * time.Second)}
		if n%100 == 99 {
			a.Cameras = names
		}
		if n == 10_000 {
			a.Severity = "critical"
		}
		w.setOpen(fmt.Sprint(n), &a)
	}
	tile, _, _ := w.tile("c1", who{All: true})
	if len(tile.Alerts) != maxOnTile || tile.Alerts[maxOnTile-1].Severity != "critical" {
		t.Errorf("on the tile: %+v", tile.Alerts)
	}
	if w.open.about > maxAbout+maxOpen || w.line(everyone).Open != maxOpen {
		t.Errorf("%d cameras of %d alerts are kept", w.open.about, w.line(everyone).Open)
	}
	for n := range maxOpen + 10 {
		w.setOpen(fmt.Sprint(n), nil)
	}
	tile, _, _ = w.tile("c1", who{All: true})
	if len(tile.Alerts) != 0 || w.open.about != 0 || len(w.open.byCamera) != 0 {
		t.Errorf("after their end: %+v, %d", tile.Alerts, w.open.about)
	}
}

// Nothing that anybody may have written to Kafka is shown as it is.
func TestTextsAreCleaned(t *testing.T) {
	w := newWall()
	w.setCameras([]cameras.Entry{streaming("lobby", "a\x1b[31mtag")})
	r := recognised("lobby", 1, topics.LabelScore{Label: "a\u202elabel", Contrast: 1})
	r.ClipID = "clip\n1"
	w.setRecognition(r)
	w.setOpen("lobby/fall", &topics.Alert{ID: "x\n", Rule: "\x1b", Camera: "lobby", Label: "l\x00", Severity: "s\u2028"})
	for _, tile := range w.all(everyone) {
		for _, text := range []string{tile.Clip, tile.Tags[0], tile.Labels[0].Label, tile.Alerts[0].ID, tile.Alerts[0].Rule, tile.Alerts[0].About, tile.Alerts[0].Severity} {
			if !topics.Printable(text) {
				t.Errorf("%q is shown", text)
			}
		}
	}
}

func TestFaultsAreInWords(t *testing.T) {
	e := streaming("lobby")
	for want, p := range map[string]*topics.PictureFaults{
		"frozen": {FrozenSince: noon}, "black": {BlackSince: noon, FrozenSince: noon}, "turned away": {Lens: &topics.LensFaults{MovedSince: noon}}, "": {Lens: &topics.LensFaults{}},
	} {
		e.Status.Picture = p
		var tile Tile
		if tile.streamed(e); tile.Fault != want || tile.FaultSince.IsZero() != (want == "") {
			t.Errorf("%+v is %q since %v, want %q", p, tile.Fault, tile.FaultSince, want)
		}
	}
}

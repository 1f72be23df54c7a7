package topics

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC)

func fullRecognition() Recognition {
	return Recognition{
		ClipID: ClipID("lobby", at, 2133*time.Millisecond), Camera: "lobby", Tags: []string{"indoor"},
		Epoch: at, Sequence: 1, Start: at, End: at.Add(4 * time.Second),
		Clip: RecordRef{Topic: "frostwatch.clips", Partition: 3, Offset: 9},
		Labels: []LabelScore{
			{Label: "climbing a ladder", Similarity: .31, Score: .75, Contrast: .8, Tags: []string{"height"}, Threshold: .6,
				Novel: true, NearestBase: "climbing over a fence", NearestSimilarity: .8},
			{Label: "walking", Similarity: .2, Score: .25, Background: true, View: 1},
			{Label: "walking", Similarity: .1, Score: .2, View: 1, Zone: &ZoneRef{"door", "1f"}},
		},
		Views: []SeenView{
			{View: ViewCentre, Box: Box{.21875, 0, .5625, 1}},
			{View: ViewZoom, Box: Box{.5, .25, .25, .375}, Zone: &ZoneRef{"door", "1f"}, Embedding: Float16Vector{.5, 1}, First: Float16Vector{1, 1}, Last: Float16Vector{2, 2}, Logit: 30},
		},
		Background: .25, Embedding: Float16Vector{1, -.5}, First: Float16Vector{0, 1}, Last: Float16Vector{2, 3},
		Model: "abc", LogitScale: 100, References: &References{Hash: "r1", Logit: 31.5}, Vocab: VocabRef{Name: "default", Version: "def"},
		Timings: Timings{Queue: 1, Decode: 2, Model: 3, Score: 4, Batch: 5},
	}
}

func fullAlert(state AlertState) Alert {
	return Alert{
		ID: AlertID("fall", "lobby-1-2"), State: state, Rule: "fall", Severity: "critical",
		Camera: "lobby", Tags: []string{"indoor"}, Label: "falling down", Score: .9, Similarity: .3, Contrast: .8, Measure: "contrast", Threshold: .5,
		View: ViewZoom, Box: &Box{.5, .25, .25, .375}, Zone: "door",
		Novel: true, NearestBase: "lying on the floor", Onset: at, At: at.Add(time.Second),
		OnsetClip: "lobby-1-2", Clip: "lobby-1-3", Reason: "score fell",
		Evidence: &RecordRef{Topic: "frostwatch.clips", Partition: 1, Offset: 2}, Notify: []string{"ops"}, Verify: "Is a person lying on the floor?",
		Model: "abc", Vocab: VocabRef{Name: "default", Version: "def"},
	}
}

func fullThreshold() Threshold {
	t := Threshold{Camera: "lobby", Rule: "fall", RuleHash: "1f", Budget: "1 per week", Raise: .8, Clear: .5, At: at, Learning: true,
		Since: at, Until: at.Add(time.Hour), Days: .04, Clips: 1488, Happenings: 3, Tail: "counted", Model: "abc", References: "r1", Words: "2e"}
	next := t
	next.Model, next.Raise = "def", .7
	t.Next = &next
	return t
}

func fullMark() Mark {
	return Mark{Alert: "fall/lobby-1-2", Camera: "lobby", Rule: "fall", Label: "falling down", True: true, Contrast: .8, Score: .9,
		Onset: at, Ended: at.Add(time.Minute), Note: "a real fall", By: "operator@desk", At: at}
}

func fullVerdict() Verdict {
	return Verdict{Alert: "fall/lobby-1-2", Camera: "lobby", Rule: "fall", Says: SaysNo, Reason: "a person kneels",
		Question: "Is a person lying on the floor?", Model: "eyes-7b", Seconds: 1.5, At: at}
}

func fullSilence() Silence {
	return Silence{ID: "7f3a", Choice: Choice{Rules: []string{"fall"}, Cameras: []string{"ward-*"}, CameraTags: []string{"indoor"}},
		At: at, Until: at.Add(time.Hour), Note: "the floor is being cleaned", By: "operator@desk"}
}

func fullWithheld() WithheldAlert {
	return WithheldAlert{Receiver: "frostwatch-notify-ops", Alert: AlertID("fall", "lobby-1-2"), Key: "lobby", Rule: "fall", Camera: "lobby", Tags: []string{"indoor"},
		At: at, Offsets: map[AlertState]int64{AlertRaised: 0, AlertEscalated: 7, AlertCleared: 9}, Delivered: true}
}

func fullSighting() Sighting {
	r := fullRecognition()
	return Sighting{Rule: "crowd", RuleHash: "1f", Partition: 3, Through: at, Seen: &Seen{
		Camera: "lobby", Tags: r.Tags, Start: r.Start, End: r.End, Label: r.Labels[0], Measure: "contrast", Threshold: .5,
		View: ViewZoom, Box: &Box{.5, .25, .25, .375},
		ClipID: r.ClipID, Clip: r.Clip, Model: r.Model, Vocab: r.Vocab,
	}}
}

// Subscribers rely on the published schemas: every record that we write must be
// valid, with all optional fields and with none.
func TestRecordsMatchTheirSchemas(t *testing.T) {
	bare := fullRecognition()
	bare.Tags, bare.Labels, bare.LogitScale, bare.References, bare.Views = nil, nil, 0, nil, nil
	cleared := fullAlert(AlertCleared)
	cleared.Evidence, cleared.Tags, cleared.Notify, cleared.Reason, cleared.NearestBase, cleared.Verify = nil, nil, nil, "", "", ""
	cleared.View, cleared.Box, cleared.Zone = "", nil, ""
	cleared.Score, cleared.Similarity, cleared.Contrast, cleared.Measure, cleared.Threshold = 0, 0, 0, "", 0
	absent := cleared
	absent.State, absent.Absent, absent.Contrast, absent.Reason = AlertRaised, true, 0, "not seen for 2h0m0s"
	crowd := fullAlert(AlertRaised)
	crowd.Cameras = []string{"hall", "lobby"}
	bareSighting := Sighting{Rule: "crowd", RuleHash: "1f", Seen: &Seen{Camera: "lobby", Start: at, End: at.Add(time.Second), Label: LabelScore{Label: "a"}, Measure: "score", ClipID: "c"}}
	for _, c := range []struct {
		name, schema string
		encode       func() ([]byte, error)
	}{
		{"camera", "camera", func() ([]byte, error) {
			return EncodeCamera(Camera{Name: "lobby", URL: "rtsp://h/s", Tags: []string{"a"}, Transport: "udp", Vocabulary: "hospital",
				Stride: Stride{Steps: 4}, Window: Duration(2 * time.Second), Views: []View{ViewTiles, ViewZoom}, Masks: []Polygon{{{0, 0}, {.4, .333}}}, Zones: map[string]Polygon{"door": {{0, 0}, {.4, .333}, {0, 1}}}, Source: SourceFile, OwnTags: true})
		}},
		{"camera, bare", "camera", func() ([]byte, error) { return EncodeCamera(Camera{Name: "lobby", URL: "rtsp://h/s"}) }},
		{"camera set", "camera-set", func() ([]byte, error) {
			return EncodeCameraSet(CameraSet{Source: SourceFile, ID: "/etc/frostwatch/pipeline.yaml", Cameras: map[string]string{"lobby": "1f"}})
		}},
		{"status", "status", func() ([]byte, error) {
			return EncodeStatus(StreamStatus{Camera: "lobby", State: StreamWaiting, Reason: "refused", Since: at,
				Worker: "w", Attempt: 2, RetryAt: at, Codec: "h264", Width: 640, Height: 360, FPS: 29.97, Generation: 3})
		}},
		{"status, bare", "status", func() ([]byte, error) {
			return EncodeStatus(StreamStatus{Camera: "lobby", State: StreamStopped, Since: at})
		}},
		{"status, with all that can be wrong", "status", func() ([]byte, error) {
			return EncodeStatus(StreamStatus{Camera: "lobby", State: StreamStreaming, Since: at, At: at, OfflineSince: at, Rate: 4.9,
				Picture: &PictureFaults{BlackSince: at, FrozenSince: at,
					Lens: &LensFaults{CoveredSince: at, MovedSince: at, DefocusedSince: at}}})
		}},
		{"worker", "worker", func() ([]byte, error) {
			return EncodeWorker(Worker{Name: "w", Version: "v1", Started: at, At: at, Model: "abc", Vocab: VocabRef{Name: "default", Version: "def"},
				Further:  []VocabRef{{Name: "hospital", Version: "abc"}, {Name: "empty"}},
				Stages:   map[string]WorkerStage{"infer": {Group: "g", Generation: 3, Partitions: []int{1, 2}, Lag: 4, Late: 1.5}},
				Problems: map[string]string{"vocabulary": "not loaded"}, Warnings: map[string]string{"camera lobby": "refused"}})
		}},
		{"worker, bare", "worker", func() ([]byte, error) {
			return EncodeWorker(Worker{Name: "w", Started: at, At: at, Stages: map[string]WorkerStage{"alerts": {}}})
		}},
		{"watched labels", "watched", func() ([]byte, error) {
			return EncodeWatched(WatchedLabels{Camera: "lobby", Rule: "fall", Labels: []string{"falling down"}, Tags: []string{"danger"}, Novel: true, Score: .7, Zones: []string{"door"}})
		}},
		{"threshold", "threshold", func() ([]byte, error) { return EncodeThreshold(fullThreshold()) }},
		{"threshold, bare", "threshold", func() ([]byte, error) {
			return EncodeThreshold(Threshold{Camera: "lobby", Rule: "fall", RuleHash: "1f", Budget: "1 per week", Raise: .5, Clear: .3, At: at})
		}},
		{"sighting", "sighting", func() ([]byte, error) { return EncodeSighting(fullSighting()) }},
		{"sighting, bare", "sighting", func() ([]byte, error) { return EncodeSighting(bareSighting) }},
		{"sighting, of nothing", "sighting", func() ([]byte, error) { return EncodeSighting(Sighting{Rule: "crowd", RuleHash: "1f"}) }},
		{"mark", "mark", func() ([]byte, error) { return EncodeMark(fullMark()) }},
		{"mark, bare", "mark", func() ([]byte, error) {
			return EncodeMark(Mark{Alert: "fall/lobby-1-2", Camera: "lobby", Rule: "fall", Label: "falling down", Onset: at, At: at})
		}},
		{"verdict", "verdict", func() ([]byte, error) { return EncodeVerdict(fullVerdict()) }},
		{"verdict, bare", "verdict", func() ([]byte, error) {
			return EncodeVerdict(Verdict{Alert: "fall/lobby-1-2", Camera: "lobby", Rule: "fall", Says: SaysUnverified, At: at})
		}},
		{"silence", "silence", func() ([]byte, error) { return EncodeSilence(fullSilence()) }},
		{"silence, bare", "silence", func() ([]byte, error) {
			return EncodeSilence(Silence{ID: "7f3a", Choice: Choice{Cameras: []string{"*"}}, At: at, Until: at})
		}},
		{"profile", "profile", func() ([]byte, error) { return EncodeProfile(Profile{Name: "away", At: at, By: "operator"}) }},
		{"profile, ended", "profile", func() ([]byte, error) {
			return EncodeProfile(Profile{Name: "away", At: at, Until: at.Add(1), Earlier: []ProfileSpan{{"home", at.Add(-1), at}}})
		}},
		{"withheld", "withheld", func() ([]byte, error) { return EncodeWithheld(fullWithheld()) }},
		{"recognition", "recognition", func() ([]byte, error) { return EncodeRecognition(fullRecognition()) }},
		{"recognition, bare", "recognition", func() ([]byte, error) { return EncodeRecognition(bare) }},
		{"alert raised", "alert", func() ([]byte, error) { return EncodeAlert(fullAlert(AlertRaised)) }},
		{"alert of several cameras", "alert", func() ([]byte, error) { return EncodeAlert(crowd) }},
		{"alert escalated", "alert", func() ([]byte, error) { return EncodeAlert(fullAlert(AlertEscalated)) }},
		{"alert raised by an absence", "alert", func() ([]byte, error) { return EncodeAlert(absent) }},
		{"alert about a stream", "alert", func() ([]byte, error) {
			return EncodeAlert(Alert{ID: StreamAlertID("health", "lobby", "offline", at), State: AlertRaised, Rule: "health", Severity: "warning",
				Camera: "lobby", Label: "camera offline", Measure: "stream", Onset: at, At: at, Reason: "no video for 2m0s"})
		}},
		{"alert cleared, bare", "alert", func() ([]byte, error) { return EncodeAlert(cleared) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			record, err := c.encode()
			if err != nil {
				t.Fatal(err)
			}
			compiler := jsonschema.NewCompiler()
			compiler.AssertFormat()
			schema, err := compiler.Compile(filepath.Join("..", "docs", "topics", c.schema+".schema.json"))
			if err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(record))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("%s\n%v", record, err)
			}
		})
	}
}

package e2e

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/topics"
)

// twin is the name that everything in a hostile record has in place of "good": each
// record has another, so that none hides another in a table.
func twin(n int) string { return fmt.Sprintf("evil%04d", n) }

// goodRecord is a record of a topic with every field, and its key. The names in it
// contain "good". A topic that is not known here fails the test: it needs one.
func goodRecord(t testing.TB, topic topics.Topic, trap string) (key string, value []byte) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	clip := topics.ClipID("good", now, 0)
	alert := topics.AlertID("fall", clip)
	words := topics.VocabRef{Name: "default", Version: "def"}
	fall := topics.LabelScore{Label: "falling down", Similarity: .31, Score: .9, Contrast: .9, Tags: []string{"height"}, Novel: true, NearestBase: "climbing", NearestSimilarity: .8}
	a := topics.Alert{
		ID: alert, State: topics.AlertRaised, Rule: "fall", Severity: "critical", Camera: "good", Tags: []string{"indoor"}, Label: "falling down", Score: .9,
		Contrast: .8, Similarity: .3, Measure: "contrast", Threshold: .5, Novel: true, NearestBase: "lying", Onset: now, At: now, OnsetClip: clip, Clip: clip,
		Zone: "door", Reason: "score fell", Evidence: &topics.RecordRef{Topic: "frostwatch.clips", Offset: 2}, Verify: "Is it so?", Model: "abc", Vocab: words,
	}
	var err error
	switch topic {
	case topics.Cameras:
		key = "good"
		value, err = topics.EncodeCamera(topics.Camera{Name: "good", URL: trap, Watch: trap + "/watch", Tags: []string{"indoor"}, Transport: "tcp", Vocabulary: "default",
			Zones: map[string]topics.Polygon{"door": {{X: 0, Y: 0}, {X: .4, Y: .3}, {X: 0, Y: 1}}}, Source: topics.SourcePerson})
	case topics.Clips, topics.Evidence:
		if key = "good"; topic == topics.Evidence {
			key = alert
		}
		value, err = topics.EncodeClip(clipOf(now, whiteJPEG(t)))
	case topics.Actions:
		key = "good"
		value, err = topics.EncodeRecognition(topics.Recognition{
			ClipID: clip, Camera: "good", Tags: []string{"indoor"}, Epoch: now, Sequence: 1, Start: now, End: now.Add(4 * time.Second),
			Clip: topics.RecordRef{Topic: "frostwatch.clips", Offset: 2}, Labels: []topics.LabelScore{fall}, Background: .25,
			Embedding: topics.Float16Vector{1, -.5}, First: topics.Float16Vector{0, 1}, Last: topics.Float16Vector{2, 3}, Model: "abc", LogitScale: 100,
			References: &topics.References{Hash: "r1", Logit: 31.5}, Vocab: words, Timings: topics.Timings{Queue: 1, Decode: 2, Model: 3, Score: 4, Batch: 5},
		})
	case topics.Alerts:
		key = "good"
		value, err = topics.EncodeAlert(a)
	case topics.OpenAlerts:
		key = topics.RuleKey("good", "fall")
		value, err = topics.EncodeAlert(a)
	case topics.Watched:
		key = topics.RuleKey("good", "fall")
		value, err = topics.EncodeWatched(topics.WatchedLabels{Camera: "good", Rule: "fall", Labels: []string{"falling down"}, Tags: []string{"t"}, Score: .5})
	case topics.Sightings:
		key = "crowd"
		value, err = topics.EncodeSighting(topics.Sighting{Rule: "crowd", RuleHash: "1f", Through: now, Seen: &topics.Seen{Camera: "good", Tags: []string{"indoor"}, Start: now,
			End: now.Add(4 * time.Second), Label: fall, Measure: "contrast", Threshold: .5, ClipID: clip, Clip: *a.Evidence, Model: "abc", Vocab: words}})
	case topics.Thresholds:
		key = topics.RuleKey("good", "kept")
		value, err = topics.EncodeThreshold(topics.Threshold{Camera: "good", Rule: "kept", RuleHash: "1f", Budget: "1 per week", Raise: .8, Clear: .5, At: now, Since: now.Add(-time.Hour),
			Until: now, Days: .04, Clips: 1488, Happenings: 3, Tail: "counted", Model: "abc", References: "r1", Words: "2e"})
	case topics.Marks:
		key = alert
		value, err = topics.EncodeMark(topics.Mark{Alert: alert, Camera: "good", Rule: "fall", Label: "falling down", True: true, Contrast: .8, Score: .9, Onset: now, Ended: now.Add(time.Minute),
			Note: "a real fall", By: "operator@desk", At: now})
	case topics.Verdicts:
		key = alert
		value, err = topics.EncodeVerdict(topics.Verdict{Alert: alert, Camera: "good", Rule: "fall", Says: topics.SaysNo, Reason: "a person kneels", Question: "Is it so?", Model: "eyes", Seconds: 1.5, At: now})
	case topics.Silences:
		key = "good"
		value, err = topics.EncodeSilence(topics.Silence{ID: "good", Choice: topics.Choice{Rules: []string{"other"}, Cameras: []string{"ward-*"}, CameraTags: []string{"ward"}},
			At: now, Until: now.Add(time.Hour), Note: "the floor is cleaned", By: "operator@desk"})
	case topics.Withheld:
		w := topics.WithheldAlert{Receiver: "frostwatch-notify-hook", Alert: alert, Key: "good", Rule: "fall", Camera: "good", Tags: []string{"indoor"}, At: now,
			Offsets: map[topics.AlertState]int64{topics.AlertRaised: 0, topics.AlertCleared: 9}, Delivered: true}
		key = w.TableKey()
		value, err = topics.EncodeWithheld(w)
	case topics.Status:
		key = "good"
		value, err = topics.EncodeStatus(topics.StreamStatus{Camera: "good", State: topics.StreamWaiting, Reason: "no route to host", Since: now, Worker: "good", Generation: 1, Attempt: 3, RetryAt: now,
			Codec: "h264", Width: 640, Height: 360, FPS: 25, At: now, OfflineSince: now, Rate: 24, Damaged: .1,
			Main: &topics.MainStream{State: topics.StreamWaiting, Reason: "no route to host", Since: now, RetryAt: now, Codec: "h264", Width: 640, Height: 360}})
	case topics.Workers:
		key = "good"
		value, err = topics.EncodeWorker(topics.Worker{Name: "good", Version: "1", Started: now, At: now, Model: "abc", Vocab: words, Further: []topics.VocabRef{words},
			Stages:   map[string]topics.WorkerStage{"infer": {Group: "frostwatch-infer", Generation: 1, Partitions: []int{0}, Lag: 2, Late: 1.5}},
			Problems: map[string]string{"model": "it is gone"}, Warnings: map[string]string{"disk": "it is nearly full"}})
	case topics.DeadLetter:
		key, value = "good", []byte("not a record")
	default:
		t.Fatalf("the topic %s is not known here: add a record of it, so that hostile ones are made of it", topic)
	}
	if err != nil {
		t.Fatalf("a record of %s: %v", topic, err)
	}
	return key, value
}

func clipOf(at time.Time, picture []byte) topics.Clip {
	c := topics.Clip{ID: topics.ClipID("good", at, 0), Camera: "good", Tags: []string{"indoor"}, Epoch: at, Window: 4 * time.Second, Width: 64, Height: 48}
	for i := range 8 {
		step := time.Duration(i) * 500 * time.Millisecond
		c.Frames = append(c.Frames, topics.ClipFrame{JPEG: picture, Stream: step, Captured: at.Add(step)})
	}
	return c
}

func whiteJPEG(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, 64, 48), image.YCbCrSubsampleRatio420), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bombJPEG is a picture of some hundred bytes that says that it has 65,500 by 65,500
// pixels, 12 GB.
func bombJPEG(t testing.TB) []byte {
	t.Helper()
	b := whiteJPEG(t)
	at := bytes.Index(b, []byte{0xff, 0xc0}) // start of frame: length, precision, height, width
	binary.BigEndian.PutUint16(b[at+5:], 65500)
	binary.BigEndian.PutUint16(b[at+7:], 65500)
	return b
}

// act is what a terminal, or the text around it, would act on.
const act = "\x1b[2J\x1b]0;owned\x07\u009b31m\u202e\u2066a\x7f"

// hostileRecords are records that nobody should write to a topic: garbage, and the good
// record with each of its fields in turn replaced by what it should not be.
func hostileRecords(t testing.TB, topic topics.Topic, trap string) (out []bus.Message) {
	t.Helper()
	key, good := goodRecord(t, topic, trap)
	add := func(key string, value []byte) {
		out = append(out, bus.Message{Key: []byte(key), Value: value, Headers: []bus.Header{{Key: topics.HeaderGeneration, Value: []byte("99999999999999999999")}, {Key: topics.HeaderQueued, Value: []byte("-1")}, {Key: act, Value: []byte(act)}}})
	}
	random := rand.NewChaCha8([32]byte{20})
	noise := make([]byte, 3<<20)
	_, _ = random.Read(noise) // never fails
	for i, value := range [][]byte{
		noise[:1], noise[:100], noise[:64<<10], noise, []byte("{"), []byte("null"), []byte("[]"), []byte(`""`), []byte("NaN"), []byte("-Infinity"), []byte(act),
		bytes.Repeat([]byte("["), 1<<20), bytes.Repeat([]byte(`{"a":`), 1<<19), bytes.Repeat([]byte(`{"data":[`), 1<<18), good[:len(good)/2], append(slices.Clone(good), good...),
		[]byte(`{"a":"` + strings.Repeat("x", 3<<20) + `"}`), []byte(`{"a":[` + strings.Repeat("{},", 1<<20) + `{}]}`), bytes.Repeat([]byte{0}, 1<<20), bytes.Repeat([]byte("\xff"), 1<<20),
	} {
		for _, k := range []string{twin(i), twin(i) + "/fall", act, strings.Repeat("k", 4000)} {
			if add(k, value); len(value) > 64<<10 {
				break
			}
		}
	}
	if topic == topics.Clips || topic == topics.Evidence {
		for _, picture := range [][]byte{bombJPEG(t), noise[:1000], {}} {
			value, err := topics.EncodeClip(clipOf(time.Now(), picture))
			if err != nil {
				t.Fatal(err)
			}
			add(key, value)
		}
		return out
	}
	if topic == topics.Cameras {
		for i, url := range spellings(trap) {
			name := twin(1000 + i)
			add(name, fmt.Appendf(nil, `{"name":%q,"url":%q}`, name, url))
		}
	}
	if topic == topics.DeadLetter { // which nothing reads
		return out
	}
	var tree any
	if err := json.Unmarshal(good, &tree); err != nil {
		t.Fatal(err)
	}
	n := 100
	replaceEach(tree, func(was, is any) {
		n++
		text, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		k := key
		if s, ok := is.(string); ok && was == key { // the key has to agree with it
			k = s
		}
		evil := func(s string) string { return strings.ReplaceAll(s, "good", twin(n)) }
		value := evil(string(text))
		for of, literal := range map[string]string{`"literal:big"`: "1e999", `"literal:nan"`: "NaN", `"literal:small"`: "-1e999"} {
			value = strings.ReplaceAll(value, of, literal)
		}
		add(evil(k), []byte(value))
	})
	return out
}

// spellings are other ways to write the address of the trap, 127.0.0.5, and URLs of files.
func spellings(trap string) (out []string) {
	at := strings.TrimPrefix(trap, "http://127.0.0.5")
	for _, host := range []string{"[::ffff:127.0.0.5]", "[::ffff:7f00:5]", "2130706437", "0x7f000005", "0x7f.0.0.5", "0177.0.0.5", "127.5", "127.0.0.5.", "admin:secret@127.0.0.5", "%31%32%37.0.0.5"} {
		out = append(out, "http://"+host+at, "rtsp://"+host+at)
	}
	for _, scheme := range []string{"https", "rtsps", "rtsp", "tcp", "udp", "rtp", "srt", "ftp", "gopher", "http+unix"} {
		out = append(out, scheme+"://127.0.0.5"+at)
	}
	return append(out, "file:///etc/passwd", "/etc/passwd", "concat:/etc/passwd|/etc/hosts", "subfile,,start,0,end,9,,:/etc/passwd", "data:video/mp4;base64,AAAA", "pipe:0", "lavfi:testsrc")
}

// replaceEach calls use with each leaf of a JSON value, and each list and object in it,
// replaced in turn, and puts it back.
func replaceEach(tree any, use func(was, is any)) {
	for _, put := range placesIn(tree) {
		for _, is := range []any{
			act, "good" + act, "good\nALERT\r\n", "\u202e", strings.Repeat("long ", 20_000), "", "../../../etc/passwd", "good/../x", "%s%n{{.}}", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
			"2999-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "-292277022399-01-01T00:00:00Z", -1, 1e308, -1e308, 1 << 53, 0, "literal:big", "literal:nan", "literal:small", nil, true, []any{}, []any{act, act},
			map[string]any{act: act},
		} {
			was := put.get()
			put.set(is)
			use(was, is)
			put.set(was)
		}
	}
}

// place is one place in a JSON value.
type place struct {
	get func() any
	set func(any)
}

func placesIn(tree any) (out []place) {
	switch v := tree.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(out, place{func() any { return v[key] }, func(is any) { v[key] = is }})
			out = append(out, placesIn(v[key])...)
		}
	case []any:
		for i := range v {
			out = append(out, place{func() any { return v[i] }, func(is any) { v[i] = is }})
			out = append(out, placesIn(v[i])...)
		}
	}
	return out
}

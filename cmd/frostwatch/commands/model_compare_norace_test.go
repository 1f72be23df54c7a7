//go:build !race

package commands

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/calibrate"
	"github.com/frostwatch/frostwatch/calibrate/twomodels"
	"github.com/frostwatch/frostwatch/cmd/frostwatch/demo"
	"github.com/frostwatch/frostwatch/infer/froster"
	"github.com/frostwatch/frostwatch/internal/redistest"
	"github.com/frostwatch/frostwatch/internal/shared"
	"github.com/frostwatch/frostwatch/topics"
)

// picture is a JPEG of a bright bar at some place.
func picture(t *testing.T, at int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range 64 * 48 {
		x, y := i%64, i/64
		c := color.RGBA{uint8(40 + x), uint8(90 + y), 60, 255}
		if (x+64-at%64)%64 < 9 {
			c = color.RGBA{230, 220, uint8(3 * at % 200), 255}
		}
		img.Set(x, y, c)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// films sends n clips of a camera, one a window from a time on.
func (s *served) films(t *testing.T, camera string, from time.Time, window time.Duration, n int) (all []topics.Clip) {
	t.Helper()
	for i := range n {
		c := topics.Clip{Camera: camera, Epoch: from, Sequence: uint64(i), Start: time.Duration(i) * window, Window: window, Width: 64, Height: 48}
		c.ID = topics.ClipID(camera, from, c.Start)
		for k := range 8 {
			c.Frames = append(c.Frames, topics.ClipFrame{JPEG: picture(t, 7*i+k*(1+i%3)), Captured: c.StartTime()})
		}
		value, err := topics.EncodeClip(c)
		if err != nil {
			t.Fatal(err)
		}
		s.send(t, topics.Clips, camera, value, c.EndTime())
		all = append(all, c)
	}
	return all
}

// twoModels is a folder with two models that tell pictures apart in other ways.
func twoModels(t *testing.T) (dir string, a, b *froster.Bundle) {
	t.Helper()
	dir = t.TempDir()
	mini, err := demo.CachedModel()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(mini, filepath.Join(dir, "mini")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "clip.pt")
	if err := os.WriteFile(file, tinyCLIP(t), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err = froster.Import(t.Context(), froster.ImportOptions{Checkpoint: file, Out: filepath.Join(dir, "clip"), Framewise: true}); err != nil {
		t.Fatal(err)
	}
	if a, err = froster.OpenBundle(mini); err != nil {
		t.Fatal(err)
	}
	return dir, a, b
}

// Two models are compared on what Kafka keeps, one of them by what it has recorded, and
// thresholds are learnt for the second.
func TestTwoModelsAreComparedOnRecordedClips(t *testing.T) {
	models, first, second := twoModels(t)
	s := onBroker(t)
	s.redis = redistest.Start(t)
	const rules = "rules:\n  - {name: seen, actions: [falling down], contrast: {raise: 0.000001}}\n  - {name: scored, actions: [falling down], score: {raise: 0.5}}\n  - {name: budget, actions: [falling down], false_alarms: 40 per day}\n"
	write(t, s.file, readFile(t, s.file)+fmt.Sprintf("redis: {address: %q, prefix: \"f:\"}\n", s.redis.Addr)+rules)
	s.redis.HSet(t, "f:vocab:default", "falling down", "", "walking", "")
	for _, camera := range []string{"door", "yard"} {
		value, err := topics.EncodeCamera(topics.Camera{Name: camera, URL: "rtsp://10.0.0.7/s"})
		if err != nil {
			t.Fatal(err)
		}
		s.send(t, topics.Cameras, camera, value, time.Now())
	}
	from := time.Now().Add(-80 * time.Minute).Truncate(time.Minute)
	clips := s.films(t, "door", from, time.Minute, 75)
	s.films(t, "yard", from.Add(70*time.Minute), 4*time.Second, 12)
	known := topics.Recognition{ClipID: clips[3].ID, Camera: "door", Epoch: from, Sequence: 3, Start: clips[3].StartTime(), End: clips[3].EndTime(), Model: first.ID, LogitScale: float64(first.LogitScale)}
	known.Embedding = make([]float32, first.Dims.EmbedDim)
	known.Embedding[0] = .9
	known.First, known.Last = known.Embedding, known.Embedding
	value, err := topics.EncodeRecognition(known)
	if err != nil {
		t.Fatal(err)
	}
	s.send(t, topics.Actions, "door", value, known.End)
	library := filepath.Join(shared.Root(t), ".native", "onnxruntime", "libonnxruntime.so")
	run := func(args ...string) (string, bool) {
		return s.run(t, append([]string{"model", "compare", "mini", "clip", "--models", models, "--runtime", library, "--since", "2h"}, args...)...)
	}
	if out, ok := run("--clips", "3", "--learn-thresholds"); !ok || !strings.Contains(out, "\nnot learnt: no budget of false alarms has a threshold yet") {
		t.Errorf("without a threshold in force:\n%s", out)
	}
	inForce := topics.Threshold{Camera: "door", Rule: "budget", RuleHash: "1f", Budget: "40 per day", Raise: .7, Clear: .5, At: from, Model: first.ID}
	if value, err = topics.EncodeThreshold(inForce); err != nil {
		t.Fatal(err)
	}
	if _, err := s.bus.Send(t.Context(), bus.Message{Topic: s.names.Of(topics.Thresholds), Key: []byte("door/budget"), PartitionBy: []byte("door"), Value: value}); err != nil {
		t.Fatal(err)
	}

	out, ok := run("--json", "--learn-thresholds")
	if !ok {
		t.Fatal(out)
	}
	var got struct {
		twomodels.Result
		Learnt learnt
	}
	if err := json.Unmarshal([]byte(out[strings.Index(out, "\n{")+1:]), &got); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if got.Clips != 87 || got.A.Recorded != 1 || got.B.Recorded != 0 || got.A.ID != first.ID || got.B.ID != second.ID {
		t.Errorf("%d clips, %+v, %+v", got.Clips, got.A, got.B)
	}
	if len(got.Cameras) != 2 || got.Cameras[0].Clips != 75 || got.Cameras[1].Clips != 12 {
		t.Errorf("cameras %+v", got.Cameras)
	}
	if len(got.Labels) != 2 || got.Labels[0].Clips != 87 || got.Labels[0].Rank == nil || *got.Labels[0].Rank < -1 || *got.Labels[0].Rank > .999 {
		t.Errorf("labels %+v", got.Labels)
	}
	if len(got.Differ) == 0 || got.Differ[0].A == got.Differ[0].B || got.Differ[0].Clip == "" {
		t.Errorf("clips that differ: %+v", got.Differ)
	}
	if len(got.Rules) != 2 || got.Rules[0].Rule != "seen" || got.Rules[0].A == 0 || got.Rules[0].B == 0 || got.Rules[0].Both == 0 {
		t.Errorf("rules %+v", got.Rules)
	}
	if notes := strings.Join(got.Notes, "\n"); !strings.Contains(notes, "rule scored is about scores") || !strings.Contains(notes, "all clips of this time") {
		t.Errorf("notes:\n%s", notes)
	}
	if len(got.Learnt.Kept) != 1 || got.Learnt.Kept[0].Camera != "door" || got.Learnt.Kept[0].Model != second.ID {
		t.Errorf("learnt %+v", got.Learnt)
	}
	all, err := thresholds(t.Context(), s.bus, s.names)
	if err != nil || len(all) != 1 || all[0].Raise != .7 || all[0].Next == nil || all[0].Next.Model != second.ID || all[0].Next.RuleHash == "" || all[0].Next.Learning {
		t.Fatalf("in the table: %+v, %v", all, err)
	}
	set, err := calibrate.CompileRules(s.file)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.Rules() {
		if r.Name == "budget" && all[0].Next.RuleHash != r.Hash() {
			t.Error("what was learnt is of another rule")
		}
	}

	if out, ok := run("--clips", "20", "--camera", "door"); !ok || !strings.Contains(out, "\ndoor    20 ") || strings.Contains(out, "\nyard ") || !strings.Contains(out, "RANK CORRELATION") || !strings.Contains(out, "BEST B") {
		t.Errorf("as a table:\n%s", out)
	}
	if out, ok := run("--since", "10h", "--until", "9h"); ok || !strings.Contains(out, "of this time there is no clip with its pictures") || strings.Contains(out, "no camera matches") {
		t.Errorf("without clips:\n%s", out)
	}
	if out, ok := run("--camera", "dor"); ok || !strings.Contains(out, `; no camera matches "dor"`) {
		t.Errorf("a camera that is not there:\n%s", out)
	}
	if out, ok := s.run(t, "model", "compare", "mini", "mini", "--models", models, "--runtime", library); ok || !strings.Contains(out, "mini and mini are the same model") || strings.Contains(out, "embed the reference texts") {
		t.Errorf("a model with itself:\n%s", out)
	}
}

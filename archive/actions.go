package archive

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/frostwatch/frostwatch/topics"
)

// actionsCodec has a row for each recognition. Columns have the names of the
// record's fields.
func actionsCodec() codec[topics.Recognition] {
	return codec[topics.Recognition]{
		topic:  topics.Actions,
		decode: decodeAction,
		camera: func(r topics.Recognition) string { return r.Camera },
		when:   func(r topics.Recognition) time.Time { return r.End },
		model:  func(r topics.Recognition) string { return r.Model },
		dims:   func(r topics.Recognition) int { return len(r.Embedding) },
		viewed: func(r topics.Recognition, dims int) (views, fit bool) { return len(r.Views) > 0, viewsFit(&r, dims) },
		columns: func(dims int) parquet.Group {
			group := parquet.Group{
				"clip_id": text(), "camera_tags": repeated(), "epoch": parquet.Optional(instant()), "sequence": whole(),
				"start": instant(), "end": instant(), "background_score": number(),
				"embedding": half(dims), "embedding_first3": half(dims), "embedding_last3": half(dims),
				"model_id": repeated(), "logit_scale": number(), "vocabulary": repeated(), "vocabulary_version": repeated(),
				// References of older records are null, and older segments lack both columns.
				"references_hash": parquet.Optional(repeated()), "references_logit": parquet.Optional(number()),
			}
			maps.Copy(group, labelColumns())
			maps.Copy(group, viewColumns())
			return group
		},
		put: putAction,
		get: getAction,
	}
}

func decodeAction(b []byte) (topics.Recognition, error) {
	r, err := topics.DecodeRecognition(b)
	if err == nil && (!nanoseconds(r.Start) || !r.Epoch.IsZero() && !nanoseconds(r.Epoch)) {
		err = fmt.Errorf("recognition %.80q: its times %v and %v are out of range", r.ClipID, r.Epoch, r.Start)
	}
	return r, err
}

func putAction(r *row, a topics.Recognition, dims int) error {
	r.setText("clip_id", a.ClipID)
	r.setInt("sequence", int64(a.Sequence))
	r.setTime("start", a.Start)
	r.setTime("end", a.End)
	r.set("epoch", parquet.NullValue())
	if !a.Epoch.IsZero() {
		r.setTime("epoch", a.Epoch)
	}
	r.setNumber("background_score", a.Background)
	r.setText("model_id", a.Model)
	r.setNumber("logit_scale", a.LogitScale)
	r.setText("vocabulary", a.Vocab.Name)
	r.setText("vocabulary_version", a.Vocab.Version)
	r.set("references_hash", parquet.NullValue())
	r.set("references_logit", parquet.NullValue())
	if a.References != nil {
		r.setText("references_hash", a.References.Hash)
		r.setNumber("references_logit", a.References.Logit)
	}
	if err := r.setJSON("camera_tags", a.Tags); err != nil {
		return err
	}
	other := []string{"clip_id", "camera", "camera_tags", "epoch", "sequence", "start", "end", labelsColumn, "background_score",
		"model_id", "logit_scale", "references", "vocabulary"}
	for name, v := range map[string]*topics.Float16Vector{
		"embedding": &a.Embedding, "embedding_first3": &a.First, "embedding_last3": &a.Last,
	} {
		r.setHalf(name, nil)
		if len(*v) == dims || len(*v) == 0 {
			r.setHalf(name, topics.AppendFloat16(nil, *v))
			other, *v = append(other, name), nil
		}
	}
	views := a.Views
	if viewsFit(&a, dims) {
		other, a.Views = append(other, "views"), nil
	} else {
		views = nil
	}
	putViews(r, views, a.Labels)
	more, err := restOf(a, other...)
	if err != nil {
		return err
	}
	if err := r.setJSON(restColumn, more); err != nil {
		return err
	}
	return r.numbers.put(r, a.Labels, !readByRules(more))
}

// readByRules is whether rules may read one of the fields that have no column: all but
// those that are known not to matter to them. Labels reads such a row whole.
func readByRules(fields map[string]json.RawMessage) bool {
	for name := range fields {
		switch name {
		case "clip", "timings_ms", "quiet", "embedded_as":
		default:
			return true
		}
	}
	return false
}

func getAction(r *row) (a topics.Recognition, err error) {
	// Vectors of another length than the segment's are in the column of the rest.
	if err := r.json(restColumn, &a); err != nil {
		return a, err
	}
	a.ClipID, a.Camera = r.text("clip_id"), r.text(cameraColumn)
	a.Epoch, a.Sequence = r.time("epoch"), uint64(r.int("sequence"))
	a.Start, a.End = r.time("start"), r.time("end")
	a.Background = r.number("background_score")
	a.Model, a.LogitScale = r.text("model_id"), r.number("logit_scale")
	a.Vocab = topics.VocabRef{Name: r.text("vocabulary"), Version: r.text("vocabulary_version")}
	if hash := r.text("references_hash"); hash != "" {
		a.References = &topics.References{Hash: hash, Logit: r.number("references_logit")}
	}
	if err := r.json("camera_tags", &a.Tags); err != nil {
		return a, err
	}
	if a.Labels, err = r.labels(); err != nil {
		return a, err
	}
	if len(a.Views) == 0 {
		if a.Views, err = r.views(); err != nil {
			return a, err
		}
	}
	for name, v := range map[string]*topics.Float16Vector{
		"embedding": &a.Embedding, "embedding_first3": &a.First, "embedding_last3": &a.Last,
	} {
		if raw := r.bytes(name, parquet.FixedLenByteArray); len(raw) > 0 {
			*v = topics.Float16s(raw)
		}
	}
	return a, a.Validate()
}

// alertsCodec has a row for each raise and each clear.
func alertsCodec() codec[topics.Alert] {
	return codec[topics.Alert]{
		topic:  topics.Alerts,
		decode: topics.DecodeAlert,
		camera: func(a topics.Alert) string { return a.Camera },
		when:   func(a topics.Alert) time.Time { return a.At },
		model:  func(a topics.Alert) string { return a.Model },
		dims:   func(topics.Alert) int { return 0 },
		columns: func(int) parquet.Group {
			return parquet.Group{
				"alert_id": text(), "state": repeated(), "rule": repeated(), "severity": repeated(), "label": repeated(),
				"score": parquet.Optional(number()), "at": instant(), "model_id": repeated(),
			}
		},
		put: putAlert,
		get: getAlert,
	}
}

func putAlert(r *row, a topics.Alert, _ int) error {
	r.setText("alert_id", a.ID)
	r.setText("state", string(a.State))
	r.setText("rule", a.Rule)
	r.setText("severity", a.Severity)
	r.setText("label", a.Label)
	r.set("score", parquet.NullValue()) // a clear may have none
	if a.Score != 0 {
		r.setNumber("score", a.Score)
	}
	r.setTime("at", a.At)
	r.setText("model_id", a.Model)
	more, err := rest(a, "alert_id", "state", "rule", "severity", "camera", "label", "score", "at", "model_id")
	r.set(restColumn, parquet.ByteArrayValue(more))
	return err
}

func getAlert(r *row) (a topics.Alert, err error) {
	if err := json.Unmarshal(r.bytes(restColumn, parquet.ByteArray), &a); err != nil {
		return a, fmt.Errorf("column %s: %w", restColumn, err)
	}
	a.ID, a.State, a.Rule, a.Severity = r.text("alert_id"), topics.AlertState(r.text("state")), r.text("rule"), r.text("severity")
	a.Camera, a.Label, a.Score = r.text(cameraColumn), r.text("label"), r.number("score")
	a.At, a.Model = r.time("at"), r.text("model_id")
	return a, a.Validate()
}

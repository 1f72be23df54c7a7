//go:build !race

package topics

import (
	"bytes"
	"encoding/base64"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// The test of this file has one goroutine and computes for long: `make unit` runs it
// without the race detector.

// Anyone may write records. Whatever is in one, a reader allocates at most five times
// its bytes to decode or to refuse it.
func TestHostileRecordsTakeLittleMemory(t *testing.T) {
	frame := func(fields []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, 9, protowire.BytesType), fields)
	}
	vector := base64.StdEncoding.EncodeToString(make([]byte, hostile*3/4))
	texts, objects := members(`""`), members(`{}`)
	inputs := map[string]map[string][]byte{
		"clip": {
			"empty frames":            wire(9, nil),
			"frames of a byte":        wire(9, []byte{8}),
			"empty tags":              wire(10, nil),
			"short tags":              wire(10, []byte("ab")),
			"ids":                     wire(1, []byte("ab")),
			"empty views":             wire(12, nil),
			"views":                   wire(12, []byte("ab")),
			"empty zooms":             wire(13, nil),
			"zooms of a picture":      wire(13, []byte{0x32, 1, 'a'}),
			"pictures in a zoom":      protowire.AppendBytes(protowire.AppendTag(nil, 13, protowire.BytesType), wire(6, []byte("a"))[:hostile-16]),
			"unknown fields":          wire(99, nil),
			"one unknown field":       protowire.AppendBytes(protowire.AppendTag(nil, 99, protowire.BytesType), make([]byte, hostile-8)),
			"unknown numbers":         bytes.Repeat([]byte{0x58, 0}, hostile/2),
			"frames that are numbers": bytes.Repeat([]byte{0x48, 0}, hostile/2),
			"groups":                  bytes.Repeat([]byte{0x5b}, hostile),
			"groups that end":         bytes.Repeat([]byte{0x5b, 0x5c}, hostile/2),
			"pictures in a frame":     frame(wire(1, []byte("ab"))[:hostile-16]),
			"unknown in a frame":      frame(wire(9, nil)[:hostile-16]),
			"numbers in a frame":      frame(bytes.Repeat([]byte{0x10, 0}, hostile/2-8)),
			"not UTF-8":               wire(2, bytes.Repeat([]byte{0xff}, hostile-8)),
		},
		"recognition": inData(texts, objects, "labels", "camera_tags", "embedding", "start", "clip_id"),
		"alert":       inData(texts, objects, "camera_tags", "cameras", "evidence", "onset", "score", "alert_id"),
		"camera":      inData(texts, objects, "tags", "stride", "window", "url"),
		"camera set":  inData(texts, objects, "cameras", "id"),
		"status":      inData(texts, objects, "since", "reason", "fps"),
		"watched":     inData(texts, objects, "labels", "rule"),
		"threshold":   inData(texts, objects, "at", "raise", "budget"),
		"sighting":    inData(texts, objects, "seen", "camera_tags", "through", "rule"),
		"mark":        inData(texts, objects, "onset", "true", "note"),
		"verdict":     inData(texts, objects, "verdict", "reason", "seconds", "at"),
		"withheld":    inData(texts, objects, "camera_tags", "offsets", "at", "key"),
		"silence":     inData(texts, objects, "rules", "until", "note"),
		"profile":     inData(texts, objects, "profile", "at", "by"),
		"worker":      inData(texts, objects, "at", "stages", "warnings", "started"),
	}
	inputs["recognition"]["tags"] = list(`labels":[{"tags":["x"]},{"tags`, `""`)
	for name, b := range inData(texts, objects, "views", "box") {
		inputs["recognition"]["of views: "+name] = b
	}
	inputs["recognition"]["vectors"] = []byte(`{"embedding":"` + vector + `"}`)
	inputs["worker"]["partitions"] = list(`stages":{"infer":{"partitions`, "0")
	for record, kind := range eventKinds() {
		for name, data := range inputs[record] {
			inputs[record][name] = event(kind, data)
		}
		inputs[record]["extensions"] = fill(`{"specversion":"1.0",`, `"a":[{},{},{},{},{},{},{},{}],`, `"id":"x"}`)
		inputs[record]["one extension"] = fill(`{"specversion":"1.0","a":[`, `{},`, `{}],"id":"x"}`)
		inputs[record]["ids"] = fill("{", `"id":0,`, `"z":0}`)
		inputs[record]["attributes"] = fill(`{"source":"`, `%20`, `"}`)
		inputs[record]["data twice"] = fill(`{"data":[`, `{},`, `{}],"data":[],"id":"x"}`)
		inputs[record]["base64"] = []byte(`{"specversion":"1.0","type":"` + kind + `","data_base64":"` + base64.StdEncoding.EncodeToString(list("labels", "{}")[:hostile*3/4]) + `"}`)
		inputs[record]["the type"] = fill(`{"specversion":"1.0","type":"`, `é`, `"}`)
		inputs[record]["not an event"] = list("labels", "{}")
	}
	for record, decode := range decoders() {
		if len(inputs[record]) == 0 {
			t.Errorf("there are no hostile records of the kind %s", record)
		}
		most, where := 0.0, ""
		for name, b := range inputs[record] {
			var err error
			took := float64(allocated(func() { err = decode(b) })) / float64(len(b))
			if took > most {
				most, where = took, name
			}
			if took > 5 {
				t.Errorf("%s, %s: %.1f times its %d bytes were allocated; %.100v", record, name, took, len(b), err)
			}
		}
		t.Logf("%s: at most %.1f times its bytes (%s)", record, most, where)
	}
}

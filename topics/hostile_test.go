package topics

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// allocated is how many bytes fn allocates in all, also those that are garbage by
// its end.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// hostile is the size of the records below. Larger ones, of up to 4 MB, take as much
// for each byte.
const hostile = 1 << 20

// fill repeats a part between head and tail until the record is that large.
func fill(head, part, tail string) []byte {
	return []byte(head + strings.Repeat(part, (hostile-len(head)-len(tail))/len(part)) + tail)
}

// list is a JSON object whose key holds a list of that element as often as it fits.
func list(key, element string) []byte { return fill(`{"`+key+`":[`, element+",", element+"]}") }

// members are as many different members of a JSON object as fit.
func members(value string) string {
	var b strings.Builder
	for i := 0; b.Len() < hostile-len(value)-100; i++ {
		fmt.Fprintf(&b, `"%x":%s,`, i, value)
	}
	return b.String() + `"z":` + value
}

// table is a JSON object whose key holds an object.
func table(key, members string) []byte { return []byte(`{"` + key + `":{` + members + `}}`) }

// event puts data into a CloudEvents record.
func event(kind string, data []byte) []byte {
	return append(append([]byte(`{"specversion":"1.0","id":"x","source":"s","type":"`+kind+`","datacontenttype":"application/json","data":`), data...), '}')
}

// wire repeats a field of a Protobuf message, whose value is v.
func wire(field protowire.Number, v []byte) []byte {
	return bytes.Repeat(protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), v), hostile/(len(v)+2))
}

// inData are JSON texts that would take most memory under any key, by what is
// wrong with them. texts and objects are members.
func inData(texts, objects string, keys ...string) map[string][]byte {
	out := map[string][]byte{
		"unknown list":   list("unknown", "{}"),
		"unknown table":  table("unknown", objects),
		"unknown fields": fill("{", `"a":{},`, `"b":0}`),
		"nested":         []byte(`{"a":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}"),
		"too nested":     []byte(strings.Repeat(`{"labels":[`, hostile/11)),
		"broken":         fill(`{"labels":[`, "{},", ""),
		"broken text":    fill(`{"labels":"`, "x", ""),
		"escapes":        fill(`{"camera":"`, `\u0001`, `"}`),
		"not UTF-8":      fill(`{"camera":"`, "\xff", `"}`),
		"escaped key":    list(`l\u0061bels`, "{}"),
		"large number":   fill(`{"start":`, "1", `}`),
	}
	for _, key := range keys {
		out[key+": empty objects"] = list(key, "{}")
		out[key+": nulls"] = list(key, "null")
		out[key+": empty texts"] = list(key, `""`)
		out[key+": numbers"] = list(key, "0")
		out[key+": lists"] = list(key, "[]")
		out[key+": members"] = table(key, texts)
		out[key+": members that are objects"] = table(key, objects)
		out[key+": capital letters"] = list(strings.ToUpper(key), "{}")
		out[key+": numbers under capital letters"] = list(strings.ToUpper(key), "0")
		out[key+": wrong again and again"] = fill("{", `"`+key+`":false,`, `"z":0}`)
		out[key+": one text"] = fill(`{"`+key+`":"`, "x", `"}`)
		out[key+": one text of escapes"] = fill(`{"`+key+`":"`, `\"`, `"}`)
		out[key+": one text of bytes above 127"] = fill(`{"`+key+`":"`, "é", `"}`)
		out[key+": one number"] = fill(`{"`+key+`":`, "1", `}`)
		for name, c := range map[string]string{"escapes": `\"`, "bytes above 127": "é", "wrong bytes": "\xff"} {
			out[key+": texts of "+name] = fill("{", `"`+key+`":"`+strings.Repeat(c, 30_000)+`",`, `"z":0}`)
		}
		out[key+": again and again"] = fill("{", `"`+key+`":[{},{},{},{},{},{},{},{}],"`+key+`":[],`, `"z":0}`)
	}
	return out
}

// decoders are all that decode what anyone may write.
func decoders() map[string]func([]byte) error {
	return map[string]func([]byte) error{
		"clip":        func(b []byte) error { _, err := DecodeClip(b); return err },
		"recognition": func(b []byte) error { _, err := DecodeRecognition(b); return err },
		"alert":       func(b []byte) error { _, err := DecodeAlert(b); return err },
		"camera":      func(b []byte) error { _, err := DecodeCamera(b); return err },
		"camera set":  func(b []byte) error { _, err := DecodeCameraSet(b); return err },
		"status":      func(b []byte) error { _, err := DecodeStatus(b); return err },
		"watched":     func(b []byte) error { _, err := DecodeWatched(b); return err },
		"threshold":   func(b []byte) error { _, err := DecodeThreshold(b); return err },
		"sighting":    func(b []byte) error { _, err := DecodeSighting(b); return err },
		"mark":        func(b []byte) error { _, err := DecodeMark(b); return err },
		"verdict":     func(b []byte) error { _, err := DecodeVerdict(b); return err },
		"silence":     func(b []byte) error { _, err := DecodeSilence(b); return err },
		"profile":     func(b []byte) error { _, err := DecodeProfile(b); return err },
		"worker":      func(b []byte) error { _, err := DecodeWorker(b); return err },
	}
}

// eventKinds are the CloudEvents types of those records that are events.
func eventKinds() map[string]string {
	return map[string]string{"recognition": TypeRecognition, "alert": TypeAlertRaised}
}

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

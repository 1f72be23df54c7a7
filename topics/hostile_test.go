package topics

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"

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
		"withheld":    func(b []byte) error { _, err := DecodeWithheld(b); return err },
		"profile":     func(b []byte) error { _, err := DecodeProfile(b); return err },
		"worker":      func(b []byte) error { _, err := DecodeWorker(b); return err },
	}
}

// eventKinds are the CloudEvents types of those records that are events.
func eventKinds() map[string]string {
	return map[string]string{"recognition": TypeRecognition, "alert": TypeAlertRaised}
}

package media

import "bytes"

// startCode begins each unit of a stream in Annex B.
var startCode = []byte{0, 0, 1}

// parameterSets are the parameter sets in front of a keyframe's picture, with their start
// codes; nil where there are none, or the packet is not in Annex B.
func parameterSets(codec string, data []byte) []byte {
	begins := bytes.HasPrefix(data, startCode) || bytes.HasPrefix(data, []byte{0, 0, 0, 1})
	if !begins || codec != "h264" && codec != "hevc" {
		return nil
	}
	var sets []byte
	for unit, rest := nextUnit(data); unit != nil; unit, rest = nextUnit(rest) {
		if len(unit) == 0 {
			continue
		}
		set, picture := unitKind(codec, unit[0])
		if picture {
			break
		}
		if set {
			sets = append(append(append(sets, 0), startCode...), unit...)
		}
	}
	return sets
}

// nextUnit is the first unit of a stream, without start code and the zeros after it.
func nextUnit(data []byte) (unit, rest []byte) {
	at := bytes.Index(data, startCode)
	if at < 0 {
		return nil, nil
	}
	unit = data[at+len(startCode):]
	if end := bytes.Index(unit, startCode); end >= 0 {
		unit, rest = unit[:end], unit[end:]
	}
	return bytes.TrimRight(unit, "\x00"), rest
}

// withoutEmpty is a packet without its empty units, of cameras that write start codes in
// front of start codes: muxers copy them, and decoders take them for lost pictures. It
// changes data.
func withoutEmpty(data []byte) []byte {
	for at := 0; ; {
		next := bytes.Index(data[at:], []byte{0, 0, 1, 0, 0}) // no unit begins with two zeros
		if next < 0 {
			return data
		}
		at += next
		rest := bytes.TrimLeft(data[at+len(startCode):], "\x00")
		if len(rest) == 0 || rest[0] != 1 {
			at++
			continue
		}
		data = append(data[:at], data[at+len(startCode):]...)
	}
}

// unitKind says of a unit's first byte whether it is a parameter set, or a part of a
// picture.
func unitKind(codec string, first byte) (set, picture bool) {
	kind := unitType(codec, first)
	if codec == "h264" {
		return kind == 7 || kind == 8, kind >= 1 && kind <= 5
	}
	return kind >= 32 && kind <= 34, kind < 32
}

// unitType is the type of a unit that begins with a byte (H.264 and H.265, table 7-1).
func unitType(codec string, first byte) byte {
	if codec == "h264" {
		return first & 31
	}
	return first >> 1 & 63
}

package checkpoint

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// foreign says what a file is that is no checkpoint, by its first bytes, and what to do
// about it; "": nothing known.
func foreign(head []byte) string {
	text := strings.ToLower(string(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))))
	switch {
	case len(head) == 0:
		return "the file is empty: download it again"
	case strings.HasPrefix(text, "version https://git-lfs"):
		return "it is a Git LFS pointer, not the weights: fetch them with `git lfs pull`, or download the file itself"
	case strings.HasPrefix(text, "<!doctype"), strings.HasPrefix(text, "<html"), strings.HasPrefix(text, "<?xml"), strings.HasPrefix(text, "<head"):
		return "it is a web page, not the weights: download the file itself, with a login where the site asks for one"
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return "it is JSON, not the weights: give the file with the weights, or its folder"
	}
	for magic, what := range map[string]string{
		"\x1f\x8b": "compressed with gzip: unpack it", "BZh": "compressed with bzip2: unpack it", "\xfd7zXZ": "compressed with xz: unpack it",
		"\x28\xb5\x2f\xfd": "compressed with zstd: unpack it", "7z\xbc\xaf": "a 7-Zip archive: unpack it", "Rar!": "a RAR archive: unpack it",
		"GGUF": "GGUF, a format for language models", "\x89HDF": "HDF5, of Keras or TensorFlow", "\x93NUMPY": "an array of NumPy",
		"\x7fELF": "a program",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return "it is " + what + "; want a checkpoint of PyTorch or safetensors"
		}
	}
	// The first eight bytes of safetensors are a number, and most of them zero.
	control := func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' }
	if len(head) >= 16 && utf8.Valid(trimPartial(head)) && !bytes.ContainsFunc(head, control) {
		return "it is a text, not the weights"
	}
	return ""
}

// trimPartial is text without a character that is cut off at its end.
func trimPartial(text []byte) []byte {
	for range utf8.UTFMax - 1 {
		if r, size := utf8.DecodeLastRune(text); r != utf8.RuneError || size != 1 {
			break
		}
		text = text[:len(text)-1]
	}
	return text
}

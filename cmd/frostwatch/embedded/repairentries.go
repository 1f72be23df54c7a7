package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

// maxEntry bounds the search for the next entry: kfake's are small JSON.
const maxEntry = 1 << 16

// entryHead is how much is before an entry's JSON: length, CRC and 2 bytes of version.
const entryHead = 10

// entries cuts what can't be read out of a file of entries. kfake reads such a file
// to its first broken entry only, and appends behind that.
func (r repair) entries(name, holds string) error {
	path := filepath.Join(r.dir, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("check %s: %w", name, err)
	}
	whole := make([]byte, 0, len(text))
	for at := 0; at < len(text); {
		n := entryAt(text[at:])
		whole = append(whole, text[at:at+n]...)
		at += max(n, 1)
	}
	if len(whole) == len(text) {
		return nil
	}
	if err := replace(path, whole); err != nil {
		return err
	}
	r.log.Error("broker: a part of a file can't be read and is lost", "file", path, "holds", holds, "bytes", len(text)-len(whole))
	return nil
}

// cutTorn shortens a file of entries to its last whole one.
func cutTorn(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cut off half an entry: %w", err)
	}
	end := 0
	for at := 0; at < len(text); {
		n := entryAt(text[at:])
		at += max(n, 1)
		if n > 0 {
			end = at
		}
	}
	if end == len(text) {
		return nil
	}
	if err := os.Truncate(path, int64(end)); err != nil {
		return fmt.Errorf("cut off half an entry: %w", err)
	}
	return nil
}

// entryAt is the size of the whole entry at the start of b, 0 if there is none: 4
// bytes length and 4 of CRC-32C, both little-endian, and what they cover.
func entryAt(b []byte) int {
	if len(b) < entryHead {
		return 0
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n < 2 || n > maxEntry || 8+n > len(b) || crc32.Checksum(b[8:8+n], castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return 0
	}
	return 8 + n
}

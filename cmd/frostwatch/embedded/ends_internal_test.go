package embedded

import (
	"encoding/binary"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// What groups have committed is read as kfake writes it, past what can't be read.
func TestCommittedOffsets(t *testing.T) {
	var text []byte
	for _, entry := range []string{
		`{"type":"meta","g":"g","typ":"classic","pt":"consumer","pr":"frostwatch-lease","gen":1}`,
		`{"type":"commit","g":"g","t":"clips","o":12,"e":-1,"m":"","lc":1796083692719}`,
		`{"type":"commit","g":"h","t":"clips","p":3,"o":7,"e":-1,"m":"","lc":1796083692719}`,
		`{"type":"commit","g":"h","t":"clips","o":9,"e":-1,"m":"","lc":1796083692719}`,
		`{"type":"delete","g":"h","t":"alerts"}`,
	} {
		entry = "\x01\x00" + entry
		text = binary.LittleEndian.AppendUint32(text, uint32(len(entry)))
		text = binary.LittleEndian.AppendUint32(text, crc32.Checksum([]byte(entry), castagnoli))
		text = append(append(text, entry...), "??"...)
	}
	r := repair{dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(r.dir, groupsFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := r.committed()
	if want := map[string]int64{"clips-0": 12, "clips-3": 7, "alerts-0": 0}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

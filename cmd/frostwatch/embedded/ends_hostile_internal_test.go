package embedded

import (
	"encoding/binary"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// A commit beyond all bounds, which any client may make, hides neither what other groups have
// committed nor where the partition has been.
func TestCommitBeyondBounds(t *testing.T) {
	for name, honest := range map[string]struct {
		ends    string
		entries []string
		want    int64
	}{
		"ends":   {`{"clips-0":1000}`, nil, 1000},
		"groups": {`{}`, []string{`{"type":"commit","g":"infer","t":"clips","o":700}`}, 700},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := repair{dir: dir, log: slog.New(slog.DiscardHandler)}
			var groups []byte
			for _, e := range append(honest.entries,
				`{"type":"commit","g":"x","t":"clips","o":4611686018427387904}`, // 2^62
				`{"type":"commit","g":"x","t":"clips","o":-5}`,
				`{"type":"commit","g":"x","t":"clips","p":-1,"o":9}`,
				`{"type":"commit","g":"x","t":"../x","o":9}`) {
				e = "\x01\x00" + e
				groups = binary.LittleEndian.AppendUint32(groups, uint32(len(e)))
				groups = binary.LittleEndian.AppendUint32(groups, crc32.Checksum([]byte(e), castagnoli))
				groups = append(groups, e...)
			}
			for file, text := range map[string][]byte{groupsFile: groups, endsFile: []byte(honest.ends), topicsFile: []byte(`{"version":1,"topics":[{"name":"clips","partitions":1}]}`)} {
				if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.restoreEnds(); err != nil {
				t.Fatal(err)
			}
			folder := filepath.Join(dir, partitions, folderOf("clips", 0))
			bases, err := logsIn(folder)
			if err != nil {
				t.Fatal(err)
			}
			if end, err := endOf(folder, bases); err != nil || end != honest.want {
				t.Errorf("the partition goes on at %d, %v, want %d", end, err, honest.want)
			}
			if stray, _ := filepath.Glob(filepath.Join(dir, partitions, "*")); len(stray) != 1 {
				t.Errorf("folders %v, want that of the partition", stray)
			}
		})
	}
}

package embedded_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	fuse "github.com/hanwen/go-fuse/v2/fs"
	low "github.com/hanwen/go-fuse/v2/fuse"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// lossy is a file system that knows what a power loss would leave of it: of each file what
// it held at its last fsync, and of each folder the names at its last.
type lossy struct {
	dir     string // where it is mounted
	backing string // where its files are

	mu    sync.Mutex
	next  int
	files map[uint64]int // by inode: which file it is, since inodes are used again
	held  map[int][]byte // by file: its content as of its last fsync
	names map[string]int // by path: the files that a power loss leaves
}

// mountLossy mounts one until the test ends.
func mountLossy(t *testing.T) *lossy {
	t.Helper()
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		shared.Missing(t, "/dev/fuse")
	} else {
		_ = f.Close()
	}
	l := &lossy{dir: t.TempDir(), backing: t.TempDir(), files: map[uint64]int{}, held: map[int][]byte{}, names: map[string]int{}}
	root, err := fuse.NewLoopbackRoot(l.backing)
	if err != nil {
		t.Fatal(err)
	}
	options := &fuse.Options{MountOptions: low.MountOptions{DirectMountStrict: true, FsName: "lossy"}}
	server, err := fuse.Mount(l.dir, &lossyNode{root.(*fuse.LoopbackNode), l}, options)
	if errors.Is(err, syscall.EPERM) {
		shared.Missing(t, "the right to mount a file system")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Unmount(); err != nil {
			t.Errorf("unmount: %v", err)
			_ = syscall.Unmount(l.dir, syscall.MNT_DETACH)
		}
		server.Wait()
	})
	return l
}

// lossyNode is a file or a folder.
type lossyNode struct {
	*fuse.LoopbackNode
	l *lossy
}

func (n *lossyNode) WrapChild(_ context.Context, ops fuse.InodeEmbedder) fuse.InodeEmbedder {
	return &lossyNode{ops.(*fuse.LoopbackNode), n.l}
}

func (n *lossyNode) at() string { return filepath.Join(n.l.backing, n.Path(n.Root())) }

// Create notes that this is another file than one that had its inode before.
func (n *lossyNode) Create(ctx context.Context, name string, flags, mode uint32, out *low.EntryOut) (*fuse.Inode, fuse.FileHandle, uint32, syscall.Errno) {
	inode, fh, how, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	if errno == 0 {
		n.l.created(filepath.Join(n.at(), name))
	}
	return inode, fh, how, errno
}

// Fsync is of files.
func (n *lossyNode) Fsync(context.Context, fuse.FileHandle, uint32) syscall.Errno {
	n.l.synced(n.at())
	return 0
}

// OpendirHandle gives a folder that can be flushed.
func (n *lossyNode) OpendirHandle(context.Context, uint32) (fuse.FileHandle, uint32, syscall.Errno) {
	at := n.at()
	entries, errno := fuse.NewLoopbackDirStream(at)
	return &lossyFolder{entries, at, n.l}, 0, errno
}

// lossyFolder is an open folder.
type lossyFolder struct {
	entries fuse.DirStream
	at      string
	l       *lossy
}

func (f *lossyFolder) Readdirent(context.Context) (*low.DirEntry, syscall.Errno) {
	if !f.entries.HasNext() {
		return nil, 0
	}
	e, errno := f.entries.Next()
	return &e, errno
}

func (f *lossyFolder) Releasedir(context.Context, uint32) { f.entries.Close() }

func (f *lossyFolder) Fsyncdir(context.Context, uint32) syscall.Errno {
	f.l.folderSynced(f.at)
	return 0
}

func (l *lossy) created(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if inode, ok := inodeOf(path); ok {
		l.next++
		l.files[inode] = l.next
	}
}

// fileAt is which file has a path now. l.mu is held.
func (l *lossy) fileAt(path string) (file int, ok bool) {
	inode, ok := inodeOf(path)
	if !ok {
		return 0, false
	}
	if _, known := l.files[inode]; !known {
		l.next++
		l.files[inode] = l.next
	}
	return l.files[inode], true
}

func (l *lossy) synced(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if file, ok := l.fileAt(path); ok {
		text, err := os.ReadFile(path)
		if err == nil {
			l.held[file], l.names[path] = text, file // as ext4, XFS and others do, with its name
		}
	}
}

func (l *lossy) folderSynced(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name := range l.names {
		if filepath.Dir(name) == path {
			delete(l.names, name)
		}
	}
	entries, _ := os.ReadDir(path) // a folder that is gone has none
	for _, e := range entries {
		if name := filepath.Join(path, e.Name()); e.Type().IsRegular() {
			if file, ok := l.fileAt(name); ok {
				l.names[name] = file
			}
		}
	}
}

// cutPower writes what a power loss would leave at this moment to a new folder. With chance,
// the system had written more by itself: of each file a part of what came since, or all, or
// zeros in its place, and all of those that spared names.
func (l *lossy) cutPower(t *testing.T, chance *rand.Rand, spared func(name string) bool) (dir string) {
	t.Helper()
	dir = t.TempDir()
	l.mu.Lock()
	defer l.mu.Unlock()
	for path, file := range l.names {
		left := l.held[file]
		now, err := os.ReadFile(path)
		if same, ok := l.fileAt(path); err == nil && ok && same == file && strings.HasPrefix(string(now), string(left)) {
			left = furtherWritten(left, now, chance, spared(filepath.Base(path)))
		}
		to := filepath.Join(dir, strings.TrimPrefix(path, l.backing))
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, left, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func furtherWritten(left, now []byte, chance *rand.Rand, spared bool) []byte {
	switch {
	case spared:
		return now
	case chance == nil || len(now) == len(left):
		return left
	}
	more := chance.IntN(len(now) - len(left) + 1)
	out := slices.Concat(left, now[len(left):len(left)+more])
	if chance.IntN(3) == 0 { // the size was written, the content not
		clear(out[len(left):])
	}
	return out
}

func inodeOf(path string) (uint64, bool) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err != nil {
		return 0, false
	}
	return info.Sys().(*syscall.Stat_t).Ino, true
}

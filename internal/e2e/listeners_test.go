package e2e

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// listensOnLoopback fails where a process, or one that it has started, waits for connections or datagrams at an address
// that other machines reach, and returns at how many it waits in all. docs/security.md says
// that nothing does by default.
func listensOnLoopback(t *testing.T, what string, pid int) (n int) {
	t.Helper()
	own := map[string]bool{} // inodes of its sockets
	for _, fd := range descriptorsOf(pid) {
		if to, err := os.Readlink(fd); err == nil { // it may be closed meanwhile
			if inode, is := strings.CutPrefix(to, "socket:["); is {
				own[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	const listening, unconnected = "0A", "07"
	for table, state := range map[string]string{"tcp": listening, "tcp6": listening, "udp": unconnected, "udp6": unconnected} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != state || !own[f[9]] {
				continue
			}
			n++
			if at := addressOf(t, f[1]); !at.IsLoopback() {
				t.Errorf("%s listens on %s, %s", what, at, table)
			}
		}
	}
	return n
}

// descriptorsOf are those of a process and of all that it has started.
func descriptorsOf(pid int) (out []string) {
	out, _ = filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is right
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that has ended
		}
		for child := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(child); err == nil {
				out = append(out, descriptorsOf(n)...)
			}
		}
	}
	return out
}

// addressOf reads an address as /proc writes it: words of four bytes, each the wrong way
// round on this machine.
func addressOf(t *testing.T, text string) netip.Addr {
	t.Helper()
	host, _, _ := strings.Cut(text, ":")
	b, err := hex.DecodeString(host)
	if err != nil || len(b)%4 != 0 {
		t.Fatalf("an address in /proc is %q", text)
	}
	for word := range slices.Chunk(b, 4) {
		slices.Reverse(word)
	}
	at, ok := netip.AddrFromSlice(b)
	if !ok {
		t.Fatalf("an address in /proc is %q", text)
	}
	return at.Unmap()
}

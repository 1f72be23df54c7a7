package commands

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A test of a receiver that is to get films says where there will be none.
func TestATestOfAReceiverWithoutFilms(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "pipeline.yaml")
	for bucket, want := range map[string]bool{"": true, "none": true, t.TempDir(): false} {
		text := fmt.Sprintf("archive: {bucket: %q}\nnotify:\n  receivers:\n    - {name: seer, film: true, webhook: {url: %q, private: true}}\n    - {name: plain, webhook: {url: %q, private: true}}\n", bucket, server.URL, server.URL)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, wants := range map[string]bool{"seer": want, "plain": false} {
			out, ok := command(t, "notify", "test", name, "--config", file)
			if !ok || !strings.HasPrefix(out, name+" has accepted a test notification\n") || strings.Contains(out, "warning: film: there are none without a bucket") != wants {
				t.Errorf("%s with the bucket %q: %v\n%s", name, bucket, ok, out)
			}
		}
	}
}

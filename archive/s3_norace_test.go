//go:build !race

package archive

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/frostwatch/frostwatch/topics"
)

// An S3 bucket does what a folder does.
func TestS3(t *testing.T) {
	backend := s3mem.New()
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	must(t, backend.CreateBucket("past"))
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	q := url.Values{"endpoint": {server.URL}, "use_path_style": {"true"}, "region": {"eu-central-1"}, "prefix": {"site-1"}}
	b, err := OpenBucket(t.Context(), "s3://past?"+q.Encode())
	must(t, err)
	t.Cleanup(func() { _ = b.Close() })

	k := recorded(t, 9000, hour)
	archived(t, k, b, 1, -1, 8192)
	archived(t, k, b, 1, 0, 4096) // repeated
	r := reader(t, ReaderOptions{Log: k, Bucket: b})
	once(t, r, 9000)
	if got, counts := ask(t, r, Range{Since: seconds(4000), Until: seconds(4010), Cameras: []string{"door"}}); len(got) != 5 || counts.Segments == 0 {
		t.Errorf("got %v, %+v", got, counts)
	}
	n := 0
	if _, err := r.Scan(t.Context(), Range{}, func(b Batch) error { n += len(b.Rows); return nil }); err != nil || n != 9000 {
		t.Errorf("%d scanned, %v", n, err)
	}
	report, err := Check(t.Context(), CheckOptions{Bucket: b, Names: names})
	if err != nil || len(report.Faults) > 0 || report.Rows != 8192 {
		t.Errorf("%+v, %v", report, err)
	}
	// It is cut off behind the reader's back.
	first := listed(t, b, topics.Actions)[0]
	must(t, b.put(t.Context(), first.Key(), []byte("half")))
	if report, err = Check(t.Context(), CheckOptions{Bucket: b, Names: names}); err != nil || len(report.Faults) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	film := filepath.Join(t.TempDir(), "film.mp4")
	must(t, os.WriteFile(film, bytes.Repeat([]byte("film"), 3<<20), 0o600)) // in parts
	must(t, b.PutFilm(t.Context(), "fall/door-1-0", film))
	var content bytes.Buffer
	if err := b.Film(t.Context(), "fall/door-1-0", &content); err != nil || content.Len() != 12<<20 {
		t.Errorf("a film of %d bytes, %v", content.Len(), err)
	}
	if at := b.FilmAddress("fall/door-1-0"); !strings.HasPrefix(at, "s3://past/site-1/evidence/fall-door-1-0.") || strings.Contains(at, "?") {
		t.Errorf("the film is said to be at %s", at)
	}
	if err := b.Film(t.Context(), "fall/door-2-0", &content); !errors.Is(err, ErrNoFilm) {
		t.Errorf("of an alert without a film: %v", err)
	}
	s := stage(t, Options{Bus: k, Bucket: b, Keep: Keep{Actions: 24 * time.Hour}})
	s.Now = func() time.Time { return hour.Add(25*time.Hour + time.Second) }
	must(t, s.removeOld(t.Context()))
	if left := listed(t, b, topics.Actions); len(left) == 0 || left[0].Hour.Equal(hour) {
		t.Errorf("left are %+v", left)
	}
	if days, err := b.Days(t.Context(), Range{}); err != nil || len(days) != 1 {
		t.Errorf("%+v, %v", days, err)
	}
}

func TestOpenBucketRefuses(t *testing.T) {
	for _, location := range []string{"", "ftp://there", "mem://", "s3://user:geheim@x?endpoint=%zz"} {
		b, err := OpenBucket(t.Context(), location)
		if err == nil {
			_ = b.Close()
			t.Errorf("%q is taken", location)
			continue
		}
		if strings.Contains(err.Error(), "geheim") {
			t.Errorf("a secret is shown: %v", err)
		}
	}
}

package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/frostwatch/frostwatch/archive"
	"github.com/frostwatch/frostwatch/archive/alertlog"
	"github.com/frostwatch/frostwatch/bus"
	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/console"
	"github.com/frostwatch/frostwatch/internal/kafkatest"
	"github.com/frostwatch/frostwatch/media/jpeg"
	"github.com/frostwatch/frostwatch/topics"
)

// reviewed is a console over a Kafka that has alerts, without stages.
type reviewed struct {
	t     *testing.T
	bus   *bus.Client
	names topics.Names
	url   string
	sent  int
	now   time.Time
}

func newReviewed(t *testing.T) *reviewed {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	broker := kafkatest.StartEmbedded(t)
	client, err := bus.New(bus.Options{Brokers: []string{broker.Addr()}, ClientID: "test", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	r := &reviewed{t: t, bus: client, names: topics.Names{Prefix: topics.DefaultPrefix}, now: time.Now().UTC().Truncate(time.Millisecond)}
	if err := client.Ensure(t.Context(), bus.TopicSpecs(r.names, 3, 1)); err != nil {
		t.Fatal(err)
	}
	bucket, err := archive.OpenBucket(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r.film(bucket)
	past, err := archive.NewReader(archive.ReaderOptions{Log: client, Bucket: bucket, Names: r.names})
	if err != nil {
		t.Fatal(err)
	}
	table, err := cameras.Open(client, r.names, quiet)
	if err != nil {
		t.Fatal(err)
	}
	c, err := console.New(console.Options{
		Bus: client, Names: r.names, Cameras: table, Past: past, Version: "test", Logger: quiet,
		Alerts: alertlog.New(alertlog.Options{Bus: client, Names: r.names, Reader: past, Bucket: bucket}),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	server := httptest.NewServer(c.Handler())
	t.Cleanup(func() {
		stop()
		server.CloseClientConnections()
		server.Close()
		if err := errors.Join(<-done, bucket.Close(), client.Close()); err != nil {
			t.Error(err)
		}
	})
	r.url = server.URL
	return r
}

// film stores a film of the newest of the first fifty alerts.
func (r *reviewed) film(b *archive.Bucket) {
	r.t.Helper()
	need(r.t, "ffmpeg")
	path := filepath.Join(r.t.TempDir(), "film.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=640x360:rate=10:duration=2", "-pix_fmt", "yuv420p", "-movflags", "+faststart", path).CombinedOutput()
	if err != nil {
		r.t.Fatalf("%v: %s", err, out)
	}
	if err := b.PutFilm(r.t.Context(), r.alert(0).ID, path); err != nil {
		r.t.Fatal(err)
	}
}

// alert is the n-th newest of those of the start; negative ones are newer.
func (r *reviewed) alert(n int) topics.Alert {
	onset := r.now.Add(-30*time.Second - time.Duration(n)*10*time.Second)
	camera := []string{"ward-2", "lobby", "yard_gate"}[(n+300)%3]
	clip := topics.ClipID(camera, onset.Add(-time.Hour), time.Hour)
	a := topics.Alert{
		State: topics.AlertRaised, Rule: []string{"fall", "fence"}[(n+300)%2], Severity: []string{"critical", "warning", "info"}[(n+300)%3], Camera: camera, Tags: []string{"indoor"},
		Label: []string{"person falling down", "person climbing over the fence"}[(n+300)%2], Score: .62, Similarity: .31, Contrast: .91, Measure: "contrast", Threshold: .55,
		Onset: onset, At: onset.Add(4 * time.Second), OnsetClip: clip, Clip: clip,
	}
	a.ID = topics.AlertID(a.Rule, clip)
	return a
}

func (r *reviewed) send(topic topics.Topic, key, camera string, value []byte, err error) topics.RecordRef {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	at, err := r.bus.Send(r.t.Context(), bus.Message{Topic: r.names.Of(topic), Key: []byte(key), PartitionBy: []byte(camera), Value: value})
	if err != nil {
		r.t.Fatal(err)
	}
	return at[0]
}

// raise sends an alert with its evidence, and the recognition that raised it.
func (r *reviewed) raise(a topics.Alert) {
	r.t.Helper()
	value, err := topics.EncodeClip(r.clip(a))
	at := r.send(topics.Evidence, a.ID, a.Camera, value, err)
	a.Evidence = &at
	rec := topics.Recognition{
		ClipID: a.Clip, Camera: a.Camera, Epoch: a.Onset, Start: a.Onset, End: a.At, Clip: at, Model: "m", LogitScale: 100, Background: .2,
		Labels:     []topics.LabelScore{{Label: a.Label, Score: .62, Contrast: .91, Similarity: .31}, {Label: "person walking", Background: true, Score: .2, Contrast: .12}},
		References: &topics.References{Hash: "h"},
	}
	value, err = topics.EncodeRecognition(rec)
	r.send(topics.Actions, a.Camera, a.Camera, value, err)
	value, err = topics.EncodeAlert(a)
	r.send(topics.Alerts, a.Key(), a.Key(), value, err)
	r.sent++
}

// clip is one whose pictures differ.
func (r *reviewed) clip(a topics.Alert) topics.Clip {
	r.t.Helper()
	const w, h = 320, 180
	e, err := jpeg.NewEncoder()
	if err != nil {
		r.t.Fatal(err)
	}
	c := topics.Clip{ID: a.Clip, Camera: a.Camera, Epoch: a.Onset, Window: 4 * time.Second, Width: w, Height: h}
	for n := range topics.ClipFrames {
		rgb := make([]byte, 3*w*h)
		for i := range w * h {
			x, y := i%w, i/w
			rgb[3*i], rgb[3*i+1], rgb[3*i+2] = byte(40+x/4), byte(60+y/4), byte(90)
			if dx, dy := x-40-30*n, y-90; dx*dx+dy*dy < 400 {
				rgb[3*i], rgb[3*i+1], rgb[3*i+2] = 240, 200, 80
			}
		}
		data, err := e.Encode(rgb, w, h, 80, jpeg.Quarter)
		if err != nil {
			r.t.Fatal(err)
		}
		c.Frames = append(c.Frames, topics.ClipFrame{JPEG: data, Captured: a.Onset.Add(time.Duration(n) * 500 * time.Millisecond)})
	}
	return c
}

func (b browser) keys(text string) {
	b.t.Helper()
	b.do("press "+text, chromedp.KeyEvent(text))
}

// Fifty alerts are decided by one key each; what comes meanwhile does not move what is
// looked at, and what was decided can be taken back.
func TestReview(t *testing.T) {
	t.Parallel()
	r := newReviewed(t)
	const fifty = 50
	for n := range fifty {
		r.raise(r.alert(n))
	}
	b := openBrowser(t)
	rows := func(n int) string {
		return fmt.Sprintf(`document.querySelectorAll('[data-list] [role=option]').length === %d`, n)
	}
	title := func() string {
		text, err := chromedp.Run(b, chromedp.Evaluate[string](`document.querySelector('[data-title]').textContent`))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	b.do("open review", chromedp.EmulateViewport(1366, 768), chromedp.Navigate(r.url+"/review"))
	b.until("all are listed", rows(fifty))
	b.until("the rail counts them", `document.querySelector('[data-left]').textContent === '50'`)
	b.until("the film plays", `(() => { const v = document.querySelector('[data-film]'); return !v.hidden && v.muted && v.loop && !v.paused && v.currentTime > 0 })()`)
	b.until("it says why", `document.querySelector('[data-because]').textContent.startsWith('Because contrast of person falling down was 0.91, and the rule counts it from 0.55 on')`)
	b.until("it names the nearest background", `document.querySelector('[data-lead-said]').textContent.includes('person walking, 0.12')`)
	b.until("strips of four are shown", `document.querySelector('[data-list] img')?.naturalWidth === 640`)
	b.shot("review-laptop")
	b.accessible("review")

	b.keys("j")
	b.until("a clip without a film is a loop", `document.querySelector('[data-loop]').style.backgroundImage.startsWith('url("blob:') && document.querySelector('[data-film]').hidden`)
	b.keys("k")
	before := title()
	r.raise(r.alert(-1))
	b.until("a new alert is listed above", rows(fifty+1))
	if now := title(); now != before {
		t.Errorf("%s is shown in place of %s", now, before)
	}
	b.keys("k")
	b.keys("t")
	b.until("its decision moves on", rows(fifty))
	b.until("to the next", fmt.Sprintf(`document.querySelector('[data-title]').textContent === %q`, before))
	b.keys("u")
	b.until("undo brings it back", rows(fifty+1))
	b.until("and counts it again", `document.querySelector('[data-count]').textContent.includes('51 left')`)
	b.keys("s")
	b.until("its rule is silenced", `document.querySelector('[data-said]').textContent.startsWith('Silenced until')`)
	for n := range fifty + 1 {
		b.keys([]string{"t", "f", "l"}[min(n%5, 2)])
	}
	b.until("nothing is left", `document.querySelector('[data-empty]').textContent.startsWith('Nothing is left. The last day had 51 alerts: 11 true, 10 false, 30 for later') && document.querySelector('[data-left]').hidden`)
	b.shot("review-empty")

	b.do("look at what is set aside", chromedp.Navigate(r.url+"/review?marked=later&camera=lobby"))
	b.until("those of one camera", `document.querySelectorAll('[data-list] [role=option]').length === 10 && document.querySelector('[name=marked]').value === 'later'`)
	b.do("choose all", chromedp.KeyEvent("a", chromedp.KeyModifiers(kb.ModifierCtrl)))
	b.keys("f")
	b.until("all are decided at once", `document.querySelector('[data-said]').textContent === '10 alerts: false' && document.querySelector('[data-empty]').textContent !== ''`)
	marks, err := alertlog.New(alertlog.Options{Bus: r.bus, Names: r.names}).Marks(t.Context())
	if err != nil || len(marks) != 31 {
		t.Errorf("%d marks are recorded, %v", len(marks), err)
	}

	b.do("look on a phone", chromedp.EmulateViewport(320, 640), chromedp.Navigate(r.url+"/review?marked=all"))
	b.until("the page fits", rows(fifty+1)+` && document.documentElement.scrollWidth <= 320`)
	b.until("the film is there", `!document.querySelector('[data-case]').hidden && document.querySelector('[data-because]').textContent !== ''`)
	b.until("its pictures are there", `document.querySelector('[data-loop]').style.backgroundImage !== ''`)
	b.shot("review-phone")
	b.do("switch to light", chromedp.Click("[data-theme-switch]"))
	b.accessible("review on a phone, in light")
	b.shot("review-phone-light")
	b.do("look on a wall", chromedp.EmulateViewport(2560, 1440), chromedp.Navigate(r.url+"/review?marked=all"))
	b.until("all are listed", rows(fifty+1))
	b.do("open the calendar", chromedp.Click("[data-calendar] summary"))
	b.until("days are counted", `document.querySelector('[data-days] button')?.title.includes('not decided')`)
	b.shot("review-wall")
	b.accessible("review with its calendar")
	b.do("close it", chromedp.KeyEvent(kb.Escape))
	b.keys("?")
	b.until("help opens", `document.querySelector('[data-help]').open`)
	b.accessible("help")
}

package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/frostwatch/frostwatch/cameras"
	"github.com/frostwatch/frostwatch/internal/pause"
	"github.com/frostwatch/frostwatch/topics"
)

// budgets are what a page costs its reader, as the page itself measures it.
type budgets struct {
	Paint  float64 `json:"paint"`  // ms until the first content is painted
	Shift  float64 `json:"shift"`  // the sum of layout shifts, 0 is none
	Weight float64 `json:"weight"` // bytes of all but pictures, as transferred
	Frame  float64 `json:"frame"`  // ms between two painted frames while scrolling: the 95th of 100
	Heap   float64 `json:"heap"`   // bytes of live JavaScript objects
	Nodes  int     `json:"nodes"`
}

const (
	// measurePage is about how the page came to be.
	measurePage = `(() => {
		const paint = performance.getEntriesByName('first-contentful-paint')[0]
		const seen = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
		return JSON.stringify({
			paint: paint ? paint.startTime : -1, shift: window.shifts || 0,
			weight: seen.filter((e) => !/loop|strip|events/.test(e.name)).reduce((sum, e) => sum + e.transferSize, 0),
		})
	})()`
	// measureShifts is evaluated in each page before its own scripts.
	measureShifts = `window.shifts = 0; new PerformanceObserver((list) => {
		for (const e of list.getEntries()) { if (!e.hadRecentInput) { window.shifts += e.value } }
	}).observe({ type: 'layout-shift', buffered: true }); true`
	// measureScroll scrolls through the page in 120 painted frames.
	measureScroll = `window.scrolled = undefined; (() => {
		const times = [], far = document.documentElement.scrollHeight - innerHeight
		const step = (t) => {
			times.push(t)
			scrollTo(0, far * times.length / 120)
			if (times.length < 120) { requestAnimationFrame(step); return }
			const gaps = times.slice(1).map((t, i) => t - times[i]).sort((a, b) => a - b)
			window.scrolled = gaps[Math.floor(gaps.length * 0.95)]
			scrollTo(0, 0)
		}
		requestAnimationFrame(step)
	})(); true`
	measureHeap = `gc(); JSON.stringify({ heap: performance.memory.usedJSHeapSize, nodes: document.getElementsByTagName('*').length })`
)

// TestBudgets measures a wall of a hundred cameras in Chromium, for as long as the variable
// FROSTWATCH_BENCH_CONSOLE says: `make bench-console`. It asserts nothing about time.
func TestBudgets(t *testing.T) {
	long, err := time.ParseDuration(os.Getenv("FROSTWATCH_BENCH_CONSOLE"))
	if err != nil {
		t.Skip("it takes long, and is run by `make bench-console`")
	}
	c, server := served(t)
	simulate(t, c, 100)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium-headless-shell"), chromedp.NoSandbox,
		chromedp.Flag("enable-precise-memory-info", true), chromedp.Flag("js-flags", "--expose-gc"))
	ctx, stopBrowser := chromedp.NewExecAllocator(t.Context(), options...)
	defer stopBrowser()
	ctx, stopPage := chromedp.NewContext(ctx)
	defer stopPage()
	evaluate := func(expression string, into any) {
		t.Helper()
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
		if err == nil {
			err = json.Unmarshal([]byte(text), into)
		}
		if err != nil {
			t.Fatalf("%.60s: %v", expression, err)
		}
	}
	until := func(expression string) {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
			if is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && is {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("not after 2 minutes: %s", expression)
			}
		}
	}
	const playing = `[...document.querySelectorAll('.tile .loop')].filter((l) => l.style.backgroundImage.startsWith('url("blob:')).length >= 8`
	t.Logf("%d CPUs, %s", runtime.NumCPU(), runtime.Version())
	for round := range 3 {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(1366, 768), chromedp.Navigate("about:blank"), chromedp.Navigate(server.URL+"/")); err != nil {
			t.Fatal(err)
		}
		var b budgets
		until(measureShifts)
		until(playing)
		evaluate(measurePage, &b)
		until(measureScroll)
		until(`window.scrolled !== undefined`)
		evaluate(`JSON.stringify({ frame: window.scrolled })`, &b)
		t.Logf("round %d: first paint %.0f ms, %.0f KB without pictures, layout shift %.3f, a frame each %.0f ms while scrolling", round+1, b.Paint, b.Weight/1024, b.Shift, b.Frame)
	}
	for part := range 7 {
		if part > 0 && !pause.For(t.Context(), long/6) {
			t.Fatal("it was stopped")
		}
		var b budgets
		evaluate(measureHeap, &b)
		t.Logf("after %v: %.1f MB of JavaScript objects, %d elements", (long * time.Duration(part) / 6).Round(time.Second), b.Heap/1e6, b.Nodes)
	}
}

// simulate has cameras stream until the test ends, each with a clip in 2.4 s.
func simulate(t *testing.T, c *Console, many int) {
	t.Helper()
	var frames []topics.ClipFrame
	for n := range 8 {
		frames = append(frames, topics.ClipFrame{JPEG: frameOf(t, n)})
	}
	var all []cameras.Entry
	for n := range many {
		all = append(all, streaming(fmt.Sprintf("camera-%02d", n), []string{"ward", "yard", "gate"}[n%3]))
	}
	c.wall.setCameras(all)
	c.loops = newLoops(func(_ context.Context, at topics.RecordRef) (topics.Clip, error) {
		camera := all[at.Partition].Name
		return topics.Clip{ID: fmt.Sprintf("%s-%d", camera, at.Offset), Camera: camera, Width: 398, Height: 224, Frames: frames}, nil
	})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		clips := 0
		pause.Every(ctx, 2400*time.Millisecond/time.Duration(many), func() {
			value := float64(clips%37) / 37
			r := recognised(all[clips%many].Name, clips/many, topics.LabelScore{Label: "falling down", Contrast: value}, topics.LabelScore{Label: "climbing over a fence", Contrast: 1 - value})
			r.Clip.Partition = clips % many
			c.wall.setRecognition(r)
			clips++
		})
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
}

// frameOf is a picture as large as those of clips, in which something moves.
func frameOf(t *testing.T, n int) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 398, 224))
	for y := range 224 {
		for x := range 398 {
			picture.Set(x, y, color.RGBA{uint8(x / 2), uint8(y), uint8((x*y)>>6 + n*32), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

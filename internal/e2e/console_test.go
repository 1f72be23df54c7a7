package e2e

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/frostwatch/frostwatch/internal/shared"
)

// browser is a page in Chromium. What its console reports is an error of the test.
type browser struct {
	context.Context
	t *testing.T
}

func openBrowser(t *testing.T) browser {
	t.Helper()
	return openBrowserBut(t, func(string) bool { return false })
}

// openBrowserBut is one in which some messages of the console are what the test is about.
func openBrowserBut(t *testing.T, meant func(text string) bool) browser {
	t.Helper()
	const program = "chromium-headless-shell"
	need(t, program)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox)
	ctx, stopBrowser := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, stopPage := chromedp.NewContext(ctx)
	if err := chromedp.Do(ctx); err != nil {
		stopPage()
		stopBrowser()
		t.Fatalf("start %s: %v", program, err)
	}
	said := chromedp.Console(ctx)
	var reading sync.WaitGroup
	reading.Go(func() {
		for m, err := range said {
			if err != nil {
				return
			}
			if !meant(m.URL+" "+m.Text) && (m.IsException() || m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning) {
				t.Errorf("the browser's console: %s (%s)", m, m.URL)
			}
		}
	})
	t.Cleanup(func() {
		stopPage()
		stopBrowser()
		reading.Wait()
	})
	return browser{ctx, t}
}

func (b browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// until waits for an expression of the page to be true. Where it does not become so, the
// error has what the page shows instead.
func (b browser) until(what, expression string) {
	b.t.Helper()
	is := func() bool {
		is, err := chromedp.Run(b, chromedp.Evaluate[bool](expression))
		return err == nil && is
	}
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			b.shot("failed")
			page, err := chromedp.Run(b, chromedp.Evaluate[string](`location.href + '\n' + document.body.innerText`))
			b.t.Fatalf("waited a minute until %s; the page shows (%v):\n%.4000s", what, err, page)
		}
	}
}

// edit edits the table of cameras beside the page.
func (b browser) edit(args ...string) {
	b.t.Helper()
	if out, err := frostwatch(b.t, append([]string{"camera"}, args...)...); err != nil {
		b.t.Fatalf("%v: %s", err, out)
	}
}

// shot writes what is seen to the folder that FROSTWATCH_SCREENSHOTS names, for people.
func (b browser) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("FROSTWATCH_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// accessible reports what axe-core finds that keeps people from using what is shown: whoever
// does not see it, sees it badly or uses no mouse.
func (b browser) accessible(what string) {
	b.t.Helper()
	script, err := os.ReadFile(filepath.Join(shared.Root(b.t), ".tools", "axe.min.js"))
	if err != nil {
		shared.Missing(b.t, "axe-core (`make setup-test` fetches it)")
	}
	const run = `;window.axeFound = undefined; axe.run({ resultTypes: ['violations'] }).then((r) => {
		window.axeFound = r.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
			.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.html.slice(0, 200) + ' ' + n.failureSummary)).join('\n')
	}).catch((e) => { window.axeFound = String(e) }); true`
	b.until("axe-core runs", string(script)+run)
	b.until("axe-core has looked at "+what, `window.axeFound !== undefined`)
	found, err := chromedp.Run(b, chromedp.Evaluate[string](`window.axeFound`))
	if err != nil || found != "" {
		b.t.Errorf("%s: %v %s", what, err, found)
	}
}

// consoleShows looks at the console as people do: on a phone, a laptop and a wall.
func consoleShows(t *testing.T, data string, at addresses) {
	b := openBrowser(t)
	const playing = `[...document.querySelectorAll('.tile')].filter((t) => t.querySelector('.loop').style.backgroundImage.startsWith('url("blob:')).length`
	b.do("open the wall", chromedp.EmulateViewport(1366, 768), chromedp.Navigate("http://"+at.Console+"/"))
	b.until("ten cameras play", playing+" === 10")
	b.until("labels are shown with what a rule raises at", `document.querySelector('.tile .bars .tick:not([hidden])') !== null`)
	b.until("an open alert is named on its tile", `document.querySelector('.tile[data-severity]:not([data-severity=""]) .alarm:not([hidden])')?.textContent.length > 0`)
	b.until("the line counts cameras", `document.querySelector('[data-line-streaming]').textContent === '10 of 10 cameras streaming'`)
	b.shot("live-laptop")
	b.accessible("the wall")

	b.edit("add", "--data", data, "door", "rtsp://127.0.0.1:1/door")
	b.until("a camera that fails says why", `/waiting for .*refused/.test(document.querySelector('[data-camera=door] .state')?.textContent)`)
	b.edit("rm", "--data", data, "door")
	b.until("a camera that is removed is gone", `document.querySelector('[data-camera=door]') === null`)

	b.do("look on a phone", chromedp.EmulateViewport(320, 640), chromedp.Navigate("http://"+at.Console+"/cameras/corridor_fall"))
	b.until("a camera's page has its newest clip", `/Newest clip/.test(document.querySelector('[data-facts]').textContent) && `+playing+" === 1")
	// As after a restart, whose first event may come before the cameras are read.
	b.until("its camera goes away", `document.dispatchEvent(new CustomEvent('console:wall', { detail: { tiles: [] } }))`)
	b.until("its camera comes back", playing+" === 1")
	b.until("nothing is wider than the phone", `document.documentElement.scrollWidth <= 320`)
	b.shot("camera-phone")
	b.accessible("a camera's page")

	b.do("look at health on a wall", chromedp.EmulateViewport(2560, 1440), chromedp.Navigate("http://"+at.Console+"/health"))
	b.until("health names the stages", `['ingest', 'infer', 'alerts', 'notify'].every((s) => document.querySelector('main').textContent.includes(s))`)
	b.until("the last hour is drawn", `/^streaming \d+, of \d+$/.test(document.querySelector('[data-graph=streaming] [data-now]').textContent) && /clips\/s/.test(document.querySelector('[data-line-rate]').textContent)`)
	b.shot("health-wall")
	b.accessible("health")
}

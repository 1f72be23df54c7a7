package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// timelineShows goes from a camera to its past, to an alert there, and back.
func timelineShows(t *testing.T, at addresses) {
	b := openBrowser(t)
	b.do("open a camera", chromedp.EmulateViewport(1366, 900), chromedp.Navigate("http://"+at.Console+"/cameras/corridor_fall"))
	b.until("its last clips are listed", `document.querySelectorAll('[data-recent] a').length > 0`)
	b.until("its plot names what is watched", `/counts from/.test(document.querySelector('[data-keys]').textContent)`)
	b.until("its plot is drawn", `(() => { const c = document.querySelector('.plot canvas'); return c.width > 300 && new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size > 10; })()`)
	b.until("what it shows is noted", `(window.before = document.querySelector('.plot canvas').toDataURL()).length > 0`)
	b.until("it moves", `document.querySelector('.plot canvas').toDataURL() !== window.before`)
	b.shot("camera-laptop")
	b.accessible("a camera with its plot")

	b.do("open its timeline", chromedp.Click(".plot a"))
	b.until("it has a band for each label", `document.querySelectorAll('[data-bands] canvas').length > 0`)
	b.do("show ten minutes", chromedp.Click(`[data-span="600"]`))
	b.until("an alert is marked", `document.querySelector('[data-marks] a') !== null`)
	b.until("before anything was recorded it says so", `document.querySelector('[data-gaps] span') !== null && /no clip/.test(document.querySelector('[data-lists]').textContent)`)

	b.do("zoom", chromedp.Click(`[data-do="in"]`))
	b.until("half of it is shown", `/5 min/.test(document.querySelector('[data-range]').textContent) && new URLSearchParams(location.search).has('from')`)
	b.do("back", chromedp.NavigateBack())
	b.until("Back takes it back", `/10 min/.test(document.querySelector('[data-range]').textContent)`)

	// Onto the newest clips, as a mouse does.
	b.until("the mouse is over the bands", `(() => {
		const bands = document.querySelector('[data-bands]'), box = bands.getBoundingClientRect()
		bands.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: box.right - box.width / 50, clientY: box.top + 10 }))
		const img = document.querySelector('[data-strip]')
		return !img.hidden && img.naturalWidth > 300
	})()`)
	b.shot("timeline-laptop")
	b.accessible("the timeline")

	b.do("go to the alert by keyboard, from anywhere on the page", chromedp.KeyEvent("p"))
	b.until("it is the moment of the clip that raised it", `document.querySelector('[data-heights] .counts') !== null && /Alert: /.test(document.querySelector('[data-also]').textContent) && /alert: /.test(document.querySelector('[data-bands]').getAttribute('aria-valuetext'))`)
	b.until("the address has it", `new URLSearchParams(location.search).has('at')`)
	b.do("open it", chromedp.KeyEvent(kb.Enter))
	b.until("Review shows it", `location.pathname === '/review' && document.querySelector('[data-title]')?.textContent.length > 3`)
	b.click("and its moment", `[data-links] a[href^="/timeline"]`)
	b.until("the timeline is back at it", `location.pathname === '/timeline' && /Alert: /.test(document.querySelector('[data-also]')?.textContent)`)

	b.do("on a phone", chromedp.EmulateViewport(320, 640))
	b.until("nothing is wider than the phone", `document.documentElement.scrollWidth <= 320`)
	b.shot("timeline-phone")
	b.pinched()
	b.do("on a wall", chromedp.EmulateViewport(2560, 1440), chromedp.Click(`[data-span="2419200"]`))
	b.until("four weeks are read", `/28 days/.test(document.querySelector('[data-range]').textContent) && document.querySelector('[data-gaps] span')?.offsetWidth > 1000`)
	b.shot("timeline-wall")
}

// pinched zooms by two fingers and moves by one, as on a phone.
func (b browser) pinched() {
	b.t.Helper()
	const seconds = `(() => { const a = new URLSearchParams(location.search); return (new Date(a.get('to')) - new Date(a.get('from'))) / 1000 })()`
	b.useFingers(true)
	defer b.useFingers(false)
	b.do("show an hour", chromedp.Click(`[data-span="3600"]`))
	box, err := chromedp.Run(b, chromedp.Evaluate[[]float64](`(() => { const at = document.querySelector('[data-bands]'); at.scrollIntoView({ block: 'center' }); const r = at.getBoundingClientRect(); return [r.left, r.top + 8, r.width] })()`))
	if err != nil {
		b.t.Fatal(err)
	}
	x := func(part float64) [2]float64 { return [2]float64{box[0] + part*box[2], box[1]} }
	b.touch(fingers{x(.4), x(.6)}, fingers{x(.3), x(.7)}, fingers{x(.2), x(.8)})
	b.until("twenty minutes are shown, a third", `(window.pinched = `+seconds+`) > 1100 && window.pinched < 1300`)
	b.until("where they begin is noted", `(window.begun = new Date(new URLSearchParams(location.search).get('from')), true)`)
	b.touch(fingers{x(.3)}, fingers{x(.5)}, fingers{x(.8)})
	b.until("what was before is shown, as long", `(() => { const by = (window.begun - new Date(new URLSearchParams(location.search).get('from'))) / 1000; return by > 500 && by < 700 && Math.abs(`+seconds+` - window.pinched) < 2 })()`)
}

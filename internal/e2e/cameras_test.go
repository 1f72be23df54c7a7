package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// press clicks what is scrolled into the middle: the line at the bottom covers what is there.
func (b browser) press(what, selector string) {
	b.t.Helper()
	b.until(what+" is there", fmt.Sprintf(`(() => { const at = document.querySelector(%q); at?.scrollIntoView({ block: 'center' }); return Boolean(at) })()`, selector))
	b.click(what, selector)
}

// click clicks what is there. A page that draws anew may put another element in its place
// between the look and the click.
func (b browser) click(what, selector string) {
	b.t.Helper()
	const gone = "Could not find node with given id"
	err := chromedp.Do(b, chromedp.Click(selector))
	for range 5 {
		if err == nil || !strings.Contains(err.Error(), gone) {
			break
		}
		err = chromedp.Do(b, chromedp.Click(selector))
	}
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// still is where the picture is on which is drawn: left, top, width, height.
func (b browser) still() []float64 {
	b.t.Helper()
	box, err := chromedp.Run(b, chromedp.Evaluate[[]float64](`(() => {
		const at = document.querySelector('[data-draw]')
		at.scrollIntoView({ block: 'center' })
		const r = at.getBoundingClientRect()
		return [r.left, r.top, r.width, r.height]
	})()`))
	if err != nil {
		b.t.Fatal(err)
	}
	return box
}

// spread is how much the red of the newest clip's first picture differs within a part of it;
// a mask has one colour.
const spread = `(() => {
	fetch('/api/v1/cameras/hall/loop').then((r) => r.blob()).then(createImageBitmap).then((image) => {
		const c = document.createElement('canvas')
		const h = image.height / 8
		c.width = image.width
		c.height = h
		const d = c.getContext('2d')
		d.drawImage(image, 0, 0)
		const px = d.getImageData(c.width * .25, h * .06, c.width * .2, h * .2).data.filter((_, i) => i % 4 === 0)
		window.spread = Math.max(...px) - Math.min(...px)
	}).catch(() => {})
	return window.spread ?? -1
})()`

// zoneByFinger draws a zone by finger: a corner that is touched beside its middle moves, and
// the page stays where it is. Nothing is saved.
func (b browser) zoneByFinger() {
	b.t.Helper()
	b.useFingers(true)
	defer b.useFingers(false)
	b.press("draw a zone", "[data-new=zone]")
	box := b.still()
	at := func(x, y float64) [2]float64 { return [2]float64{box[0] + x*box[2], box[1] + y*box[3]} }
	b.until("where the page is is noted", `(window.scrolled = scrollY, true)`)
	for _, c := range [][2]float64{{.2, .2}, {.8, .2}, {.8, .6}} {
		b.touch(fingers{at(c[0], c[1])})
	}
	b.until("three corners are drawn", `document.querySelectorAll('[data-corner]').length === 3`)
	beside := at(.8, .6)
	b.touch(fingers{{beside[0] - 12, beside[1] + 12}}, fingers{at(.5, .7)}, fingers{at(.5, .9)})
	b.until("it is where the finger was, and the page has not moved", `/, 50% from the left, (89|90|91)% from the top$/.test(document.querySelector('[data-corner="2"]')?.getAttribute('aria-label')) && document.querySelectorAll('[data-corner]').length === 3 && scrollY === window.scrolled`)
	b.shot("cameras-zone-finger")
	b.press("take it back", "[data-undo]")
}

// consoleEdits adds a camera by its address, masks it, disables it and removes it, as an
// admin does.
func consoleEdits(t *testing.T, data string, at addresses) {
	b := openBrowser(t)
	home := "http://" + at.Console
	b.do("open cameras", chromedp.EmulateViewport(1366, 768), chromedp.Navigate(home+"/cameras"))
	b.until("the demo's cameras are listed", `document.querySelectorAll('[data-rows] tr[data-state=streaming]').length > 0`)
	b.until("with what they are", `/h264, 640×360/.test(document.querySelector('[data-camera=corridor_fall] .stream').textContent)`)
	b.accessible("cameras")

	lines := fmt.Sprintf("rtsp://viewer:hunter2@%s/no-such\nhall rtsp://%s/corridor_fall", at.RTSP, at.RTSP)
	b.do("paste two addresses", chromedp.Click(".tools [data-open=add]"), chromedp.SetValue("[name=lines]", lines), chromedp.Click("[data-add-form] [type=submit]"))
	b.until("one has a reason", `/What is wrong: path.*no stream at this path/.test(document.querySelector('.tries li:nth-child(1) .wrong')?.textContent)`)
	b.until("one has a picture, and what it is", `document.querySelector('.tries li:nth-child(2) img')?.naturalWidth === 640 && /h264, 640×360/.test(document.querySelector('.tries li:nth-child(2)').textContent)`)
	b.until("no password is shown", `!document.querySelector('[data-tries]').textContent.includes('hunter2')`)
	b.shot("cameras-add")
	b.accessible("what was tried")
	b.press("add it", ".tries li:nth-child(2) [type=submit]")
	b.until("it is on the table", `document.querySelector('[data-rows] [data-camera=hall]') !== null`)
	b.do("look at the wall", chromedp.Navigate(home+"/"))
	b.until("it streams on the wall", `document.querySelector('[data-camera=hall][data-state=streaming] .loop')?.style.backgroundImage.startsWith('url("blob:')`)
	b.until("part of its picture has many colours", spread+" > 30")

	b.do("edit it", chromedp.Navigate(home+"/cameras/hall/edit"))
	b.until("its newest picture is there", `document.querySelector('[data-still]').width > 100 && document.querySelector('[name=url]').value.endsWith('/corridor_fall')`)
	b.until("what its stream did is there", `/streaming/.test(document.querySelector('[data-past]').textContent)`)
	b.press("draw a mask", "[data-new=mask]")
	box := b.still()
	for _, c := range [][2]float64{{.1, .02}, {.6, .02}, {.6, .5}} {
		b.do("click a corner", chromedp.MouseClickXY(box[0]+c[0]*box[2], box[1]+c[1]*box[3]))
	}
	b.until("three corners are drawn", `document.querySelectorAll('[data-corner]').length === 3`)
	b.keys("a")
	b.until("a key adds one", `document.querySelectorAll('[data-corner]').length === 4 && document.activeElement.dataset.corner === '3'`)
	for range 10 {
		b.do("move it", chromedp.KeyEvent(kb.ArrowDown, chromedp.KeyModifiers(kb.ModifierShift)), chromedp.KeyEvent(kb.ArrowLeft, chromedp.KeyModifiers(kb.ModifierShift)))
	}
	b.until("arrows move it to the edge", `/^Corner 4 of mask 1, 0% from the left, [67]\d% from the top$/.test(document.activeElement.getAttribute('aria-label'))`)
	b.keys(kb.Enter)
	b.shot("cameras-mask")
	b.accessible("a camera's settings")
	b.press("save it", "[data-save-areas]")
	b.until("it is saved", `document.querySelector('[data-said]').textContent.startsWith('Saved')`)
	b.until("new clips are masked", spread+" >= 0 && window.spread < 20")
	b.do("look on a phone", chromedp.EmulateViewport(320, 640), chromedp.Navigate(home+"/cameras/hall/edit"))
	b.until("the mask is drawn, and nothing is wider than the phone", `document.querySelector('polygon.mask') !== null && document.documentElement.scrollWidth <= 320`)
	b.shot("cameras-edit-phone")
	b.zoneByFinger()
	b.do("look at the table on a phone", chromedp.Navigate(home+"/cameras"))
	b.until("nothing is wider than the phone", `document.querySelector('[data-camera=hall] .able') !== null && document.documentElement.scrollWidth <= 320`)
	b.shot("cameras-phone")

	b.do("look on a laptop", chromedp.EmulateViewport(1366, 768))
	b.foundOnTheNetwork(onvifDevice(t, "rtsp://"+at.RTSP+"/corridor_fall"))
	b.press("disable it", "[data-camera=hall] .able")
	b.until("it is disabled", `document.querySelector('[data-camera=hall] .state').textContent === 'disabled' && document.querySelector('[data-camera=hall] .able').textContent === 'Enable'`)
	b.until("nobody misses it", `/^(\d+) of \1 cameras streaming$/.test(document.querySelector('[data-line-streaming]').textContent)`)
	b.shot("cameras-table")
	b.press("remove it", "[data-camera=hall] .gone")
	b.until("it asks", `document.querySelector('[data-sure]').open`)
	b.do("yes", chromedp.Click("[data-yes]"))
	b.until("it is gone", `document.querySelector('[data-camera=hall]') === null`)
	if out, err := frostwatch(t, "camera", "ls", "--data", data); err != nil || strings.Contains(out, "hall ") {
		t.Errorf("%v: %s", err, out)
	}
}

// foundOnTheNetwork finds a device at an address, tries its stream and adds it.
func (b browser) foundOnTheNetwork(device string) {
	b.t.Helper()
	b.press("look on the network", ".tools [data-open=find]")
	b.do("ask the device", chromedp.SetValue("[data-find-form] [name=at]", device), chromedp.SetValue("[data-find-form] [name=user]", "viewer"), chromedp.SetValue("[data-find-form] [name=password]", "hunter2"), chromedp.Click("[data-find-form] [type=submit]"))
	b.until("it is found, with its stream", `/127\.0\.0\.1 Gate West/.test(document.querySelector('[data-devices]').textContent) && /First: h264, 640×360/i.test(document.querySelector('[data-devices]').textContent)`)
	b.press("try it", "[data-devices] button")
	b.until("it has a picture", `document.querySelector('[data-devices] img')?.naturalWidth === 640`)
	b.shot("cameras-found")
	b.press("add it", "[data-devices] [type=submit]")
	b.until("it is on the table", `document.querySelector('[data-rows] [data-camera="gate-west"]') !== null`)
	b.press("remove it", `[data-camera="gate-west"] .gone`)
	b.until("it asks", `document.querySelector('[data-sure]').open`)
	b.do("yes", chromedp.Click("[data-yes]"))
	b.until("it is gone", `document.querySelector('[data-camera="gate-west"]') === null`)
	b.do("close the panel", chromedp.Click("[data-find] [data-close]"))
}

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/frostwatch/frostwatch/topics"
)

// wordsAreWatchedFor types words into the box of the console, looks at what the last day has
// of them, and watches for them.
func wordsAreWatchedFor(t *testing.T, data string, at addresses) {
	const label, rule = "somebody sitting on a chair", "somebody-sitting-on-a-chair"
	b := openBrowser(t)
	b.do("open the wall", chromedp.EmulateViewport(1366, 900), chromedp.Navigate("http://"+at.Console+"/"))
	b.until("the box is there", `document.querySelector('[data-box] input') !== null && document.querySelectorAll('.tile').length === 10`)
	b.do("go to the box", chromedp.KeyEvent("/"))
	b.until("the box has the focus", `document.activeElement.matches('[data-box] input')`)
	// The protocol types the stroke that a page has taken as a key.
	b.do("type", chromedp.KeyEvent("a", chromedp.KeyModifiers(kb.ModifierCtrl)), chromedp.KeyEvent(label))
	b.until("the nearest clips are those of the office, with pictures", `document.querySelector('#box-found .clip-found .camera')?.textContent === 'office_sit' && document.querySelector('#box-found .clip-found img')?.naturalWidth > 0`)
	b.shot("box")
	b.accessible("the box")

	b.do("watch for this", chromedp.Click("[data-box-watch]"))
	b.until("the last day is read", `/would have raised/.test(document.querySelector('.verdict')?.textContent) && !document.querySelector('[data-watch]').hidden`)
	b.until("each camera is judged", `document.querySelectorAll('[data-trial] tbody tr').length === 10`)
	b.shot("words-try")
	b.accessible("a word that is tried")
	b.do("choose the office alone", chromedp.Click(`[data-cameras] input[value=""]`), chromedp.Click(`[data-cameras] input[value="office_sit"]`), chromedp.Click("[data-arm]"))
	b.until("it says so", `/watches 1 of 10 cameras: office_sit/.test(document.querySelector('[data-told]').textContent)`)
	b.until("the word is in the table, with its rule", fmt.Sprintf(`[...document.querySelectorAll('.vocabulary tbody')].some((r) => r.word?.label === %q && r.textContent.includes(%q))`, label, rule))
	raised := func(state topics.AlertState) bool {
		all, _ := kcatAlerts(t, at.Kafka)
		for _, a := range all {
			if a.Rule == rule && a.State == state && a.Camera == "office_sit" {
				return true
			}
		}
		return false
	}
	await(t, "the alert", time.Minute, func() bool { return raised(topics.AlertRaised) })

	b.do("remove the word", chromedp.Click("tbody.open [data-remove]"), chromedp.Click("tbody.open [data-remove]"))
	b.until("it is gone, and the rule that names it is named", `/rule `+rule+` names/.test(document.querySelector('[data-told]').textContent)`)
	b.do("look at the history", chromedp.Click("[data-past] summary"))
	b.until("the history has both edits", `document.querySelectorAll('.edits .gone').length > 0 && document.querySelectorAll('.edits .new').length > 0`)
	if out, err := frostwatch(t, "rule", "rm", rule, "--data", data); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	await(t, "the clear", time.Minute, func() bool { return raised(topics.AlertCleared) })

	wordsAreSearchedFor(b, at)
}

// wordsAreSearchedFor searches, looks at a clip, and at what is like it.
func wordsAreSearchedFor(b browser, at addresses) {
	b.do("search", chromedp.Navigate("http://"+at.Console+"/search?text=two+people+fighting"))
	b.until("the fight is found", `document.querySelector('.results .clip-found .camera')?.textContent === 'street_fight'`)
	b.accessible("search")
	b.do("look at it", chromedp.Click(".results .clip-found"))
	b.until("its clip plays", `document.querySelector('[data-moment]').open && document.querySelector('[data-moment] .loop').style.backgroundImage !== ''`)
	b.shot("search-clip")
	b.accessible("a clip")
	b.do("more like this", chromedp.Click(`[data-links] a`))
	b.until("what is like it is found", `location.search.startsWith('?like=street_fight') && document.querySelector('.results .clip-found .camera')?.textContent === 'street_fight' && /similarity 1\.00/.test(document.querySelector('.results .near').textContent)`)
	b.do("on a phone", chromedp.EmulateViewport(320, 640), chromedp.Navigate("http://"+at.Console+"/words?word=walking"))
	b.until("a word is open on it, and nothing is wider", `document.querySelector('tbody.open .editor') !== null && document.documentElement.scrollWidth <= 320`)
	b.until("the alerts of the week are counted", `/\d+ (true|false|unmarked)/.test(document.querySelector('.vocabulary a[href*="label=falling"]')?.textContent)`)
	b.do("close it", chromedp.KeyEvent(kb.Escape))
	b.until("it is closed, and its row has the focus", `document.querySelector('.editor') === null && document.activeElement.textContent === 'walking' && !location.search.includes('word')`)
}

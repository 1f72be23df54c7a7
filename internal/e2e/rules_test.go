package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// rulesAreEdited changes a rule on the page: it is refused with words, tried on the past,
// saved, in force, and taken back.
func rulesAreEdited(t *testing.T, data string, at addresses) {
	if out, err := frostwatch(t, "rule", "add", "paged", "--data", data, "--action", "falling down", "--contrast", "0.9", "--by", "ana"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b := openBrowser(t)
	said := func(part, text string) string {
		return `document.querySelector('[data-` + part + `]')?.textContent.includes(` + "`" + text + "`)"
	}
	b.do("open a rule", chromedp.EmulateViewport(1366, 1000), chromedp.Navigate("http://"+at.Console+"/rules?rule=paged"))
	b.until("it is said as people do", said("plain", `Tell every receiver when "falling down" is seen on any camera, from contrast 0.9.`))
	b.until("rules of the file are read-only", said("list", "of pipeline.yaml, read-only here"))
	b.until("its state is listed by camera", `document.querySelectorAll('[data-cameras] tbody tr').length === 10`)
	set := func(name, value string) {
		b.until("set "+name, `(() => { const at = document.querySelector('[data-sentence]').elements['`+name+`']; at.value = '`+value+`'; at.dispatchEvent(new Event('change', { bubbles: true })); return true })()`)
	}
	b.until("a year of its alerts is read", `document.querySelectorAll('.card .strip').length > 0 && [...document.querySelectorAll('.card .strip')].every((s) => s.children.length === 52 && !s.querySelector('.unread'))`)
	set("actions", "faling down")
	b.until("what nothing has is named", `/no such label: faling down \(there is falling down\)/.test(document.querySelector('#unknown-actions')?.textContent)`)
	set("actions", "falling down")
	b.until("it is no more", `document.querySelector('#unknown-actions') === null`)
	b.do("go to the labels", chromedp.Focus("[data-sentence] [name=actions]"))
	b.until("labels are offered", `document.querySelectorAll('#offers-actions option').length > 0`)
	set("n", "5")
	b.until("a broken one is refused with what is allowed", said("message", "clips: 5 of 1: want N of M with 1 ≤ N ≤ M"))
	set("n", "1")
	set("contrast", "0.05")
	b.until("the change is in the text", `document.querySelector('[data-text]').value.includes('raise: 0.05')`)
	b.do("type one part after the other", chromedp.Click("[data-sentence] [name=actions]"), chromedp.KeyEvent(kb.End), chromedp.KeyEvent(", two people fighting"), chromedp.KeyEvent(kb.Tab),
		chromedp.KeyEvent("corridor_*, street_fight"), chromedp.KeyEvent(kb.Enter))
	b.until("no part is lost to the answer about another", said("plain", `when "falling down" or "two people fighting" is seen on corridor_* or street_fight`))
	b.do("try it", chromedp.Click("[data-try]"))
	b.until("the past is replayed", said("tried-said", "it would have raised"))
	// Again, until the past has an alert.
	b.until("alerts of the past are listed", `document.querySelector('[data-tried] li') !== null || (document.querySelector('[data-tried] button') === null && document.querySelector('[data-try]').click(), false)`)
	b.shot("rules-laptop")
	b.accessible("the rules")
	b.do("save it", chromedp.Click("[data-save]"))
	b.until("it is in force", said("message", "Rule paged changed: in force in 1 of 1 alerts worker"))
	if out, err := frostwatch(t, "rule", "show", "paged", "--data", data); err != nil || !strings.Contains(out, "contrast from 0.05") {
		t.Errorf("%v: %s", err, out)
	}
	b.do("compare with the past", chromedp.Click("[data-past]"))
	b.until("the threshold is on the plot", `document.querySelector('.plot .raise') !== null`)
	b.until("choose a moment", `(document.querySelector('[data-explain]').elements.at.value = new Date(Date.now() - 10000 - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 19), true)`)
	b.do("explain a moment", chromedp.Click("[data-explain] button"))
	b.until("each rule says why", said("explained", "paged"))
	b.do("look on a phone", chromedp.EmulateViewport(320, 640))
	b.until("nothing is wider than the phone", `document.documentElement.scrollWidth <= 320`)
	b.shot("rules-phone")
	b.do("look on a laptop", chromedp.EmulateViewport(1366, 1000))
	b.until("take it back", `(window.confirm = () => true, document.querySelector('[data-history] button').click(), true)`)
	b.until("it is as it was", said("plain", "from contrast 0.9."))
	b.do("remove it", chromedp.Click("[data-remove]"))
	b.until("it is gone, and can be brought back", said("told", "Rule paged is removed.")+` && document.querySelector('[data-rule]').hidden`)
	b.do("bring it back", chromedp.Click("[data-told] button"))
	b.until("it is back", said("told", "Rule paged is back: in force in 1 of 1 alerts worker")+` && `+said("plain", "from contrast 0.9."))
	b.do("look at all edits", chromedp.Click("[data-all-edits] summary"))
	b.until("its removal is among them", said("all-edits-list", "paged removed"))
	if out, err := frostwatch(t, "rule", "rm", "paged", "--data", data); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// The list of rules. The one that is looked at is part of the page's address.
import { Rule } from './rule.js'
import { ask, element } from './ask.js'
import { edits } from './ruleedits.js'
import { say } from './said.js'
import { ago } from './words.js'

const at = (name) => document.querySelector(`[data-${name}]`)
const every = 10_000
const week = 7 * 864e5
let counts = null
let all = []

const me = await ask('/api/v1/me').catch(() => ({ role: 'viewer' }))
const admin = me.role === 'admin'
const rule = new Rule(at('rule'), admin, async (name, gone) => {
  await list()
  await open(name)
  if (at('all-edits').open) past()
  if (gone) say(at('told'), `Rule ${gone.rule} is removed.`, ['Undo', () => putBack(gone)])
})
at('new').hidden = !admin

const chosen = () => new URLSearchParams(location.search).get('rule') ?? ''

function card(r) {
  const link = element('a', { href: '?rule=' + encodeURIComponent(r.rule) }, element('strong', {}, r.rule))
  link.addEventListener('click', (e) => {
    e.preventDefault()
    open(r.rule)
  })
  const said = element('p', {}, ...r.sentence.map((p) => p.field ? element('em', {}, p.text) : p.text))
  link.append(said)
  const states = Object.entries(r.states).map(([s, n]) => `${s} on ${n}`).join(', ')
  const facts = [r.from === 'file' ? 'of pipeline.yaml, read-only here' : '', r.severity, states || (r.skipped ? '' : 'watches no camera'), r.edited_at ? `edited ${ago(r.edited_at)} ago${r.by ? ' by ' + r.by : ''}` : '']
  const out = element('li', { class: 'card' + (chosen() === r.rule ? ' chosen' : '') }, link, element('p', { class: 'faint' }, facts.filter(Boolean).join(' · ')))
  for (const wrong of [r.skipped && 'Not in force: ' + r.skipped, r.no_effect && 'Without full effect: ' + r.no_effect, ...(r.skipped_by ?? [])]) if (wrong) out.append(element('p', { class: 'warn' }, wrong))
  const d = counts?.rules[r.rule]
  if (d) out.append(strip(d), element('p', { class: 'faint' }, d.week ? `this week ${d.week}: ${d.true} true, ${d.false} false, ${d.unmarked} not marked` : 'no alert this week'))
  return out
}

/** A cell for each week of a year. */
function strip(d) {
  const most = Math.max(...d.weeks, 1)
  const [today, from] = [new Date(counts.today), new Date(counts.from)]
  const date = (t) => new Date(t).toLocaleDateString([], { timeZone: 'UTC' })
  let read = 0
  const cells = d.weeks.map((n, i) => {
    const last = today - (d.weeks.length - 1 - i) * week
    const known = last - 6 * 864e5 >= from
    if (known) read++
    return element('span', { class: !known ? 'unread' : n === 0 ? '' : n > most / 2 ? 'many' : 'some', title: `${date(last - 6 * 864e5)} to ${date(last)}: ${known ? n : counts.whole ? 'not kept any more' : 'not read yet'}` })
  })
  const all = d.weeks.reduce((a, b) => a + b, 0)
  return element('div', { class: 'strip', role: 'img', 'aria-label': `Alerts of the last ${read} weeks: ${all}` }, ...cells)
}

function show() {
  // What has the focus keeps it.
  const focus = document.activeElement?.closest('.card')?.querySelector('a')?.href
  at('list').replaceChildren(...all.map(card))
  if (focus) [...at('list').querySelectorAll('a')].find((a) => a.href === focus)?.focus()
  at('empty').hidden = all.length > 0
}

async function list() {
  try {
    const data = await ask('/api/v1/rules')
    all = data.rules
    const now = data.workers.filter((w) => w.current).length
    const force = data.workers.length ? `in force in ${now} of ${data.workers.length} alerts workers` : 'no alerts worker has reported itself'
    at('count').textContent = `${all.length} ${all.length === 1 ? 'rule' : 'rules'}, ${force}`
    at('fault').hidden = !data.fault
    at('fault').textContent = data.fault ?? ''
    show()
  } catch (e) {
    at('count').textContent = `The rules can't be read: ${e.message}`
  }
}

async function count() {
  let soon = 60_000
  try {
    if (!document.hidden && !document.body.classList.contains('lost')) {
      counts = await ask('/api/v1/rulebook/alerts')
      show()
      if (!counts.whole && !counts.fault) soon = 1000
    }
  } catch {
    // The strips stay as they are.
  }
  setTimeout(count, soon)
}

function open(name, back) {
  if (!rule.leave()) return
  if (!back && chosen() !== name) history.pushState(null, '', name ? '?rule=' + encodeURIComponent(name) : location.pathname)
  show()
  if (name) return rule.open(name)
  rule.hide()
}

async function putBack({ rule: name, text }) {
  try {
    const done = await ask('/api/v1/rules/' + encodeURIComponent(name), { method: 'PUT', body: { text, base: '', new: true } })
    say(at('told'), `Rule ${name} is back: ${done.in_force}.`)
    await list()
    open(name)
  } catch (e) {
    say(at('told'), `Rule ${name} is not put back: ${e.message}`)
  }
}

/** The edits of all rules in Redis, also of those that are gone. */
const past = () => edits(at('all-edits-list'), '', admin && (async (version) => {
  const done = await rule.restore(version)
  if (done) say(at('told'), `Rules restored: ${done.in_force}.`)
}))
at('all-edits').addEventListener('toggle', () => { if (at('all-edits').open) past() })

at('new').addEventListener('click', () => {
  if (!rule.leave()) return
  history.pushState(null, '', location.pathname)
  show()
  rule.create()
})
addEventListener('popstate', () => open(chosen(), true))
document.addEventListener('console:found', list)
setInterval(() => { if (!document.hidden && !document.body.classList.contains('lost')) list() }, every)

await list()
if (chosen()) open(chosen(), true)
count()

// Review: the alerts to decide at the left, the one that is looked at on the right.
import { Calendar } from './calendar.js'
import { Case } from './case.js'
import { fill, filters, forServer, write } from './filters.js'
import { Rows } from './rows.js'
import { say as sayIn } from './said.js'
import { clock } from './words.js'

const find = (name) => document.querySelector(`[data-${name}]`)
const said = find('said')
const help = find('help')
const pageSize = 100
const { decides, limited } = find('list').dataset // who looks may decide; sees some cameras only

let wanted = filters() // what the address says
let next = '' // cursor of the older alerts
let day = null // what became of the last day's
let left = 0
let fresh = 0 // alerts that came above what is seen
const hidden = new Set() // decided here: a list that was asked for before may still have them
const undo = [] // {token: Promise, items}
let work = Promise.resolve() // decisions are sent one after the other
let asked = 0 // the newest list that was asked for

const rows = new Rows(find('list'), find('rows'), (item) => look(item), decides !== undefined)
const shown = new Case(find('case'), (item) => away(item))
new Calendar(find('calendar'), (from, to) => change({ from, to }))

async function api(path, body) {
  const options = body ? { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : {}
  const answer = await fetch('/api/v1' + path, options)
  const data = await answer.json().catch(() => ({}))
  if (!answer.ok) throw Object.assign(new Error(data.detail ?? answer.statusText), { status: answer.status })
  return data
}

const path = (item, what) => `/alerts/${encodeURIComponent(item.alert_id)}${what}`

// ---- the list

async function ask(cursor) {
  const query = forServer(wanted)
  query.set('limit', pageSize)
  if (cursor) query.set('cursor', cursor)
  return api('/alerts?' + query)
}

/** Reads the list anew: all of it, or what has changed at its top. */
async function read(anew) {
  const mine = ++asked
  if (anew) {
    rows.clear()
    hidden.clear()
    fresh = 0
    find('count').textContent = 'Loading'
    find('empty').hidden = true
    find('more').hidden = true
  }
  try {
    const list = await ask()
    if (mine !== asked) return
    const items = list.alerts.filter((a) => !hidden.has(a.alert_id))
    if (anew) next = list.next ?? ''
    fresh += rows.merge(items, !list.next || list.alerts.length === 0, anew)
    took(list)
    if (anew) await begin()
    else if (rows.current) shown.renew(rows.current)
  } catch (e) {
    if (mine === asked) failed(e)
  }
  if (anew || !rows.current) settle()
}

function took(list) {
  day = list.day
  left = list.left
  const notes = [list.fault && `Alerts may be missing: ${list.fault}.`, list.more && 'Of a day with very many alerts only the newest are listed.'].filter(Boolean)
  if (notes.length) say(notes.join(' '))
  counts()
}

function failed(e) {
  find('count').textContent = ''
  if (rows.size) return say(`The list can't be read: ${e.message}`)
  const empty = find('empty')
  empty.hidden = false
  empty.textContent = e.status ? `The alerts can't be read: ${e.message}` : 'The console does not answer. The list comes back by itself.'
}

/** Chooses what the address names, or the newest. */
async function begin() {
  const id = wanted.alert
  if (id && !rows.get(id)) {
    try {
      const item = await api(path({ alert_id: id }, ''))
      if (wanted.alert === id) return look(item)
    } catch (e) {
      say(e.status === 404 ? 'The alert that the address names is not kept any more.' : `The alert can't be read: ${e.message}`)
    }
  }
  rows.choose(rows.get(id) ?? rows.first)
}

function look(item) {
  if (!item) return settle()
  shown.show(item)
  // One about several cameras would silence others too.
  const quiet = document.querySelector('[data-do=silence]')
  if (quiet) quiet.hidden = limited !== undefined && Boolean(item.cameras)
  if (wanted.alert !== item.alert_id) {
    wanted.alert = item.alert_id
    write(wanted, true)
  }
}

/** What was looked at is not there any more for who looks. */
function away(item) {
  if (shown.item?.alert_id !== item.alert_id) return
  const to = rows.after([item])
  rows.remove([item])
  shown.hide()
  say('The alert is not shown to you any more.')
  if (to) rows.choose(to)
  else settle()
}

/** Says what there is where nothing is left to look at. */
function settle() {
  counts()
  const empty = find('empty')
  empty.hidden = rows.size > 0
  find('more').hidden = !next
  if (rows.size > 0 || !day) return
  if (!rows.current) {
    shown.hide()
    if (wanted.alert && !rows.size) { delete wanted.alert; write(wanted, true) }
  }
  const all = (n, one) => `${n} ${n === 1 ? one : one + 's'}`
  let text = 'No alert is like this.'
  if (wanted.marked === 'unmarked' && !next) {
    text = day.alerts === 0 ? 'Nothing to review: the last day had no alerts.' : `Nothing is left. The last day had ${all(day.alerts, 'alert')}: ${day.true} true, ${day.false} false, ${day.later} for later; most of them on ${day.most} (${day.most_alerts}).`
    if (left > 0) text = `${all(left, 'alert')} of the last day ${left === 1 ? 'is' : 'are'} left, but none here.`
  } else if (next) text = 'None of these so far: older ones can be looked through.'
  empty.textContent = text
  if (narrowed()) empty.append(' ', whole())
}

/** What of the filters leaves alerts out. */
const narrowed = () => ['text', 'camera', 'rule', 'label', 'severity', 'state', 'tag', 'from', 'to'].some((f) => wanted[f])

/** The way back to all that is to be judged. */
function whole() {
  const button = document.createElement('button')
  Object.assign(button, { type: 'button', textContent: 'Show all', onclick: () => { change({ text: '', camera: '', rule: '', label: '', severity: '', state: '', tag: '', from: '', to: '' }); find('list').focus() } })
  return button
}

function counts() {
  const more = next ? 'more than ' : ''
  find('count').textContent = rows.selected.size > 1 ? `${rows.selected.size} chosen` : `${more}${rows.size} listed, ${left} left of the last day`
  if (!rows.size || find('rows').scrollTop === 0) fresh = 0
  const button = find('new')
  button.hidden = fresh === 0
  button.textContent = fresh === 1 ? '1 new alert' : `${fresh} new alerts`
}

async function older() {
  const cursor = next
  if (!cursor) return
  find('more').disabled = true
  try {
    const list = await ask(cursor)
    if (cursor !== next) return
    next = list.next ?? ''
    rows.append(list.alerts.filter((a) => !hidden.has(a.alert_id)))
    took(list)
    if (!rows.current) rows.choose(rows.first)
  } catch (e) {
    say(`Older alerts can't be read: ${e.message}`)
  } finally {
    find('more').disabled = false
  }
  settle()
}

function change(by) {
  Object.assign(wanted, by)
  delete wanted.alert
  write(wanted, false)
  fill(find('filters'), wanted)
  when()
  read(true)
}

function when() {
  const date = (t) => new Date(t).toLocaleDateString([], { day: 'numeric', month: 'short' })
  find('when').textContent = wanted.from ? date(wanted.from) : 'Last day'
}

// ---- decisions

const say = (text) => sayIn(said, text)
const words = { true: 'true', false: 'false', later: 'for later' }

const named = (items) => (items.length === 1 ? `${items[0].about} on ${items[0].camera}` : `${items.length} alerts`)

/** Says something of what is chosen, and moves on at once. */
function decide(mark) {
  const items = rows.selected.size > 1 ? rows.chosen() : [shown.item].filter(Boolean)
  if (!items.length) return
  const stays = wanted.marked === '' || wanted.marked === mark
  const to = rows.after(items)
  for (const item of items) if (!stays) hidden.add(item.alert_id)
  if (stays) rows.select([])
  else rows.remove(items)
  const one = { items, token: null }
  undo.push(one)
  if (undo.length > 100) undo.shift()
  say(`${named(items)}: ${words[mark]}`)
  one.token = work = work.then(() => send(items, mark)).catch((e) => {
    back(items)
    say(`Not recorded: ${e.message}`)
    return []
  })
  if (to) rows.choose(to)
  else if (!stays) { shown.hide(); next ? older() : settle() }
  counts()
}

async function send(items, mark) {
  const tokens = []
  for (let i = 0; i < items.length; i += 500) {
    const some = items.slice(i, i + 500)
    const done = some.length === 1 ? await api(path(some[0], '/mark'), { mark }) : await api('/alerts/marks', { mark, alerts: some.map((a) => a.alert_id) })
    if (done.decision) tokens.push(done.decision)
    left = done.left
    const failed = new Map((done.failed ?? []).map((f) => [f.alert_id, f.reason]))
    if (failed.size) {
      back(some.filter((a) => failed.has(a.alert_id)))
      say(`Not recorded of ${failed.size}: ${[...failed.values()][0]}`)
    }
  }
  if (!rows.size) settle()
  else counts()
  return tokens
}

/** Lists alerts again that were taken from the list. */
function back(items) {
  for (const item of items) hidden.delete(item.alert_id)
  rows.insert(items)
  if (items.length) rows.choose(rows.get(items[0].alert_id) ?? items[0])
  settle()
}

function takeBack() {
  const one = undo.pop()
  if (!one) return say('Nothing was decided here since the page was opened.')
  work = one.token.then((tokens) => Promise.all(tokens.map((t) => api(`/decisions/${t}/undo`, {})))).then((all) => {
    if (!all.length) return
    left = all.at(-1).left
    const kept = new Map(all.flatMap((d) => d.failed ?? []).map((f) => [f.alert_id, f.reason]))
    back(one.items.filter((a) => !kept.has(a.alert_id)))
    say(kept.size ? `Not undone of ${kept.size}: ${[...kept.values()][0]}` : `Undone: ${named(one.items)}`)
  }).catch((e) => say(`Not undone: ${e.message}`))
}

async function silence() {
  const { item } = shown
  if (!item) return
  try {
    const done = await api(path(item, '/silence'), { minutes: 60 })
    say(`Silenced until ${clock(new Date(done.until))}: ${done.what}. It is ended by: frostwatch silence rm ${done.silence_id}`)
  } catch (e) {
    say(`Not silenced: ${e.message}`)
  }
}

function take() {
  if (!shown.item) return
  const link = document.createElement('a')
  link.href = '/api/v1' + path(shown.item, '/export')
  link.download = ''
  link.click()
  say('Exported')
}

const doings = { true: () => decide('true'), false: () => decide('false'), later: () => decide('later'), undo: takeBack, silence, export: take }
// What isn't offered can't be done by key either.
const byKey = (name) => () => { if (document.querySelector(`[data-do=${name}]:not([hidden])`)) doings[name]() }
const step = (by) => rows.move(by)
const keys = {
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
  t: byKey('true'), f: byKey('false'), l: byKey('later'), u: byKey('undo'), s: byKey('silence'), e: take,
  '/': () => find('filters').elements.text.focus(), '?': () => help.showModal(),
  Escape: () => { rows.select([]); counts() },
}

document.addEventListener('keydown', (e) => {
  const typing = e.target.matches('input, select, textarea') || help.open
  if (e.key === 'Escape') find('calendar').open = false
  if (typing) {
    if (e.key === 'Escape' && e.target.matches('input')) find('list').focus()
    return
  }
  if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'a' && !e.altKey) {
    if (decides === undefined) return
    e.preventDefault()
    rows.select(rows.all())
    counts()
    return
  }
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.matches('video') && e.key.startsWith('Arrow')) return
  const act = keys[e.key.length === 1 ? e.key.toLowerCase() : e.key]
  // A key that is held moves on, but decides once: nobody has seen the next.
  if (!act || e.repeat && 'tflus e'.includes(e.key.toLowerCase())) return
  e.preventDefault()
  act()
})
find('decide').addEventListener('click', (e) => doings[e.target.closest('button')?.dataset.do]?.())
find('help-open').addEventListener('click', () => help.showModal())
find('more').addEventListener('click', older)
find('rows').addEventListener('scroll', () => { if (fresh && find('rows').scrollTop === 0) counts() }, { passive: true })
find('new').addEventListener('click', () => {
  rows.top()
  fresh = 0
  counts()
})

// ---- the address, and what comes while one looks

const form = find('filters')
let typing = 0
form.addEventListener('submit', (e) => e.preventDefault())
form.addEventListener('change', (e) => { if (e.target.name) change({ [e.target.name]: e.target.value }) })
form.elements.text.addEventListener('input', (e) => {
  clearTimeout(typing)
  typing = setTimeout(() => { if (wanted.text !== e.target.value) change({ text: e.target.value }) }, 400)
})
addEventListener('popstate', () => {
  wanted = filters()
  fill(form, wanted)
  when()
  read(true)
})

let version = 0
let waiting = 0
function heard({ detail }) {
  const now = detail.line?.alerts
  if (now === undefined || now === version) return
  version = now
  // Many alerts at once are read once.
  if (!waiting) waiting = setTimeout(() => { waiting = 0; work.then(() => read(false)) }, 1000)
}
document.addEventListener('console:wall', heard)
document.addEventListener('console:change', heard)
document.addEventListener('console:found', () => read(rows.size === 0))

fill(form, wanted)
when()
read(true)
find('list').focus({ preventScroll: true })

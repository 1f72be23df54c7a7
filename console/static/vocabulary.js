// Words: the vocabulary, edited in place. What an edit changes in the last day is shown
// before it is saved.
import { ask, make } from './clips.js'
import { say } from './said.js'
import { Editor } from './wordeditor.js'
import { ago, exact } from './words.js'

const find = (name) => document.querySelector(`[data-${name}]`)
const root = find('words')
const edits = root.hasAttribute('data-edits')
const table = find('table')
const which = find('which')
const every = 10000 // ms; others edit too
const page = 50 // edits of the history

let data = null
let alerts = null // of this week, by word
let editor = null // the one that is open
let asked = 0
let shownEdits = page

const address = () => new URLSearchParams(location.search)
const tell = (text, ...next) => say(find('told'), text, ...next)
const ruleAt = (name) => '/rules?rule=' + encodeURIComponent(name)
const seesRules = Boolean(document.querySelector('.rail a[href="/rules"]'))
const vocabulary = () => (address().get('vocabulary') ? '&vocabulary=' + encodeURIComponent(address().get('vocabulary')) : '')

function write(by, inPlace) {
  const next = address()
  for (const [name, value] of Object.entries(by)) value ? next.set(name, value) : next.delete(name)
  const to = next.size ? '?' + next : location.pathname
  if (inPlace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
}

async function read() {
  const mine = ++asked
  try {
    const text = address().get('text') ?? ''
    const got = await ask(`/words?limit=500&text=${encodeURIComponent(text)}${vocabulary()}`)
    if (mine !== asked) return
    data = got
    draw()
    countAlerts()
    begin()
    if (find('past').open) readPast()
  } catch (e) {
    if (mine !== asked) return
    find('state').textContent = e.status ? e.message : 'The console does not answer. The words come back by themselves.'
  }
}

const count = (n, one) => `${n} ${n === 1 ? one : one + 's'}`

function state() {
  const force = data.in_force
  const parts = [`${count(data.words.length + (data.more ?? 0), 'word')}, used by ${count(data.cameras, 'camera')}`]
  if (!force.length) parts.push('no model recognises them: no infer worker runs, or none has reported yet')
  for (const f of force) {
    const behind = f.texts ? `, ${f.embedded} of ${f.texts} new texts read` : ''
    parts.push(f.current ? `in force: the model ${f.model_id.slice(0, 12)} recognises ${f.labels}` : `not in force yet at the model ${f.model_id.slice(0, 12)}${behind}`)
  }
  if (data.more) parts.push(`the first ${data.words.length} are listed`)
  for (const s of data.skipped ?? []) parts.push(`skipped: ${s.label}: ${s.reason}`)
  return parts.join('; ') + '.'
}

function draw() {
  find('state').textContent = state()
  const select = which.elements.vocabulary
  find('vocabularies').hidden = data.vocabularies.length < 2
  select.replaceChildren(...data.vocabularies.map((v) => new Option(v, v, false, v === data.vocabulary)))
  if (document.activeElement !== which.elements.text) which.elements.text.value = address().get('text') ?? ''
  table.hidden = !data.words.length
  const empty = find('empty')
  empty.hidden = data.words.length > 0
  empty.textContent = address().get('text') ? 'No word has these letters.' : 'There are no words yet: nothing is recognised. Type into the box at the top what to watch for.'
  const focused = document.activeElement?.closest?.('tbody')?.word?.label
  const there = new Map([...table.tBodies].map((b) => [b.word.label, b]))
  const bodies = data.words.map((w) => {
    const body = there.get(w.label) ?? make('tbody', {})
    there.delete(w.label)
    const row = line(w)
    if (body.rows[0]) body.rows[0].replaceWith(row)
    else body.append(row)
    body.word = w
    if (editor?.renew && body.contains(editor.form)) {
      editor.word = w
      editor.renew = false
    }
    return body
  })
  for (const [, gone] of there) {
    if (editor && gone.contains(editor.form)) close(false)
    gone.remove()
  }
  bodies.forEach((b, i) => { if (table.tBodies[i] !== b) table.insertBefore(b, table.tBodies[i] ?? null) })
  if (focused && !document.activeElement?.closest?.('tbody')) bodies.find((b) => b.word.label === focused)?.querySelector('.word').focus()
}

function line(w) {
  const name = make('td', {}, make('button', { type: 'button', className: 'word', textContent: w.label, ariaExpanded: String(editor?.word?.label === w.label) }))
  const more = [w.description, (w.aliases ?? []).join('; '), w.begins && `from ${w.begins} to ${w.ends}`].filter(Boolean).join(' · ')
  if (more) name.append(make('p', { className: 'more', textContent: more }))
  if (w.background) name.append(make('p', { className: 'more', textContent: 'normal activity' }))
  const named = (rule) => (seesRules ? make('a', { href: ruleAt(rule), textContent: rule }) : rule)
  const watched = w.rules?.length
    ? [...w.rules.slice(0, 3).flatMap((rule, i) => (i ? [', ', named(rule)] : [named(rule)])), `${w.rules.length > 3 ? ` and ${w.rules.length - 3} more` : ''}, on ${count(w.watched, 'camera')}`]
    : [w.background ? '' : 'no rule']
  const changed = make('td', { textContent: w.changed_at ? `${ago(w.changed_at)} ago${w.changed_by ? ' by ' + w.changed_by : ''}` : '' })
  if (w.changed_at) changed.title = exact(w.changed_at)
  return make('tr', {}, name, make('td', { textContent: (w.tags ?? []).join(', ') }), make('td', {}, ...watched), make('td', {}, hours(w)), make('td', {}, week(w)), changed,
    make('td', {}, ...(w.advice ?? []).map((a) => make('p', { className: 'advice', textContent: `${a.column}: ${a.advice}` }))))
}

/** Which glob means a name alone. */
const exactly = (name) => name.replace(/[*?[\\]/g, '\\$&')

/** The alerts of the last seven days, and what was said of them. */
function week(w) {
  if (!alerts || alerts.vocabulary !== data.vocabulary) return ''
  const n = alerts.words[w.label]
  if (!n) return alerts.whole ? '' : 'not read yet'
  const text = [n.true && `${n.true} true`, n.false && `${n.false} false`, n.unmarked && `${n.unmarked} unmarked`].filter(Boolean).join(', ')
  const review = new URLSearchParams({ from: alerts.from, label: exactly(w.label), marked: 'all' })
  return make('a', { href: '/review?' + review, textContent: text, title: 'Look at them in Review' })
}

let counting = false

/** Counts the alerts of this week, where that was not done within a minute. */
async function countAlerts() {
  const { vocabulary } = data
  if (counting || alerts?.vocabulary === vocabulary && alerts.whole && Date.now() - alerts.at < 60000) return
  counting = true
  try {
    const got = await ask(`/words/alerts?vocabulary=${encodeURIComponent(vocabulary)}`)
    alerts = { ...got, vocabulary, at: Date.now() }
    draw()
  } catch {
    // What was counted before stays.
  } finally {
    counting = false
  }
}

/** The highest of each hour, with the mark from which rules count that say nothing else. */
function hours(w) {
  if (!w.today?.hours) return ''
  const raise = data.raise
  const at = make('div', { className: 'hours', role: 'img', ariaLabel: `highest ${w.today.best.toFixed(2)} on ${w.today.camera}, rules count from ${raise}`, title: `highest ${w.today.best.toFixed(2)} on ${w.today.camera}, since the console runs; the line is ${raise}, where rules begin to count` })
  for (const v of w.today.hours) {
    const bar = make('span', { className: v >= raise ? 'over' : '' })
    bar.style.height = `${100 * Math.min(1, v)}%`
    at.append(bar)
  }
  const mark = make('i')
  mark.style.bottom = `${100 * raise}%`
  at.append(mark)
  return at
}

// ---- the editor

/** Opens what the address names. */
function begin() {
  const name = address().get('word')
  if (!name) return close(false)
  if (editor?.opened === name) return
  const body = [...table.tBodies].find((b) => b.word.label.toLowerCase() === name.toLowerCase())
  open(body, name)
}

function open(body, name) {
  close(false)
  editor = new Editor(body?.word ?? { label: name === '+' ? '' : name }, Boolean(body), edits, {
    vocabulary, close: () => close(true), saved, watching, arms: root.hasAttribute('data-arms'),
  })
  editor.opened = name
  if (body) {
    body.classList.add('open')
    body.append(make('tr', {}, make('td', { colSpan: 7 }, editor.form)))
    body.querySelector('.word').ariaExpanded = 'true'
  } else find('fresh').append(editor.form)
  editor.begin()
}

function close(write_) {
  if (!editor) return
  const body = editor.form.closest('tbody')
  editor.end()
  if (body) {
    editor.form.closest('tr').remove()
    body.classList.remove('open')
    body.querySelector('.word').ariaExpanded = 'false'
    if (write_) body.querySelector('.word').focus()
  } else editor.form.remove()
  editor = null
  if (write_) write({ word: '' })
}

function saved(text, stays) {
  tell(text)
  if (stays) Object.assign(editor, { opened: stays, renew: true })
  write({ word: stays }, true)
  if (stays && !editor.form.closest('tbody')) close(false)
  else if (!stays) close(false)
  read()
}

/** A word is watched for now: that can be taken back as long as it is said. */
function watching(text, label, rule, added) {
  saved(text, label)
  tell(text, ['The rule', ruleAt(rule)], ['Undo', async () => {
    try {
      const headers = { 'Content-Type': 'application/json' }
      await ask('/rules/' + encodeURIComponent(rule), { method: 'DELETE', headers })
      if (added) await ask('/words/remove' + vocabulary().replace('&', '?'), { method: 'POST', headers, body: JSON.stringify({ labels: [label] }) })
      tell(`${label} is not watched for any more: the rule ${rule}${added ? ' and the word are' : ' is'} removed`)
      if (added) saved(find('told').textContent, '')
    } catch (e) {
      tell(`Not undone: ${e.message}`)
    }
    read()
  }])
}

table.addEventListener('click', (e) => {
  const name = e.target.closest('.word')
  if (!name) return
  const label = name.closest('tbody').word.label
  if (editor?.word?.label === label) return close(true)
  write({ word: label })
  begin()
})
const fresh = () => { write({ word: '+' }); begin() }
find('new')?.addEventListener('click', fresh)

document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && editor && !document.querySelector('dialog[open]') && !e.target.closest?.('[data-box]')) return close(true)
  if (e.target.matches('input, select, textarea') || e.ctrlKey || e.metaKey || e.altKey) return
  if (e.key.toLowerCase() === 'n' && edits) {
    e.preventDefault()
    return fresh()
  }
  if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp' || !e.target.matches('.word')) return
  const all = [...table.querySelectorAll('.word')]
  e.preventDefault()
  all[Math.min(all.length - 1, Math.max(0, all.indexOf(e.target) + (e.key === 'ArrowDown' ? 1 : -1)))].focus()
})

// ---- the history

async function readPast() {
  try {
    const past = await ask(`/words/history?limit=${shownEdits}${vocabulary()}`)
    find('edits-list').replaceChildren(...past.edits.map((e, i) => edit(e, i === 0)))
    find('older').hidden = !past.more
  } catch (e) {
    find('edits-list').replaceChildren(make('li', { textContent: `The history can't be read: ${e.message}` }))
  }
}

const value = (text) => (text === '' ? '(no more words)' : text)

function edit(e, newest) {
  const head = make('header', {}, make('time', { dateTime: e.time, title: exact(e.time), textContent: `${ago(e.time)} ago` }), make('span', { textContent: e.begins ? 'the history begins' : [e.by, e.note].filter(Boolean).join(', ') }))
  if (!newest && edits && !e.begins) head.append(restoring(e))
  const lines = e.changes.flatMap((c) => [
    c.before !== undefined && make('span', { className: 'gone', textContent: `- ${c.label}: ${value(c.before)}\n` }),
    c.after !== undefined && make('span', { className: 'new', textContent: `+ ${c.label}: ${value(c.after)}\n` }),
  ]).filter(Boolean)
  if (e.more) lines.push(`and ${e.more} more`)
  return make('li', {}, head, lines.length ? make('pre', {}, ...lines) : '')
}

/** Restoring asks once more. */
function restoring(e) {
  const button = make('button', { type: 'button', textContent: 'Restore' })
  button.addEventListener('blur', () => { button.textContent = 'Restore' })
  button.addEventListener('click', async () => {
    if (button.textContent === 'Restore') {
      button.textContent = 'Restore the words as they were after this edit?'
      return
    }
    try {
      const done = await ask('/words/restore' + vocabulary().replace('&', '?'), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ version: e.version }) })
      tell(done.changes.length ? `Restored: ${count(done.changes.length, 'word')} changed` : 'They were so already')
    } catch (error) {
      tell(`Not restored: ${error.message}`)
    }
    read()
  })
  return button
}

find('past').addEventListener('toggle', () => { if (find('past').open) readPast() })
find('older').addEventListener('click', () => { shownEdits = Math.min(500, shownEdits + page); readPast() })

// ---- the address, and what others do

let typing = 0
which.addEventListener('submit', (e) => e.preventDefault())
which.elements.vocabulary.addEventListener('change', (e) => { write({ vocabulary: e.target.value === data.vocabularies[0] ? '' : e.target.value, word: '' }); close(false); read() })
which.elements.text.addEventListener('input', (e) => {
  clearTimeout(typing)
  typing = setTimeout(() => { write({ text: e.target.value.trim() }, true); read() }, 300)
})
addEventListener('popstate', read)
document.addEventListener('console:found', read)
setInterval(() => { if (!document.hidden && !document.body.classList.contains('lost')) read() }, every)
read()

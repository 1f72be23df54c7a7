// What a word would have done in the last day, in words and pictures.
import { card, make, moment } from './clips.js'
import { exact } from './words.js'

const count = (n, one) => `${n} ${n === 1 ? one : one + 's'}`

/** Says that the past is being read. */
export function reading(at) {
  at.replaceChildren(make('p', { className: 'reading' }, make('progress', { ariaLabel: 'Reading the last day' }), ' Reading the last day…'))
}

export function failed(at, error) {
  at.replaceChildren(make('p', { className: 'wrong', textContent: error.status ? error.message : 'The console does not answer. Try again when it does.' }))
}

/** Shows what the API says of a word. */
export function show(at, t) {
  if (t.note) return at.replaceChildren(make('p', { className: 'verdict', textContent: t.note }))
  const on = t.cameras.filter((c) => c.alerts)
  const parts = [make('p', { className: 'verdict', textContent: headline(t, on) })]
  if (t.meaning) parts.push(make('p', { textContent: t.meaning[0].toUpperCase() + t.meaning.slice(1) }))
  if (t.advice?.length) parts.push(make('ul', { className: 'advice' }, ...t.advice.map((a) => make('li', { textContent: `${a.column}: ${a.advice}` }))))
  if (t.closest.length) parts.push(make('h3', { textContent: 'The clips that come nearest' }), make('div', { className: 'clips-found' }, ...t.closest.map((hit) => card(hit, moment(hit, { text: t.label })))))
  if (t.cameras.length) parts.push(make('h3', { textContent: 'How well each camera can tell it' }), cameras(t))
  if (t.nearest.length) parts.push(make('p', { className: 'do', textContent: 'Nearest in the vocabulary: ' + t.nearest.map((n) => `${n.label} (${n.cosine.toFixed(2)})`).join(', ') }))
  if (t.unkept) parts.push(make('p', { className: 'do', textContent: `No thresholds for the budget: ${t.unkept}` }))
  if (t.other_models) parts.push(make('p', { className: 'do', textContent: `${t.other_models} recordings by another model can't be compared.` }))
  at.replaceChildren(...parts)
}

function headline(t, on) {
  const where = on.length ? ` on ${on.slice(0, 3).map((c) => c.camera).join(', ')}${on.length > 3 ? ` and ${on.length - 3} more` : ''}` : ''
  const rule = `a rule at a contrast of ${t.raise}`
  if (t.added === undefined) return `In the last day ${rule} would have raised ${count(t.alerts, 'alert')}${where}, in ${count(t.clips, 'clip')}.`
  if (t.added || t.lost) return `Would add ${count(t.added, 'alert')} and lose ${t.lost} in the last day: with it ${rule} would have raised ${t.alerts}${where}.`
  return `Changes no alert of the last day: ${rule} would have raised ${count(t.alerts, 'alert')}${where}.`
}

function cameras(t) {
  const most = 10
  const head = make('tr', {}, ...['Camera', 'It is', 'Highest', 'Alerts', `${t.budget} from`].map((text, i) => make('th', { textContent: text, className: i > 1 ? 'number' : '' })))
  const rows = t.cameras.slice(0, most).map((c) => make('tr', {},
    make('td', { textContent: c.camera }), make('td', { textContent: c.verdict, title: c.meaning }), make('td', { className: 'number', textContent: c.highest.toFixed(2) }),
    make('td', { className: 'number', textContent: c.alerts }), make('td', { className: 'number', textContent: c.keeps === undefined ? '' : c.keeps.toFixed(2) + (c.learning ? ' (too little is recorded yet)' : '') })))
  const table = make('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: 'Cameras' }, make('table', {}, make('thead', {}, head), make('tbody', {}, ...rows)))
  if (t.cameras.length > most) table.append(make('p', { className: 'do', textContent: `and ${t.cameras.length - most} more, where it comes less high` }))
  table.title = `Recorded ${exact(t.since)} to ${exact(t.until)}`
  return table
}

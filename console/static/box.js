// The box in the frame: words that are typed show at once what the last day has of them.
import { ask, card, moment } from './clips.js'

const box = document.querySelector('[data-box]')
const input = document.querySelector('[data-box] input')
const found = box.querySelector('#box-found')
const said = box.querySelector('[data-box-said]')
const clips = box.querySelector('[data-box-clips]')
const inReview = document.body.classList.contains('page-review') // where it filters the alerts as well
const pause = 400 // ms after the last key
const fewest = 3 // letters

let timer = 0
let round = null // aborts the question that is out
let shown = '' // what the clips are of

const text = () => input.value.trim()

function open(is) {
  found.hidden = !is
  input.ariaExpanded = String(is)
  if (!is) {
    round?.abort()
    clearTimeout(timer)
  }
}

function ways() {
  const query = encodeURIComponent(text())
  const watch = box.querySelector('[data-box-watch]')
  if (watch) watch.href = '/words?word=' + query
  box.querySelector('[data-box-search]').href = '/search?text=' + query
}

async function look() {
  const wanted = text()
  ways()
  if (wanted.length < fewest) return open(false)
  open(true)
  if (wanted === shown && clips.childElementCount) return
  round?.abort()
  round = new AbortController()
  said.textContent = 'Reading the last day…'
  clips.classList.add('old')
  try {
    const list = await ask('/search?limit=8&text=' + encodeURIComponent(wanted), { signal: round.signal })
    shown = wanted
    clips.replaceChildren(...list.hits.map((hit) => card(hit, moment(hit, { text: wanted }))))
    said.textContent = list.note ?? (list.hits.length ? `What comes nearest in the last day, of ${list.scored} clips` : 'No clip of the last day can be compared.')
  } catch (e) {
    if (e.name === 'AbortError') return
    shown = ''
    clips.replaceChildren()
    said.textContent = e.status ? e.message : 'The console does not answer.'
  }
  clips.classList.remove('old')
}

function later() {
  clearTimeout(timer)
  timer = setTimeout(look, pause)
}

input.addEventListener('input', () => {
  if (!inReview) return later()
  if (text() !== shown) open(false)
})
input.addEventListener('focus', () => { if (!inReview && shown && text() === shown) look() })
box.addEventListener('submit', (e) => { if (!text()) e.preventDefault() })
box.addEventListener('keydown', (e) => {
  if (e.key === 'Escape' && !found.hidden) {
    e.stopPropagation()
    open(false)
    input.focus()
    return
  }
  if (e.target === input && inReview && e.key === 'Enter') {
    e.preventDefault()
    look()
  }
  const links = [...found.querySelectorAll('a')]
  if ((e.key === 'ArrowDown' || e.key === 'ArrowUp') && (!found.hidden || e.target === input)) {
    if (found.hidden) return look()
    e.preventDefault()
    e.stopPropagation()
    const at = links.indexOf(document.activeElement) + (e.key === 'ArrowDown' ? 1 : -1)
    if (at < 0) input.focus()
    else links[Math.min(at, links.length - 1)]?.focus()
  }
})
box.addEventListener('focusout', (e) => { if (!box.contains(e.relatedTarget)) open(false) })
// A click on the menu itself leaves the focus in the box.
found.addEventListener('mousedown', (e) => { if (!e.target.closest('a')) e.preventDefault() })

document.addEventListener('keydown', (e) => {
  if (e.key !== '/' || e.ctrlKey || e.metaKey || e.altKey || e.target.matches('input, select, textarea') || document.querySelector('dialog[open]')) return
  e.preventDefault()
  input.focus()
  input.select()
})
ways()

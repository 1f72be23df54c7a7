// What every page has: the line at the bottom, and what is shown while the server is away.
import { watch } from './events.js'
import { clock } from './words.js'

// On a phone the rail is a bar that may be wider than the screen.
document.querySelector('.rail [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })

const line = document.querySelector('[data-line]')
const text = (selector, value) => {
  const at = line.querySelector(selector)
  if (at.textContent !== value) at.textContent = value
}

let fault = ''
let lost = null

function show() {
  document.body.classList.toggle('lost', lost !== null)
  text('[data-line-fault]', lost ? `No connection since ${clock(lost)}: what is shown is from then` : fault)
}

function counts(l) {
  text('[data-line-streaming]', `${l.streaming} of ${l.cameras} cameras streaming`)
  text('[data-line-open]', l.open_alerts === 1 ? '1 open alert' : `${l.open_alerts} open alerts`)
  for (const [name, value, words] of [
    ['rate', l.clips_per_second, () => `${l.clips_per_second.toFixed(1)} clips/s, ${(l.late_s ?? 0).toFixed(1)} s late`],
    ['model', l.model_id, () => [l.vocabulary && `vocabulary ${l.vocabulary.slice(0, 8)}`, `model ${l.model_id.slice(0, 8)}`].filter(Boolean).join(', ')],
  ]) {
    line.querySelector(`[data-line-${name}]`).hidden = !value
    if (value) text(`[data-line-${name}]`, words())
  }
  const left = document.querySelector('[data-left]')
  left.hidden = !l.left
  if (left.textContent !== String(l.left)) left.textContent = l.left
  fault = l.fault ?? ''
  show()
}

// On a phone the views are a row that may be longer than the screen.
const rail = document.querySelector('.rail')
const here = rail.querySelector('[aria-current]')
if (here) rail.scrollLeft = here.offsetLeft - (rail.clientWidth - here.offsetWidth) / 2

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`console:${name}`, { detail }))

const theme = document.querySelector('[data-theme-switch]')
const isLight = () => document.documentElement.dataset.theme === 'light'
const offer = () => { theme.textContent = isLight() ? 'Dark' : 'Light' }
theme.addEventListener('click', () => {
  localStorage.setItem('theme', document.documentElement.dataset.theme = isLight() ? 'dark' : 'light')
  offer()
})
offer()
theme.hidden = false

watch({
  wall(data) { counts(data.line); tell('wall', data) },
  change(data) { counts(data.line); tell('change', data) },
  lost(since) {
    lost = since
    show()
    if (!since) tell('found')
  },
})

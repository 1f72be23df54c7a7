// Search: the clips that words describe, or that are like one. What is looked for is the
// page's address.
import { ask, card, clipPath, make, moment, nearness } from './clips.js'
import { load, show } from './loop.js'
import { ago, exact } from './words.js'

const find = (name) => document.querySelector(`[data-${name}]`)
const box = document.querySelector('[data-box] input')
const where = find('where')
const dialog = find('moment')
const results = find('results')
let hits = []
let round = null
let asked = '' // what the results are of
let playing = null

const address = () => new URLSearchParams(location.search)
const names = ['text', 'like', 'camera', 'span', 'by']

function wanted() {
  const all = address()
  return Object.fromEntries(names.map((n) => [n, all.get(n) ?? '']))
}

function go(by) {
  const next = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...wanted(), ...by })) if (value) next.set(name, value)
  history.pushState(null, '', next.size ? '?' + next : location.pathname)
  look()
}

function question(w) {
  const query = new URLSearchParams({ limit: 60 })
  for (const name of ['text', 'like', 'camera']) if (w[name]) query.set(name, w[name])
  if (w.by) query.set('by', w.by)
  if (w.span) query.set('since', new Date(Date.now() - w.span * 3600e3).toISOString())
  return query
}

async function look() {
  const w = wanted()
  if (w.like) w.text = ''
  if (document.activeElement !== box) box.value = w.text
  where.elements.camera.value = w.camera
  where.elements.span.value = w.span
  where.elements.by.value = w.by
  look1(address())
  const key = JSON.stringify(w)
  if (key === asked) return
  asked = key
  round?.abort()
  find('empty').hidden = Boolean(w.text || w.like)
  find('title').textContent = w.text ? `Search: ${w.text}` : w.like ? `Search: like ${w.like}` : 'Search'
  ways(w)
  hits = []
  results.replaceChildren()
  find('said').textContent = ''
  if (!w.text && !w.like) return
  round = new AbortController()
  find('said').textContent = 'Reading what was recorded…'
  try {
    const list = await ask('/search?' + question(w), { signal: round.signal })
    hits = list.hits
    results.replaceChildren(...hits.map((hit) => card(hit, moment(hit, keep()))))
    find('said').textContent = list.note ?? sentence(list)
  } catch (e) {
    if (e.name === 'AbortError') return
    asked = ''
    find('said').textContent = e.status ? e.message : 'The console does not answer. Try again when it does.'
  }
}

function sentence(list) {
  let text = `${list.hits.length} clips, the nearest first by ${list.by}, of ${list.scored} since ${exact(list.since)}`
  if (list.other_models) text += `; ${list.other_models} by another model can't be compared`
  return text + '.'
}

// What is kept of the address when a clip is looked at.
const keep = () => Object.fromEntries(Object.entries(wanted()).filter(([, v]) => v))

function ways(w) {
  const at = find('ways')
  at.replaceChildren()
  at.hidden = !(w.text || w.like)
  if (w.text && document.querySelector('[data-box-watch]')) at.append(make('a', { className: 'button', href: '/words?word=' + encodeURIComponent(w.text), textContent: 'Make this a rule' }))
  if (w.like) at.append('A rule needs words: say in the box what these clips show.')
}

// ---- one clip

function look1(all) {
  const clip = all.get('clip')
  const camera = all.get('camera_of')
  if (!clip || !camera) {
    if (dialog.open) dialog.close()
    return
  }
  if (playing?.clip_id === clip && dialog.open) return
  const hit = hits.find((h) => h.clip_id === clip) ?? { clip_id: clip, camera, at: all.get('at') ?? '', start: startOf(clip) }
  play(hit)
}

/** A clip's id ends with its stream's begin and its own, in milliseconds. */
function startOf(clip) {
  const m = /-(\d{1,13})-(\d{1,13})$/.exec(clip)
  return m ? new Date(Number(m[1]) + Number(m[2])).toISOString() : ''
}

async function play(hit) {
  playing = hit
  find('moment-title').textContent = `${hit.camera}, ${hit.start ? exact(hit.start) : hit.clip_id}`
  const rows = [['When', hit.start ? `${exact(hit.start)} (${ago(hit.start)} ago)` : ''], ['How near', hit.similarity === undefined ? '' : nearness(hit)], ['Seen in', hit.view ?? ''], ['Clip', hit.clip_id]].filter(([, v]) => v)
  find('facts').replaceChildren(...rows.flatMap(([k, v]) => [make('dt', { textContent: k }), make('dd', { textContent: v })]))
  const links = [make('a', { href: '/search?like=' + encodeURIComponent(hit.clip_id), textContent: 'More like this' }), make('a', { href: '/cameras/' + encodeURIComponent(hit.camera), textContent: 'The camera now' })]
  if (document.querySelector('.rail a[href="/timeline"]')) links.push(make('a', { href: `/timeline?camera=${encodeURIComponent(hit.camera)}&at=${encodeURIComponent(hit.end ?? hit.start)}`, textContent: 'In the timeline' }))
  find('links').replaceChildren(...links.flatMap((l) => [l, ' ']))
  const at = find('loop')
  const none = find('none')
  at.style.backgroundImage = ''
  none.hidden = true
  if (!dialog.open) dialog.showModal()
  try {
    const loop = await load(clipPath(hit, 'loop'))
    if (playing === hit) show(at, loop, 4.3)
  } catch (e) {
    if (playing !== hit) return
    none.hidden = false
    none.textContent = e.status === 404 ? 'The pictures of this clip are not kept any more.' : 'The pictures of this clip can\'t be read now.'
  }
}

dialog.addEventListener('close', () => {
  playing = null
  const next = address()
  if (!next.has('clip')) return
  for (const name of ['clip', 'camera_of', 'at']) next.delete(name)
  history.pushState(null, '', next.size ? '?' + next : location.pathname)
})

// Links of this page to clips and questions change the address alone.
document.addEventListener('click', (e) => {
  const link = e.target.closest('a[href^="/search?"]')
  if (!link || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return
  e.preventDefault()
  history.pushState(null, '', link.getAttribute('href'))
  document.activeElement?.blur()
  look()
})
document.querySelector('[data-box]').addEventListener('submit', (e) => {
  e.preventDefault()
  if (!box.value.trim()) return
  const text = box.value.trim()
  box.blur()
  go({ text, like: '' })
})
where.addEventListener('submit', (e) => e.preventDefault())
where.addEventListener('change', async (e) => {
  if (e.target.name !== 'like_camera') return go({ [e.target.name]: e.target.value })
  const camera = e.target.value
  e.target.value = ''
  if (!camera) return
  try {
    const tile = await ask('/cameras/' + encodeURIComponent(camera))
    if (tile.clip_id) go({ like: tile.clip_id, text: '' })
    else find('said').textContent = `No clip of ${camera} has been recognised yet.`
  } catch (error) {
    find('said').textContent = error.message
  }
})
document.addEventListener('console:wall', ({ detail }) => {
  const at = where.elements.like_camera
  const there = new Set([...at.options].map((o) => o.value))
  for (const t of detail.tiles) if (!there.has(t.camera)) at.append(new Option(t.camera, t.camera))
})
addEventListener('popstate', look)
document.addEventListener('console:found', () => { if (!asked) look() })
look()

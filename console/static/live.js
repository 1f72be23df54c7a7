// The wall: a tile for each camera, with a loop of its newest pictures.
import { load, show } from './loop.js'
import { since, clock } from './words.js'

const wall = document.querySelector('[data-wall]')
const only = wall?.dataset.single
const blank = document.querySelector('template[data-tile]')
const tiles = new Map() // by camera: {at: element, now: what is known, seen: on screen, clip: shown}

const onScreen = new IntersectionObserver((entries) => {
  for (const e of entries) {
    const t = tiles.get(e.target.dataset.camera)
    if (!t) continue
    t.seen = e.isIntersecting
    if (t.seen) picture(t)
  }
}, { rootMargin: '100px' })

function add(camera) {
  let at = wall.querySelector(`[data-camera="${CSS.escape(camera)}"]`)
  if (!at) {
    if (!blank) return null
    at = blank.content.firstElementChild.cloneNode(true)
    at.dataset.camera = camera
    at.querySelector('.name').textContent = camera
    const link = at.querySelector('.picture')
    link.href = '/cameras/' + encodeURIComponent(camera)
    link.ariaLabel = 'Camera ' + camera
    at.querySelector('.mend').href = link.href + '/edit'
    wall.append(at)
  }
  const t = { at, now: null, seen: false, clip: '' }
  tiles.set(camera, t)
  onScreen.observe(at)
  return t
}

// Loads the newest loop and shows it once it is there, so that nothing flickers.
async function picture(t) {
  const { camera, clip_id: clip } = t.now ?? {}
  if (!clip || t.clip === clip || t.loading || document.hidden) return
  t.loading = true
  let loop = null
  try {
    loop = await load(`/api/v1/cameras/${encodeURIComponent(camera)}/loop?clip=${encodeURIComponent(clip)}`)
    if (tiles.get(camera) !== t) throw new Error('it was removed meanwhile')
    show(t.at.querySelector('.loop'), loop, (new Date(t.now.end) - new Date(t.now.start)) / 1000)
    if (t.url) URL.revokeObjectURL(t.url)
    t.url = loop.url
    t.clip = clip
  } catch {
    // The next clip is tried anew; that the server is away is said at the bottom.
    if (loop) URL.revokeObjectURL(loop.url)
  }
  t.loading = false
  if (t.seen && t.now.clip_id !== clip) setTimeout(() => picture(t), 500)
}

function stateText(c) {
  const lasted = since(c.fault_since ?? c.since)
  if (c.fault) return lasted ? `${c.fault} for ${lasted}` : c.fault
  if (c.state === 'streaming') return c.reason ?? ''
  if (c.disabled) return 'disabled'
  let text = c.state
  if (lasted) text += ` for ${lasted}`
  if (c.reason) text += `: ${c.reason}`
  const next = c.retry_at && Math.ceil((new Date(c.retry_at) - Date.now()) / 1000)
  if (next > 0) text += `, next try in ${next} s`
  return text
}

function bar(b, li) {
  if (!li) {
    li = document.createElement('li')
    li.innerHTML = '<span class="label"></span><span class="value"></span><span class="track"><span class="fill"></span><span class="tick"></span></span>'
  }
  li.querySelector('.label').textContent = b.label
  li.querySelector('.value').textContent = b.value.toFixed(2)
  const share = (v) => `${100 * Math.min(1, Math.max(0, v))}%`
  li.querySelector('.fill').style.width = share(b.value)
  const tick = li.querySelector('.tick')
  tick.hidden = !b.raise
  if (b.raise) tick.style.left = share(b.raise)
  li.classList.toggle('counts', Boolean(b.raise) && b.value >= b.raise)
  li.title = `${b.measure} ${b.value.toFixed(3)}` + (b.raise ? `; the rule ${b.rule} counts it from ${b.raise.toFixed(2)} on` : '; no rule watches for it')
  return li
}

function draw(t, c) {
  t.now = c
  const { at } = t
  at.dataset.state = c.state
  at.dataset.tags = (c.tags ?? []).join('\n')
  at.querySelector('.mend').hidden = c.state === 'streaming' || !('edits' in document.body.dataset)
  at.classList.toggle('faulty', c.state !== 'streaming' || Boolean(c.fault))
  const worst = c.alerts.some((a) => a.severity === 'critical') ? 'critical' : c.alerts.some((a) => a.severity === 'warning') ? 'warning' : c.alerts.length ? 'info' : ''
  at.dataset.severity = worst
  const alarm = at.querySelector('.alarm')
  alarm.hidden = !worst
  alarm.textContent = c.alerts.map((a) => a.about).filter((a, i, all) => all.indexOf(a) === i).join(', ')
  words(t)
  const bars = at.querySelector('.bars')
  c.labels.forEach((b, i) => { const li = bar(b, bars.children[i]); if (!li.parentNode) bars.append(li) })
  while (bars.children.length > c.labels.length) bars.lastElementChild.remove()
  if (t.seen) picture(t)
  if (only) facts(c)
}

function words(t) {
  const state = t.at.querySelector('.state')
  const text = stateText(t.now)
  if (state.textContent !== text) state.textContent = text
}

function facts(c) {
  const list = document.querySelector('[data-facts]')
  const rows = [
    ['State', `${c.state}${c.since ? ' for ' + since(c.since) : ''}`],
    ['Tags', (c.tags ?? []).join(', ')],
    ['Reason', c.reason],
    ['Pictures', c.fault || (c.quiet ? 'nothing moves' : '')],
    ['Newest clip', c.end ? `${clock(new Date(c.start))} to ${clock(new Date(c.end))}` : 'none yet'],
    ...c.alerts.map((a) => ['Open alert', `${a.about}, rule ${a.rule}, ${a.severity}, for ${since(a.onset)}`]),
  ].filter(([, v]) => v)
  list.replaceChildren(...rows.flatMap(([k, v]) => {
    const dt = document.createElement('dt')
    const dd = document.createElement('dd')
    dt.textContent = k
    dd.textContent = v
    return [dt, dd]
  }))
}

function remove(camera) {
  const t = tiles.get(camera)
  if (!t) return
  onScreen.unobserve(t.at)
  if (t.url) URL.revokeObjectURL(t.url)
  t.at.remove()
  tiles.delete(camera)
  if (only) document.querySelector('[data-facts]').replaceChildren()
}

const shown = (camera) => !only || camera === only

function take(changed) {
  for (const c of changed) {
    if (!shown(c.camera)) continue
    const t = tiles.get(c.camera) ?? add(c.camera)
    if (t) draw(t, c)
  }
  arrange()
}

if (wall) {
  document.addEventListener('console:wall', ({ detail }) => {
    const there = new Set(detail.tiles.map((c) => c.camera))
    for (const camera of [...tiles.keys()]) if (!there.has(camera)) remove(camera)
    for (const at of wall.querySelectorAll('[data-camera]')) if (!there.has(at.dataset.camera)) at.remove()
    take(detail.tiles)
  })
  document.addEventListener('console:change', ({ detail }) => {
    for (const camera of detail.gone ?? []) if (shown(camera)) remove(camera)
    take(detail.tiles ?? [])
  })
  setInterval(() => {
    for (const t of tiles.values()) if (t.now && t.at.classList.contains('faulty')) words(t)
  }, 1000)
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) for (const t of tiles.values()) if (t.seen) picture(t)
  })
}

// ---- how the wall is arranged, which is kept in the address and in this browser

const tools = document.querySelector('[data-tools]')
const find = (name) => tools?.querySelector(`[data-${name}]`)
const address = new URLSearchParams(location.search)
const wanted = { tag: address.get('tag') ?? '', order: address.get('order') ?? 'alerts' }

function arrange() {
  if (!tools) return
  const all = [...tiles.values()].filter((t) => t.now)
  options([...new Set(all.flatMap((t) => t.now.tags ?? []))].sort())
  for (const t of all) t.at.hidden = wanted.tag !== '' && !(t.now.tags ?? []).includes(wanted.tag)
  const rank = (t) => (wanted.order === 'alerts' ? { critical: 0, warning: 1, info: 2 }[t.at.dataset.severity] ?? 3 : 3)
  all.sort((a, b) => rank(a) - rank(b) || a.now.camera.localeCompare(b.now.camera, undefined, { numeric: true }))
  // Moved only where the order is another: a move ends what is being animated, and takes
  // the focus away from who is there with the keyboard.
  const focus = document.activeElement
  all.forEach((t, i) => { if (wall.children[i] !== t.at) wall.insertBefore(t.at, wall.children[i] ?? null) })
  if (wall.contains(focus) && document.activeElement !== focus) focus.focus({ preventScroll: true })
  document.querySelector('[data-empty]').hidden = tiles.size > 0
}

function options(tags) {
  const select = find('tag')
  if (select.dataset.tags === tags.join('\n')) return
  select.dataset.tags = tags.join('\n')
  select.replaceChildren(new Option('all', ''), ...tags.map((t) => new Option(t, t)))
  if (wanted.tag && !tags.includes(wanted.tag)) select.append(new Option(wanted.tag, wanted.tag))
  select.value = wanted.tag
}

if (tools) {
  find('order').value = wanted.order
  for (const name of ['tag', 'order']) {
    find(name).addEventListener('change', (e) => {
      wanted[name] = e.target.value
      const next = new URLSearchParams()
      if (wanted.tag) next.set('tag', wanted.tag)
      if (wanted.order !== 'alerts') next.set('order', wanted.order)
      history.pushState(null, '', next.size ? '?' + next : location.pathname)
      arrange()
    })
  }
  addEventListener('popstate', () => location.reload())
  tools.addEventListener('submit', (e) => e.preventDefault())
  const size = find('size')
  /** The largest size with which all tiles are on the screen, or else the usual one. */
  const fitting = () => {
    const [width, height] = [wall.clientWidth, innerHeight - wall.getBoundingClientRect().top - scrollY - 40]
    for (let s = Number(size.max); s > Number(size.defaultValue); s -= Number(size.step)) {
      const columns = Math.floor((width + 8) / (s + 8))
      const high = ((width + 8) / columns - 8) * 9 / 16 + 8
      if (columns && Math.ceil(wall.querySelectorAll('.tile').length / columns) * high <= height) return s
    }
    return size.defaultValue
  }
  size.value = localStorage.getItem('size') ?? fitting()
  const resize = () => { wall.style.setProperty('--tile', `${size.value}px`) }
  size.addEventListener('input', () => { resize(); localStorage.setItem('size', size.value) })
  resize()
  find('full').addEventListener('click', () => {
    if (document.fullscreenElement) document.exitFullscreen()
    else document.documentElement.requestFullscreen()
  })
}

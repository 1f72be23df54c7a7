// A camera's past: which time is shown, how it is moved through, and the moment that is
// looked at. All of it is in the address.
import { spanText } from './axis.js'
import { Chart } from './chart.js'
import { lists } from './lists.js'
import { Moment } from './moment.js'
import { read, reviewOf } from './past.js'
import { exact } from './words.js'

const page = document.querySelector('[data-time]')
if (page) begin()

function begin() {
  const find = (name) => document.querySelector(`[data-${name}]`)
  const shortest = 60e3
  const longest = 28 * 86400e3
  const chart = new Chart(find('chart'))
  const moment = new Moment(find('moment'))
  const select = find('camera')
  const bands = find('bands')
  let now = {} // camera, from, to (0: it goes on), span, at (null: none), row
  let past = null
  let round = null
  let loaded = 0

  // ---- the address

  function fromAddress() {
    const address = new URLSearchParams(location.search)
    const time = (name) => { const t = Date.parse(address.get(name) ?? ''); return Number.isNaN(t) ? 0 : t }
    const camera = address.get('camera') || select.options[0].value
    const [from, to] = [time('from'), time('to')]
    const fixed = from > 0 && to > from
    const span = Math.min(longest, Math.max(shortest, fixed ? to - from : Number(address.get('last')) * 1000 || 6 * 3600e3))
    now = { camera, from, to: fixed ? from + span : 0, span, at: time('at') || null, row: 0, label: address.get('label') ?? '' }
    if (![...select.options].some((o) => o.value === camera)) select.append(new Option(camera, camera))
    select.value = camera
  }

  const address = () => {
    const out = new URLSearchParams({ camera: now.camera })
    if (now.to) {
      out.set('from', new Date(now.from).toISOString())
      out.set('to', new Date(now.to).toISOString())
    } else if (now.span !== 6 * 3600e3) out.set('last', Math.round(now.span / 1000))
    if (now.at) out.set('at', new Date(now.at).toISOString())
    if (now.label) out.set('label', now.label)
    return '?' + out
  }
  let noting = 0
  /** Writes the address: a step that Back takes back, or only where one is (browsers refuse too many). */
  function note(step) {
    clearTimeout(noting)
    if (step) history.pushState(null, '', address())
    else noting = setTimeout(() => history.replaceState(null, '', address()), 300)
  }

  // ---- what is shown

  const end = () => now.to || Date.now()
  const start = () => end() - now.span

  function draw() {
    chart.draw(past, start(), end())
    chart.choose(now.row)
    find('title').textContent = now.camera
    find('range').textContent = `${exact(start())} to ${now.to ? exact(now.to) : 'now'} (${spanText(now.span)})`
    find('to-camera').href = '/cameras/' + encodeURIComponent(now.camera)
    for (const b of document.querySelectorAll('[data-span]')) b.ariaPressed = String(Number(b.dataset.span) * 1000 === now.span)
    point(now.at)
  }

  function point(t) {
    chart.point(t)
    if (t === null || !past || past.camera !== now.camera) return
    const text = moment.show(past, t, now.row)
    bands.setAttribute('aria-valuenow', Math.round(1000 * Math.min(1, Math.max(0, (t - start()) / now.span))))
    bands.setAttribute('aria-valuetext', text)
  }

  const say = (text) => { if (find('state').textContent !== text) find('state').textContent = text }

  let waiting = 0
  function load(soon = 150) {
    clearTimeout(waiting)
    waiting = setTimeout(ask, soon)
  }

  async function ask() {
    round?.abort()
    round = new AbortController()
    const { signal } = round
    const [camera, from, to] = [now.camera, start(), end()]
    loaded = Date.now()
    if (past?.camera !== camera) { past = null; say('Reading') }
    try {
      const got = await read(camera, from, to, Math.min(600, Math.max(100, Math.floor(chart.width))), signal)
      if (signal.aborted) return
      const label = now.label || past?.labels[now.row]?.label
      past = got
      now.row = Math.max(0, past.labels.findIndex((l) => l.label === label))
      draw()
      lists(find('lists'), past)
      say([past.data.fault, past.unread ? `Read back to ${exact(past.unread)}; reading on` : '', empty()].filter(Boolean).join('. '))
      if (past.unread) load(0)
    } catch (e) {
      if (e.name === 'AbortError') return
      say(e.status ? `The timeline can't be read: ${e.message}` : 'The console does not answer. The timeline comes back by itself.')
      if (e.status !== 404 && e.status !== 422) load(5000)
    }
  }

  function empty() {
    if (past.labels.length || past.unread) return ''
    return past.data.clips.some((n) => n) ? 'No label reached 0.10, and no rule watches for one' : 'Nothing was recorded in this time'
  }

  /** Shows another time. */
  function show(from, span, step) {
    span = Math.min(longest, Math.max(shortest, span))
    const most = Date.now()
    from = Math.min(from, most + span / 20 - span)
    Object.assign(now, { from, span, to: from + span })
    draw()
    note(step)
    load()
  }

  function zoom(by, around = now.at ?? start() + now.span / 2, step = true) {
    const span = Math.min(longest, Math.max(shortest, now.span * by))
    if (around < start() || around > end()) around = start() + now.span / 2
    show(around - ((around - start()) * span) / now.span, span, step)
  }

  const doings = {
    in: () => zoom(0.5), out: () => zoom(2),
    earlier: () => show(start() - now.span / 2, now.span, true), later: () => show(start() + now.span / 2, now.span, true),
    now: () => { Object.assign(now, { to: 0, at: null }); draw(); note(true); load(0) },
  }

  // ---- the moment

  function look(t, row = now.row) {
    now.row = row
    now.at = Math.min(Date.now(), t)
    now.label = past?.labels[row]?.label ?? ''
    chart.choose(row)
    if (now.at < start() || now.at > end()) show(now.at - now.span / 2, now.span, false)
    point(now.at)
    note(false)
  }

  /** Goes on by steps, at least to the next clip. */
  const stepBy = (n) => {
    if (!past) return look(now.at ?? end())
    const by = n * Math.max(1, Math.round(2400 / past.step))
    look(past.start(past.number(now.at ?? end() - past.step) + by) + past.step / 2)
  }
  function toAlert(by) {
    const all = past?.alerts ?? []
    const t = now.at ?? (by > 0 ? start() : end())
    const one = by > 0 ? all.find((a) => a.at > t + 1) : all.findLast((a) => a.at < t - 1)
    if (one) look(one.at, Math.max(0, past.labels.findIndex((l) => l.label === one.label)))
    else say(by > 0 ? 'No later alert is shown' : 'No earlier alert is shown')
  }
  function open() {
    const n = past?.number(now.at ?? 0)
    const here = past && now.at ? past.within(past.alerts, past.start(n), past.start(n + 1)) : []
    const one = here.findLast((a) => a.at <= past.start(n + 1)) ?? here[0]
    const to = one && reviewOf(one, now.camera)
    if (to) location.assign(to)
  }
  const keys = {
    ArrowLeft: (e) => stepBy(e.shiftKey ? -10 : -1), ArrowRight: (e) => stepBy(e.shiftKey ? 10 : 1),
    ArrowUp: () => look(now.at ?? end(), Math.max(0, now.row - 1)), ArrowDown: () => look(now.at ?? end(), Math.min((past?.labels.length || 1) - 1, now.row + 1)),
    PageUp: doings.earlier, PageDown: doings.later, Home: () => look(start()), End: () => look(end()),
    '+': doings.in, '=': doings.in, '-': doings.out, n: () => toAlert(1), p: () => toAlert(-1), Enter: open,
  }
  // Those that scroll or press nothing count without the focus, too.
  const anywhere = ['n', 'p', '+', '=', '-', 'ArrowLeft', 'ArrowRight']
  document.addEventListener('keydown', (e) => {
    const key = e.key.length === 1 ? e.key.toLowerCase() : e.key
    const act = keys[key]
    const here = e.target === bands || anywhere.includes(key) && !e.target.matches('input, select, textarea')
    if (!act || !here || e.ctrlKey || e.metaKey || e.altKey) return
    e.preventDefault()
    bands.focus({ preventScroll: true })
    act(e)
  })

  // ---- mouse and finger

  let drag = null
  let pinch = null
  const fingers = new Map() // those that touch, by pointer: where they are
  /** How far two fingers are from each other, and what is between them. */
  const spread = () => {
    const [a, b] = [...fingers.values()]
    return [Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1])), (a[0] + b[0]) / 2]
  }
  const place = (e) => { const box = bands.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top] }
  bands.addEventListener('pointerdown', (e) => {
    if (e.button) return
    fingers.set(e.pointerId, place(e))
    bands.setPointerCapture(e.pointerId)
    drag = { x: e.clientX, from: start(), moved: false }
    if (fingers.size !== 2) return
    const [far, middle] = spread()
    pinch = { far, span: now.span, at: chart.time(middle) }
  })
  /** What is between two fingers stays there. */
  function pinched() {
    const [far, middle] = spread()
    const span = Math.min(longest, Math.max(shortest, pinch.span * pinch.far / far))
    show(pinch.at - (middle / chart.width) * span, span, false)
  }
  function lift(e) {
    fingers.delete(e.pointerId)
    pinch = null
    drag = null
    // The finger that stays goes on dragging.
    for (const [x] of fingers.values()) drag = { x: x + bands.getBoundingClientRect().left, from: start(), moved: true }
  }
  // Two fingers never scroll the page.
  for (const type of ['touchstart', 'touchmove']) bands.addEventListener(type, (e) => { if (e.touches.length > 1) e.preventDefault() }, { passive: false })
  bands.addEventListener('pointermove', (e) => {
    const [x, y] = place(e)
    if (fingers.has(e.pointerId)) fingers.set(e.pointerId, [x, y])
    if (pinch) return pinched()
    if (drag && Math.abs(e.clientX - drag.x) > 4) drag.moved = true
    if (drag?.moved) return show(drag.from - ((e.clientX - drag.x) / chart.width) * now.span, now.span, false)
    if (!drag && past) {
      const row = now.row
      now.row = chart.row(y)
      point(chart.time(x))
      now.row = row
    }
  })
  bands.addEventListener('pointerup', (e) => {
    const [x, y] = place(e)
    const tapped = drag && !drag.moved && !pinch
    lift(e)
    if (tapped) look(chart.time(x), chart.row(y))
  })
  bands.addEventListener('pointercancel', lift)
  bands.addEventListener('pointerleave', () => point(now.at))
  bands.addEventListener('wheel', (e) => {
    e.preventDefault()
    const sideways = e.shiftKey ? e.deltaY : e.deltaX
    if (Math.abs(sideways) > Math.abs(e.shiftKey ? 0 : e.deltaY)) show(start() + (sideways / chart.width) * now.span, now.span, false)
    else zoom(Math.exp(Math.max(-1, Math.min(1, e.deltaY / 400))), chart.time(place(e)[0]), false)
  }, { passive: false })

  page.addEventListener('click', (e) => doings[e.target.closest('[data-do]')?.dataset.do]?.())
  find('tools').addEventListener('submit', (e) => e.preventDefault())
  find('tools').addEventListener('click', (e) => {
    const span = Number(e.target.closest('[data-span]')?.dataset.span) * 1000
    if (!span) return
    if (now.to) show((now.at ?? now.from + now.span / 2) - span / 2, span, true)
    else { now.span = span; draw(); note(true); load(0) }
  })
  select.addEventListener('change', () => { Object.assign(now, { camera: select.value, label: '', row: 0 }); past = null; draw(); note(true); load(0) })

  // ---- as time passes

  addEventListener('popstate', () => { fromAddress(); draw(); load(0) })
  addEventListener('resize', draw)
  document.addEventListener('console:found', () => load(0))
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ['data-theme'] })
  setInterval(() => {
    if (now.to || document.hidden || drag || document.body.classList.contains('lost')) return
    draw()
    if (Date.now() - loaded > Math.max(5e3, now.span / 300)) load(0)
  }, 2000)

  fromAddress()
  draw()
  load(0)
}

// What a rule did or would have done: alerts with pictures, values with the threshold.
import { ask, element } from './ask.js'
import { exact } from './words.js'

/** A clip's pictures, or that there are none any more. */
function picture(camera, clip, says) {
  const out = element('li')
  if (clip) {
    const img = element('img', { src: `/api/v1/cameras/${encodeURIComponent(camera)}/clips/${encodeURIComponent(clip)}/strip`, alt: `Pictures of ${camera}`, loading: 'lazy' })
    img.addEventListener('error', () => img.replaceWith(element('div', { class: 'none' }, 'no pictures are kept')))
    out.append(img)
  }
  out.append(...says)
  return out
}

const notes = (all) => (all ?? []).map((n) => element('p', { class: 'warn' }, n))

async function asked(at, busy, signal, work) {
  const stop = new AbortController()
  signal.addEventListener('abort', () => stop.abort())
  const cancel = element('button', { type: 'button' }, 'Stop')
  cancel.addEventListener('click', () => stop.abort())
  at.replaceChildren(element('p', { role: 'status' }, busy + ' ', cancel))
  try {
    at.replaceChildren(...await work(stop.signal))
  } catch (e) {
    if (!signal.aborted) at.replaceChildren(element('p', { class: 'message bad', role: 'status' }, e.name === 'AbortError' ? 'Stopped.' : e.message))
  }
}

/** changes: it differs from the rule in force, to which it is compared. */
export function tried(at, body, changes, signal) {
  return asked(at, 'Trying it on the past', signal, async (signal) => {
    const t = await ask('/api/v1/rulebook/try', { method: 'POST', body, signal })
    const words = { new: 'new', lost: 'lost', same: 'as now' }
    const count = t.new + t.same
    const compared = changes ? `: ${t.new} new, ${t.same} as now; ${t.lost} of the rule in force would be lost.` : '.'
    const head = t.recognitions
      ? `From ${exact(t.since)} to ${exact(t.until)} it would have raised ${count} ${count === 1 ? 'alert' : 'alerts'}${compared}`
      : 'Nothing is recorded in this time.'
    return [element('p', { role: 'status', 'data-tried-said': '' }, head), ...notes(t.notes),
      element('ul', { class: 'pictures' }, ...t.alerts.map((a) => picture(a.camera, a.clip_id, [...(changes ? [element('strong', {}, words[a.found]), ' '] : []), `${a.label} on ${a.camera}, ${exact(a.onset)}, ${a.value.toFixed(2)}`])))]
  })
}

const svg = (name, attributes, ...children) => {
  const out = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [k, v] of Object.entries(attributes)) out.setAttribute(k, v)
  out.append(...children)
  return out
}

/** The highest values of a day with the threshold. */
function plot(p) {
  const [width, height, left, low] = [640, 200, 40, 24]
  const from = new Date(p.points[0].at).getTime()
  const span = Math.max(new Date(p.points.at(-1).at) - from, 1)
  const top = Math.max(...p.points.map((o) => o.value), ...p.raise, 0.05) * 1.1
  const x = (at) => left + (width - left - 8) * (new Date(at) - from) / span
  const y = (v) => (height - low) * (1 - v / top) + 4
  const label = `The highest value of each 15 minutes, the highest of all ${Math.max(...p.points.map((o) => o.value)).toFixed(2)}; the rule counts from ${p.raise[0].toFixed(2)}`
  return svg('svg', { class: 'plot', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label },
    svg('path', { class: 'line', d: p.points.map((o, i) => `${i ? 'L' : 'M'}${x(o.at).toFixed(1)},${y(o.value).toFixed(1)}`).join('') }),
    ...[...new Set(p.raise)].map((v) => svg('line', { class: 'raise', x1: left, x2: width - 8, y1: y(v), y2: y(v) })),
    ...p.points.filter((o) => o.alerts).map((o) => svg('circle', { class: 'raised', cx: x(o.at), cy: y(o.value), r: 4 }, svg('title', {}, `${o.alerts} alerts`))),
    svg('text', { x: 0, y: y(p.raise[0]) + 4 }, p.raise[0].toFixed(2)),
    svg('text', { x: left, y: height - 6 }, exact(p.points[0].at)),
    svg('text', { x: width - 8, y: height - 6, 'text-anchor': 'end' }, exact(p.points.at(-1).at)))
}

/** A value with as many digits as tell it from another. */
const beside = (v, other) => v.toFixed([2, 3, 4, 5].find((n) => v.toFixed(n) !== other.toFixed(n)) ?? 2)

export function values(at, name, signal) {
  return asked(at, 'Reading the last day', signal, async (signal) => {
    const p = await ask(`/api/v1/rules/${encodeURIComponent(name)}/past`, { signal })
    if (!p.points.length) return [element('p', {}, 'Nothing that the rule compares is recorded of the last day.'), ...notes(p.notes)]
    const said = `Of ${p.clips} clips the highest value of each 15 minutes; it counts from the broken line on, and dots are alerts.`
    return [plot(p), element('p', { class: 'faint' }, said), ...notes(p.notes), element('p', {}, p.misses.length ? 'Nearest without being counted:' : 'Nothing came near.'),
      element('ul', { class: 'pictures', 'data-misses': '' }, ...p.misses.map((m) => picture(m.camera, m.clip_id, [`${m.label} on ${m.camera}, ${exact(m.end)}: ${beside(m.value, m.raise)} of ${beside(m.raise, m.value)}`])))]
  })
}

export function explained(at, camera, moment, signal) {
  return asked(at, 'Replaying the hour before', signal, async (signal) => {
    const e = await ask(`/api/v1/explain?${new URLSearchParams({ camera, at: moment.toISOString() })}`, { signal })
    const out = [...notes(e.notes)]
    if (e.clip_id) out.push(element('ul', { class: 'pictures' }, picture(camera, e.clip_id, [`The clip from ${exact(e.start)} to ${exact(e.end)}`])))
    else out.push(element('p', {}, 'No recorded clip shows this moment.' + (e.before ? ` The last one before it ends ${exact(e.before)}.` : '') + (e.after ? ` The first one after it ends ${exact(e.after)}.` : '')))
    const watching = e.rules.filter((r) => r.watches)
    const dl = element('dl', { class: 'facts' })
    for (const r of watching) dl.append(element('dt', {}, r.rule), element('dd', {}, r.why + (r.clips?.length ? ` (last clips: ${r.clips.map((c) => c.value.toFixed(2)).join(', ')})` : '')))
    if (!watching.length && e.clip_id) out.push(element('p', {}, 'No rule watches this camera.'))
    return [...out, dl]
  })
}

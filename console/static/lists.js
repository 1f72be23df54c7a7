// What a timeline shows, as lists: for who does not see it, and to be copied.
import { alertText, reviewOf } from './past.js'
import { exact } from './words.js'

const most = 100

export function lists(at, past) {
  const labels = past.labels.map((l) => {
    const best = l.values.indexOf(Math.max(...l.values))
    if (best < 0) return [`${l.label}: not seen`]
    return [`${l.label}: ${l.measure} at most ${l.top.toFixed(2)} at ${exact(past.data.best_clips[l.clips[best]].end)}; ${counted(l, past)}`]
  })
  const alerts = past.alerts.map((a) => [`${exact(a.at)}: ${alertText(a)}`, reviewOf(a, past.camera)])
  const gaps = past.gaps.map((g) => [`${exact(g.at)} to ${exact(g.end)}: ${g.reason}`])
  at.replaceChildren(...list('Labels', labels, 'None.'), ...list('Alerts', alerts, 'None.'), ...list('Gaps', gaps, 'None: there were clips all the time.'))
}

/** In how many stretches of time a label was counted by a rule. */
function counted(l, past) {
  if (!Number.isFinite(l.raise)) return 'no rule watches for it'
  const times = []
  l.values.forEach((v, i) => {
    if (v < l.raise) return
    const t = past.start(l.at[i])
    if (times.at(-1)?.end === t) times.at(-1).end = t + past.step
    else times.push({ at: t, end: t + past.step })
  })
  if (!times.length) return `never above ${l.raise.toFixed(2)}, from which a rule counts it`
  return `above ${l.raise.toFixed(2)}, from which a rule counts it, at ${times.slice(0, 5).map((t) => exact(t.at)).join(', ')}${times.length > 5 ? ` and ${times.length - 5} times more` : ''}`
}

function list(name, all, none) {
  const title = document.createElement('h3')
  title.textContent = all.length > most ? `${name}: the first ${most} of ${all.length}` : name
  const ul = document.createElement('ul')
  ul.append(...all.slice(0, most).map(([text, address]) => {
    const li = document.createElement('li')
    const a = address ? document.createElement('a') : li
    if (address) { a.href = address; li.append(a) }
    a.textContent = text
    return li
  }))
  if (!all.length) ul.append(Object.assign(document.createElement('li'), { textContent: none }))
  return [title, ul]
}

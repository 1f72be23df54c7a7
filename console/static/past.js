// What the API says of a camera's past, with times as numbers of milliseconds.
export async function read(camera, from, to, buckets, signal) {
  const query = new URLSearchParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), buckets })
  const answer = await fetch(`/api/v1/cameras/${encodeURIComponent(camera)}/timeline?${query}`, { signal })
  const data = await answer.json().catch(() => ({}))
  if (!answer.ok) throw Object.assign(new Error(data.detail ?? answer.statusText), { status: answer.status })
  return new Past(data, camera, from, to)
}

const longestClip = 5000 // ms

export class Past {
  constructor(data, camera, from, to) {
    Object.assign(this, { camera, from, to, data })
    this.begin = Number(new Date(data.begin))
    this.step = data.step_seconds * 1000
    this.unread = data.unread_until ? Number(new Date(data.unread_until)) : 0
    this.labels = data.labels.map((l) => ({
      ...l, raise: Math.min(...l.rules.filter((r) => r.measure === l.measure).map((r) => r.raise)), // Infinity: no rule
      by: new Map(l.at.map((at, i) => [at, i])),
    }))
    const time = (t) => (t ? Number(new Date(t)) : null)
    // An alert is where its clip is: a clip counts where it ends.
    this.alerts = data.alerts.map((a) => ({ ...a, at: time(a.raised_at) ?? time(a.onset), since: time(a.onset), end: time(a.ended) }))
    this.gaps = data.gaps.map((g) => ({ ...g, at: time(g.from), end: time(g.to) }))
  }

  /** The number of the step that a time is in. */
  number(t) { return Math.floor((t - this.begin) / this.step) }

  start(n) { return this.begin + n * this.step }

  /** What labels had in a step, the highest first: [{ label, value, clip, counts }]. */
  at(n) {
    return this.labels.filter((l) => l.by.has(n)).map((l) => {
      const i = l.by.get(n)
      return { label: l, value: l.values[i], clip: this.data.best_clips[l.clips[i]], counts: l.values[i] >= l.raise }
    }).sort((a, b) => b.value - a.value)
  }

  /** A clip of a step. */
  clip(n) { return this.data.best_clips[this.data.seen[n]] }

  /** The step with the clip in which a time was seen: a clip counts where it ends. */
  seen(t) {
    const n = this.number(t)
    const near = Math.ceil(longestClip / this.step)
    for (let i = n; i <= n + near; i++) if (this.clip(i)) return i
    return n
  }

  /** Alerts and gaps that a time from one to another touches. */
  within(list, from, to, now = Date.now()) { return list.filter((x) => (x.since ?? x.at) < to && (x.end ?? now) >= from) }
}

/** Where an alert is looked at: in Review, for who may. */
export function reviewOf(alert, camera) {
  if (!alert.alert_id) return ''
  const around = (ms) => new Date(alert.at + ms).toISOString()
  return '/review?' + new URLSearchParams({ marked: 'all', camera: camera.replace(/[*?[\\]/g, '\\$&'), from: around(-3600e3), to: around(3600e3), alert: alert.alert_id })
}

/** Where a time is looked at, with as much around it; at is the moment. */
export function timelineOf(camera, from, to, at = from) {
  const [first, last] = [Number(new Date(from)), Number(new Date(to))]
  const around = Math.max(5 * 60e3, Math.min(last - first, 12 * 3600e3))
  const iso = (t) => new Date(t).toISOString()
  return '/timeline?' + new URLSearchParams({ camera, from: iso(first - around), to: iso(Math.min(Math.min(last, first + 24 * 3600e3) + around, Date.now())), at: iso(Number(new Date(at))) })
}

export function alertText(a) {
  const mark = a.mark ? `, marked ${a.mark}` : ''
  return `${a.about}, rule ${a.rule}, ${a.severity}${a.end ? '' : ', open'}${mark}`
}

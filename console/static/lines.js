// Labels as lines over time, with what rules count from, alerts and gaps.
import { colour, sharp, ticks } from './axis.js'
import { alertText } from './past.js'
import { exact } from './words.js'

const most = 5 // lines that can be told apart
const dashes = [[], [6, 3], [2, 2], [10, 3, 2, 3], [4, 6]]
const inks = ['--accent', '--warning', '--ink', '--critical', '--faint']
const pause = 6e3 // ms; clips that are further apart have no line between them, unless all are

export class Lines {
  #past = null
  #lines = new Map() // by label: { measure, raise, points: [[t, value]] }
  #alerts = []
  #newest = 0
  #pause = pause
  #hover = null

  constructor(at) {
    this.canvas = at.querySelector('canvas')
    this.keys = at.querySelector('[data-keys]')
    this.readout = at.querySelector('[data-readout]')
    this.canvas.addEventListener('pointermove', (e) => { this.#hover = e.offsetX; this.draw(this.from, this.to) })
    this.canvas.addEventListener('pointerleave', () => { this.#hover = null; this.draw(this.from, this.to) })
  }

  /** Takes what was read; what the stream said since stays. */
  take(past) {
    const since = this.#newest
    const before = this.#lines
    this.#past = past
    this.#alerts = past.alerts
    this.#lines = new Map(past.labels.slice(0, most).map((l) => [l.label, {
      measure: l.measure, raise: l.raise, rules: l.rules, points: l.at.map((n, i) => [Number(new Date(past.data.best_clips[l.clips[i]].end)), l.values[i]]),
    }]))
    const read = Math.max(0, ...past.data.best_clips.map((c) => Number(new Date(c.end))))
    this.#newest = Math.max(read, since)
    const ends = past.data.best_clips.map((c) => Number(new Date(c.end))).sort((a, b) => a - b)
    const strides = ends.map((t, i) => t - ends[i - 1]).filter((d) => d >= 1000).sort((a, b) => a - b)
    this.#pause = Math.max(pause, 2.5 * (strides[Math.floor(strides.length / 2)] ?? 0))
    for (const [name, line] of before) this.#lines.get(name)?.points.push(...line.points.filter(([t]) => t > read))
  }

  /** Takes what the stream of events says of a camera's newest clip. */
  add(tile) {
    const t = Number(new Date(tile.end))
    if (t <= this.#newest || !this.#past) return
    this.#newest = t
    for (const b of tile.labels) {
      const line = this.#lines.get(b.label)
      if (line && line.measure === b.measure) line.points.push([t, b.value])
      else if (!line && this.#lines.size < most) this.#lines.set(b.label, { measure: b.measure, raise: b.raise || Infinity, rules: b.raise ? [{ rule: b.rule, raise: b.raise, measure: b.measure }] : [], points: [[t, b.value]] })
    }
    const ids = (a) => `${a.rule} ${a.at}`
    const known = new Set(this.#alerts.map(ids))
    for (const a of tile.alerts) {
      const one = { ...a, at: Number(new Date(a.onset)), end: null }
      if (!known.has(ids(one))) this.#alerts.push(one)
    }
  }

  draw(from, to) {
    if (!from) return
    Object.assign(this, { from, to })
    const { to: ink, width, height } = sharp(this.canvas)
    const x = (t) => ((t - from) / (to - from)) * width
    const y = (v) => height - 18 - v * (height - 26)
    ink.font = '11px system-ui, sans-serif'
    this.#grid(ink, x, y, width, height)
    this.#holes(ink, x, width, height)
    const lines = [...this.#lines]
    lines.forEach(([, line], i) => this.#line(ink, line, i, x, y, from, width))
    this.#marks(ink, x, width, height)
    if (this.#hover !== null) {
      ink.fillStyle = colour('--ink')
      ink.fillRect(this.#hover, 0, 1, height - 16)
    }
    this.#words(lines, from + ((this.#hover ?? width) / width) * (to - from))
  }

  #grid(ink, x, y, width, height) {
    ink.strokeStyle = colour('--edge')
    ink.fillStyle = colour('--faint')
    ink.lineWidth = 1
    ink.setLineDash([])
    for (const v of [0, 0.5, 1]) {
      ink.beginPath()
      ink.moveTo(0, y(v))
      ink.lineTo(width, y(v))
      ink.stroke()
      ink.fillText(v.toFixed(1), 4, y(v) + (v === 1 ? 11 : -2))
    }
    for (const t of ticks(this.from, this.to, width / 90)) ink.fillText(t.text, x(t.at), height - 4)
  }

  #holes(ink, x, width, height) {
    ink.fillStyle = colour('--edge')
    for (const g of this.#past?.gaps ?? []) {
      // What came since shows where the last one ends.
      const end = this.#newest > g.end + 1000 || g.clips ? g.end : Math.max(g.end, Date.now() - 20e3)
      const [left, right] = [Math.max(0, x(g.at)), Math.min(width, x(end))]
      if (right <= left) continue
      ink.globalAlpha = g.clips ? 0.3 : 0.6
      ink.fillRect(left, 0, right - left, height - 16)
      ink.globalAlpha = 1
    }
  }

  #line(ink, line, i, x, y, from, width) {
    ink.strokeStyle = colour(inks[i])
    ink.lineWidth = 2
    ink.setLineDash(dashes[i])
    ink.beginPath()
    let last = 0
    for (const [t, v] of line.points) {
      if (t < from - this.#pause) continue
      if (t - last > this.#pause) ink.moveTo(x(t) - 1, y(v))
      ink.lineTo(x(t), y(v))
      last = t
    }
    ink.stroke()
    if (!Number.isFinite(line.raise)) return
    ink.lineWidth = 1
    ink.setLineDash([1, 3])
    ink.beginPath()
    ink.moveTo(0, y(line.raise))
    ink.lineTo(width, y(line.raise))
    ink.stroke()
    ink.setLineDash([])
  }

  #marks(ink, x, width, height) {
    let free = 0 // where there is room for words
    for (const a of this.#alerts) {
      const [left, right] = [x(a.at), x(a.end ?? Date.now())]
      if (right < 0 || left > width) continue
      ink.fillStyle = colour(a.severity === 'critical' ? '--critical' : a.severity === 'warning' ? '--warning' : '--accent')
      ink.globalAlpha = 0.15
      ink.fillRect(Math.max(0, left), 0, Math.min(width, right) - Math.max(0, left), height - 16)
      ink.globalAlpha = 1
      ink.fillRect(left, 0, 2, height - 16)
      if (left < free) continue
      ink.fillText('! ' + a.about, Math.max(2, left + 5), 11)
      free = left + ink.measureText('! ' + a.about).width + 10
    }
  }

  /** What the lines are, with their values at a time. */
  #words(lines, t) {
    const text = lines.map(([name, line]) => {
      const value = line.points.findLast(([at]) => at <= t && at > t - this.#pause)?.[1]
      return `${name}: ${line.measure} ${value === undefined ? 'none' : value.toFixed(2)}` + (Number.isFinite(line.raise) ? `, counts from ${line.raise.toFixed(2)}` : '')
    })
    if (this.keys.children.length !== text.length) {
      this.keys.replaceChildren(...text.map((_, i) => {
        const key = document.createElement('span')
        key.className = 'key'
        key.innerHTML = '<svg aria-hidden="true" viewBox="0 0 24 8"><path d="M0 4h24" fill="none" stroke-width="2"/></svg><span></span>'
        const path = key.querySelector('path')
        path.style.stroke = `var(${inks[i]})`
        path.style.strokeDasharray = dashes[i].join(' ')
        return key
      }))
    }
    text.forEach((line, i) => { const at = this.keys.children[i].lastChild; if (at.textContent !== line) at.textContent = line })
    const alert = this.#alerts.findLast((a) => a.at <= t && (a.end ?? Date.now()) >= t)
    const gap = this.#past?.gaps.find((g) => g.at <= t && g.end >= t)
    const readout = [this.#hover === null ? '' : exact(t), alert && `Alert: ${alertText(alert)}`, gap?.reason].filter(Boolean).join('; ')
    if (this.readout.textContent !== readout) this.readout.textContent = readout
  }
}

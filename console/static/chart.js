// The chart of a timeline: a band for each label, alerts above, gaps across.
import { colour, sharp, ticks } from './axis.js'
import { alertText, reviewOf } from './past.js'
import { exact } from './words.js'

const least = 14 // pixels between two alerts that are shown apart
const stride = 2420 // ms from one clip to the next: what a step shows that is shorter
const ranks = { critical: 2, warning: 1 }

export class Chart {
  past = null

  constructor(at) {
    const find = (name) => at.querySelector(`[data-${name}]`)
    Object.assign(this, { names: find('names'), axis: find('axis'), marks: find('marks'), bands: find('bands'), gaps: find('gaps'), cursor: find('cursor') })
  }

  get width() { return this.bands.clientWidth }

  /** The time at a distance from the left. */
  time(x) { return this.from + (x / this.width) * (this.to - this.from) }

  x(t) { return ((t - this.from) / (this.to - this.from)) * this.width }

  /** The number of the label at a height. */
  row(y) { return Math.max(0, Math.min((this.past?.labels.length ?? 1) - 1, Math.floor(y / 28))) }

  /** Draws what was read, which may be of another time than is shown. */
  draw(past, from, to) {
    const fresh = past !== this.past
    Object.assign(this, { past, from, to })
    if (fresh) this.#rows()
    this.#axis()
    if (!past) return
    const paint = { low: colour('--accent'), high: colour('--warning'), edge: colour('--edge') }
    past.labels.forEach((label, i) => this.#band(this.bands.querySelectorAll('canvas')[i], label, paint))
    this.#marks()
    this.#gaps()
  }

  #rows() {
    const labels = this.past?.labels ?? []
    this.names.replaceChildren(...labels.map((l) => {
      const row = document.createElement('div')
      row.textContent = l.label
      row.title = `${l.label}: ${l.measure}, at most ${l.top.toFixed(2)}` + (l.rules.length ? l.rules.map((r) => `; the rule ${r.rule} counts it from ${r.measure} ${r.raise.toFixed(2)} on`).join('') : '; no rule watches for it')
      row.className = l.rules.length ? 'watched' : ''
      return row
    }))
    const have = [...this.bands.querySelectorAll('canvas')]
    while (have.length > labels.length) have.pop().remove()
    while (have.length < labels.length) {
      const canvas = document.createElement('canvas')
      canvas.ariaHidden = 'true'
      have.push(canvas)
      this.gaps.before(canvas)
    }
  }

  choose(row) { [...this.names.children].forEach((at, i) => at.classList.toggle('chosen', i === row)) }

  #axis() {
    this.axis.replaceChildren(...ticks(this.from, this.to, Math.max(2, this.width / 100)).map((t) => {
      const at = document.createElement('span')
      at.textContent = t.text
      at.className = t.date ? 'date' : ''
      at.style.left = `${this.x(t.at)}px`
      return at
    }))
  }

  // The higher the value, the fuller the colour; what a rule counts has a line above, too.
  #band(canvas, label, paint) {
    const { to, width, height } = sharp(canvas)
    to.fillStyle = paint.edge
    to.fillRect(0, height - 1, width, 1)
    label.at.forEach((n, i) => {
      const end = this.past.start(n + 1)
      const x = this.x(Math.min(this.past.start(n), end - stride))
      const w = Math.max(1, this.x(end) - x + 0.5)
      if (x + w < 0 || x > width) return
      const value = label.values[i]
      const counts = value >= label.raise
      to.fillStyle = counts ? paint.high : paint.low
      to.globalAlpha = Math.min(1, 0.06 + 0.94 * value)
      to.fillRect(x, 5, w, height - 8)
      to.globalAlpha = 1
      if (counts) to.fillRect(x, 1, w, 3)
    })
  }

  // Alerts that are close to each other share a mark.
  #marks() {
    const groups = []
    for (const a of this.past.alerts) {
      const x = this.x(a.at)
      if (x < 0 || x > this.width) continue
      const last = groups.at(-1)
      if (last && x - last.x < (last.all.length > 1 ? 2 * least : least)) last.all.push(a)
      else groups.push({ x, all: [a] })
    }
    this.marks.replaceChildren(...groups.map(({ x, all }) => {
      const worst = all.reduce((a, b) => ((ranks[b.severity] ?? 0) > (ranks[a.severity] ?? 0) ? b : a))
      const address = reviewOf(worst, this.past.camera)
      const at = document.createElement(address ? 'a' : 'span')
      if (address) at.href = address
      at.dataset.severity = worst.severity
      at.dataset.at = worst.at
      at.className = all.every((a) => a.mark === 'false') ? 'false' : ''
      at.textContent = all.length > 1 ? all.length : worst.severity === 'critical' ? '!!' : worst.severity === 'warning' ? '!' : 'i'
      const text = `${exact(worst.at)}: ${alertText(worst)}` + (all.length > 1 ? `, and ${all.length - 1} more` : '')
      at.title = text
      if (address) at.ariaLabel = text
      at.style.left = `${x}px`
      return at
    }))
  }

  #gaps() {
    const all = this.past.gaps.map((g) => ({ ...g, text: g.reason }))
    if (this.past.unread) all.push({ at: this.past.from, end: this.past.unread, text: 'being read' })
    this.gaps.replaceChildren(...all.map((g) => {
      const [left, right] = [Math.max(0, this.x(g.at)), Math.min(this.width, this.x(g.end))]
      if (right <= 0 || left >= this.width || right < left) return null
      const at = document.createElement('span')
      at.style.left = `${left}px`
      at.style.width = `${Math.max(1, right - left)}px`
      at.className = g.clips ? 'some' : ''
      if (right - left > 60) at.textContent = g.text
      return at
    }).filter(Boolean))
  }

  /** Shows a moment; null: none. */
  point(t) {
    this.cursor.hidden = t === null || t < this.from || t > this.to
    if (!this.cursor.hidden) this.cursor.style.left = `${this.x(t)}px`
  }
}

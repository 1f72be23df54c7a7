// Masks and zones, drawn on a still: by mouse, by finger and by keyboard. Corners are
// fractions of the picture.
import { make } from './cameras-api.js'

const svgNS = 'http://www.w3.org/2000/svg'
const node = (tag, attributes = {}) => {
  const at = document.createElementNS(svgNS, tag)
  for (const [k, v] of Object.entries(attributes)) at.setAttribute(k, v)
  return at
}
const within = (v) => Math.min(1, Math.max(0, Math.round(v * 10000) / 10000))
const begun = [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]] // where corners begin that are typed
const most = 64
const finger = 24 // pixels around a corner that a finger may touch

/** The corners of a text; two are those of a rectangle. */
function corners(text) {
  const all = text.trim().split(/\s+/).map((c) => c.split(',').map(Number))
  return all.length === 2 ? [all[0], [all[1][0], all[0][1]], all[1], [all[0][0], all[1][1]]] : all
}

export class Areas {
  shapes = [] // {kind, name, points, text: as it is stored, while nothing was changed of it}
  #chosen = -1
  #drawing = false // clicks add corners
  #drag = null

  constructor(root, changed) {
    this.svg = root.querySelector('[data-draw]')
    this.list = root.querySelector('[data-shapes]')
    this.hint = root.querySelector('[data-hint]')
    this.changed = changed
    for (const b of root.querySelectorAll('[data-new]')) b.addEventListener('click', () => this.#begin(b.dataset.new))
    this.svg.addEventListener('pointerdown', (e) => this.#down(e))
    this.svg.addEventListener('pointermove', (e) => this.#move(e))
    this.svg.addEventListener('pointerup', (e) => this.#up(e))
    this.svg.addEventListener('pointercancel', (e) => this.#up(e))
    this.svg.addEventListener('keydown', (e) => this.#key(e))
    new ResizeObserver(() => this.#place()).observe(this.svg)
  }

  set(masks, zones) {
    this.shapes = [
      ...masks.map((text) => ({ kind: 'mask', name: '', points: corners(text), text })),
      ...Object.entries(zones).sort().map(([name, text]) => ({ kind: 'zone', name, points: corners(text), text })),
    ]
    this.#chosen = -1
    this.#drawing = false
    this.#draw()
  }

  /** What is to be saved; an error says what is missing. */
  get() {
    const out = { masks: [], zones: {} }
    for (const [i, s] of this.shapes.entries()) {
      if (s.points.length < 3) throw new Error(`${this.#title(i)} has ${s.points.length} corners: it needs three`)
      const text = s.text ?? s.points.map((p) => p.join(',')).join(' ')
      if (s.kind === 'mask') { out.masks.push(text); continue }
      if (!s.name) throw new Error('a zone needs a name, which rules use')
      if (s.name in out.zones) throw new Error(`two zones are named ${s.name}`)
      out.zones[s.name] = text
    }
    return out
  }

  #title(i) {
    const s = this.shapes[i]
    return s.kind === 'zone' ? `zone ${s.name || 'without a name'}` : `mask ${this.shapes.slice(0, i + 1).filter((o) => o.kind === 'mask').length}`
  }

  #begin(kind) {
    this.shapes.push({ kind, name: '', points: [] })
    this.#chosen = this.shapes.length - 1
    this.#drawing = true
    this.#edited()
    if (kind === 'zone') this.list.querySelector('.chosen input').focus()
    else this.svg.focus()
  }

  #edited() {
    const s = this.shapes[this.#chosen]
    if (s) delete s.text
    this.#draw()
    this.changed()
  }

  #say() {
    const s = this.shapes[this.#chosen]
    let text = this.shapes.length ? 'Choose one to move its corners.' : 'Nothing is masked, and there are no zones.'
    if (s && this.#drawing) text = `${s.kind === 'zone' && !s.name ? 'Name it, then click or tap' : 'Click or tap'} its corners on the picture, in order, or press A there: ${s.points.length} so far. Done with Enter, or with its first corner.`
    else if (s) text = 'Drag its corners, or move them with the arrows.'
    if (this.hint.textContent !== text) this.hint.textContent = text
  }

  // ---- pointers

  #at(e) {
    const box = this.svg.getBoundingClientRect()
    return [within((e.clientX - box.left) / box.width), within((e.clientY - box.top) / box.height)]
  }

  /** The corner that is meant; -1: none. A finger covers more than a corner. */
  #corner(e) {
    const hit = e.target.dataset?.corner
    if (hit !== undefined) return Number(hit)
    if (e.pointerType !== 'touch') return -1
    const box = this.svg.getBoundingClientRect()
    const far = (this.shapes[this.#chosen]?.points ?? []).map((p) => Math.hypot(box.left + p[0] * box.width - e.clientX, box.top + p[1] * box.height - e.clientY))
    const nearest = Math.min(...far)
    return nearest <= finger ? far.indexOf(nearest) : -1
  }

  #down(e) {
    if (!e.isPrimary) return // another finger
    const corner = this.#corner(e)
    const s = this.shapes[this.#chosen]
    if (corner >= 0) {
      if (this.#drawing && corner === 0 && s.points.length > 2) { this.#done(); return }
      this.#grab(e, corner)
      return
    }
    if (this.#drawing && s) {
      if (s.points.length >= most) return
      s.points.push(this.#at(e))
      this.#edited()
      this.#grab(e, s.points.length - 1) // where it goes is seen before the finger is lifted
      return
    }
    const shape = e.target.dataset?.shape
    this.#choose(shape === undefined ? -1 : Number(shape))
  }

  #grab(e, n) {
    this.#drag = { n, moved: false, pointer: e.pointerId }
    this.svg.setPointerCapture(e.pointerId)
    this.#focus(n)
    e.preventDefault()
  }

  #move(e) {
    if (this.#drag?.pointer !== e.pointerId) return
    const s = this.shapes[this.#chosen]
    s.points[this.#drag.n] = this.#at(e)
    delete s.text
    this.#drag.moved = true
    this.#place()
  }

  #up(e) {
    if (this.#drag?.pointer !== e.pointerId) return
    const drag = this.#drag
    this.#drag = null
    if (drag?.moved) { this.#edited(); this.#focus(drag.n) }
  }

  #done() {
    this.#drawing = false
    this.#draw()
    this.list.querySelector('.chosen button')?.focus()
  }

  #choose(i) {
    if (this.#chosen === i && !this.#drawing) return
    this.#chosen = i
    this.#drawing = false
    this.#draw()
  }

  // ---- keys

  #key(e) {
    const s = this.shapes[this.#chosen]
    if (!s || e.ctrlKey || e.metaKey) return
    const n = e.target.dataset?.corner === undefined ? -1 : Number(e.target.dataset.corner)
    const step = e.shiftKey ? 0.05 : e.altKey ? 0.002 : 0.01
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[e.key]
    if (e.key === 'Enter') this.#done()
    else if (e.key === 'Escape') this.#choose(-1)
    else if (e.key.toLowerCase() === 'a') this.#add(n)
    else if (by && n >= 0) {
      s.points[n] = [within(s.points[n][0] + by[0]), within(s.points[n][1] + by[1])]
      this.#edited()
      this.#focus(n)
    } else if ((e.key === 'Delete' || e.key === 'Backspace') && n >= 0) {
      s.points.splice(n, 1)
      this.#edited()
      this.#focus(Math.min(n, s.points.length - 1))
    } else return
    e.preventDefault()
  }

  /** Adds a corner after the n-th, or after the last. */
  #add(n) {
    const s = this.shapes[this.#chosen]
    if (s.points.length >= most) return
    if (n < 0) n = s.points.length - 1
    const a = s.points[n]
    const b = s.points[(n + 1) % s.points.length]
    const next = s.points.length < begun.length && s.points.every((p, i) => s.points.length < 3 || p === begun[i]) ? begun[s.points.length] : [within((a[0] + b[0]) / 2), within((a[1] + b[1]) / 2)]
    s.points.splice(n + 1, 0, [...next])
    this.#edited()
    this.#focus(n + 1)
  }

  #focus(n) { (this.svg.querySelector(`[data-corner="${n}"]`) ?? this.svg).focus() }

  // ---- what is seen

  #draw() {
    const nodes = []
    this.shapes.forEach((s, i) => {
      const area = node(this.#drawing && i === this.#chosen ? 'polyline' : 'polygon', { class: s.kind + (i === this.#chosen ? ' chosen' : ''), 'data-shape': i })
      nodes.push(area)
      if (s.kind === 'zone') {
        const name = node('text', { class: 'zone-name', 'data-of': i })
        name.textContent = s.name
        nodes.push(name)
      }
    })
    const s = this.shapes[this.#chosen]
    s?.points.forEach((p, n) => {
      nodes.push(node('circle', {
        class: 'corner', 'data-corner': n, r: 8, tabindex: 0, role: 'button',
        'aria-label': `Corner ${n + 1} of ${this.#title(this.#chosen)}, ${Math.round(100 * p[0])}% from the left, ${Math.round(100 * p[1])}% from the top`,
      }))
    })
    this.svg.replaceChildren(...nodes)
    this.svg.classList.toggle('drawing', this.#drawing)
    this.#place()
    this.#rows()
    this.#say()
  }

  #place() {
    const { clientWidth: w, clientHeight: h } = this.svg
    const px = (p) => [p[0] * w, p[1] * h]
    for (const area of this.svg.querySelectorAll('[data-shape]')) area.setAttribute('points', this.shapes[area.dataset.shape].points.map((p) => px(p).join(',')).join(' '))
    for (const name of this.svg.querySelectorAll('[data-of]')) {
      const { points } = this.shapes[name.dataset.of]
      const [x, y] = px(points[0] ?? [0, 0])
      name.setAttribute('x', x + 10)
      name.setAttribute('y', y + 18)
    }
    for (const c of this.svg.querySelectorAll('[data-corner]')) {
      const [x, y] = px(this.shapes[this.#chosen].points[c.dataset.corner])
      c.setAttribute('cx', x)
      c.setAttribute('cy', y)
    }
  }

  #rows() {
    const focused = document.activeElement?.closest?.('[data-shapes] li')?.dataset.n
    const field = document.activeElement?.name === 'zone'
    const edge = field ? [document.activeElement.selectionStart, document.activeElement.selectionEnd] : null
    this.list.replaceChildren(...this.shapes.map((s, i) => this.#row(s, i)))
    if (!field || focused === undefined) return
    const input = this.list.querySelector(`[data-n="${focused}"] input`)
    input?.focus()
    input?.setSelectionRange(...edge)
  }

  #row(s, i) {
    const at = make('li', '', { className: i === this.#chosen ? 'chosen' : '' })
    at.dataset.n = i
    const choose = make('button', s.kind === 'mask' ? `Mask ${this.#title(i).slice(5)}` : 'Zone', { type: 'button', ariaPressed: String(i === this.#chosen) })
    choose.addEventListener('click', () => { this.#choose(i); this.#focus(0) })
    at.append(choose)
    if (s.kind === 'zone') {
      const name = make('input', '', { name: 'zone', value: s.name, maxLength: 64, size: 10, ariaLabel: 'Name of the zone', placeholder: 'name', autocomplete: 'off' })
      name.addEventListener('focus', () => { if (this.#chosen !== i) this.#choose(i) })
      name.addEventListener('input', () => {
        s.name = name.value.trim()
        this.svg.querySelector(`[data-of="${i}"]`).textContent = s.name
        this.changed()
      })
      at.append(name)
    }
    const corner = make('button', 'Add a corner', { type: 'button' })
    corner.addEventListener('click', () => { if (this.#chosen !== i) this.#choose(i); this.#add(-1) })
    const gone = make('button', 'Remove', { type: 'button', ariaLabel: `Remove ${this.#title(i)}` })
    gone.addEventListener('click', () => {
      this.shapes.splice(i, 1)
      this.#chosen = -1
      this.#drawing = false
      this.#draw()
      this.changed()
    })
    at.append(make('span', `${s.points.length} corners`, { className: 'do' }), corner, gone)
    return at
  }
}

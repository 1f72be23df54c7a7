// The list of alerts, the newest first. What comes at its top does not move what is seen.
import { ago, exact } from './words.js'

const order = (a, b) => b.at.localeCompare(a.at) || (a.alert_id < b.alert_id ? 1 : a.alert_id > b.alert_id ? -1 : 0)

export class Rows {
  #at = new Map() // elements by id
  #items = []
  #serial = 0

  constructor(list, scroller, look, several) {
    Object.assign(this, { list, scroller, look, current: null, selected: new Set() })
    list.addEventListener('click', (e) => {
      const row = e.target.closest('[role=option]')
      if (!row) return
      if (several && (e.ctrlKey || e.metaKey)) this.#toggle(row.item)
      else this.choose(row.item)
    })
    setInterval(() => { for (const [, row] of this.#at) this.#time(row) }, 30000)
  }

  get size() { return this.#items.length }
  get first() { return this.#items[0] }
  get(id) { return this.#at.get(id)?.item }
  all() { return [...this.#items] }
  chosen() { return this.#items.filter((a) => this.selected.has(a.alert_id)) }

  clear() {
    this.#items = []
    this.#at.clear()
    this.list.replaceChildren()
    this.current = null
    this.selected.clear()
  }

  /** Takes over the newest alerts; whole: there are no others. It returns how many are new. */
  merge(items, whole, anew) {
    const there = new Set(items.map((a) => a.alert_id))
    const end = items.at(-1)
    // What is not listed any more was decided elsewhere. What is looked at stays until one
    // moves on.
    const gone = this.#items.filter((a) => !there.has(a.alert_id) && (whole || end && order(a, end) < 0))
    this.remove(gone.filter((a) => a !== this.current))
    const known = items.filter((a) => this.#at.has(a.alert_id))
    for (const item of known) this.#renew(item)
    const fresh = items.filter((a) => !this.#at.has(a.alert_id))
    this.insert(fresh)
    if (!this.current && !anew && this.size) this.choose(this.first)
    return anew || this.scroller.scrollTop === 0 ? 0 : fresh.filter((a) => this.current && order(a, this.current) < 0).length
  }

  append(items) { this.insert(items) }

  insert(items) {
    const seen = this.current && this.#at.get(this.current.alert_id)
    const before = seen && seen.offsetTop - this.scroller.scrollTop
    for (const item of items) {
      if (this.#at.has(item.alert_id)) continue
      let i = this.#items.length
      while (i > 0 && order(item, this.#items[i - 1]) < 0) i--
      const row = this.#row(item)
      this.list.insertBefore(row, this.list.children[i] ?? null)
      this.#items.splice(i, 0, item)
      this.#at.set(item.alert_id, row)
    }
    if (!seen?.isConnected) return
    const keep = () => { this.scroller.scrollTop += seen.offsetTop - this.scroller.scrollTop - before }
    keep()
    // Rows have their heights only when they are drawn.
    const { scrollTop } = this.scroller
    requestAnimationFrame(() => requestAnimationFrame(() => { if (seen.isConnected && this.current === seen.item && this.scroller.scrollTop === scrollTop) keep() }))
  }

  remove(items) {
    for (const item of items) {
      this.#at.get(item.alert_id)?.remove()
      this.#at.delete(item.alert_id)
      this.selected.delete(item.alert_id)
      if (this.current?.alert_id === item.alert_id) this.current = null
    }
    const gone = new Set(items.map((a) => a.alert_id))
    this.#items = this.#items.filter((a) => !gone.has(a.alert_id))
    if (!this.current) this.list.removeAttribute('aria-activedescendant')
  }

  /** The alert to look at after some: the next, or else the one before. */
  after(items) {
    const gone = new Set(items.map((a) => a.alert_id))
    const i = this.#items.findIndex((a) => gone.has(a.alert_id))
    const free = (a) => !gone.has(a.alert_id)
    return this.#items.slice(Math.max(i, 0)).find(free) ?? this.#items.slice(0, Math.max(i, 0)).findLast(free)
  }

  choose(item) {
    this.current = item ?? null
    this.selected = new Set(item ? [item.alert_id] : [])
    this.#paint()
    const row = item && this.#at.get(item.alert_id)
    if (row) {
      this.list.setAttribute('aria-activedescendant', row.id)
      if (this.scroller.scrollHeight > this.scroller.clientHeight + 1) row.scrollIntoView({ block: 'nearest' })
    }
    this.look(item)
  }

  select(items) {
    this.selected = new Set((items.length ? items : [this.current].filter(Boolean)).map((a) => a.alert_id))
    this.#paint()
  }

  move(by) {
    if (!this.size) return
    const i = this.#items.indexOf(this.current)
    this.choose(this.#items[Math.min(this.size - 1, Math.max(0, i + by))])
  }

  top() { this.scroller.scrollTop = 0 }

  #toggle(item) {
    if (!this.selected.delete(item.alert_id)) this.selected.add(item.alert_id)
    this.#paint()
  }

  #paint() {
    for (const [id, row] of this.#at) {
      row.ariaSelected = String(this.selected.has(id))
      row.classList.toggle('current', row.item === this.current)
    }
  }

  #renew(item) {
    const row = this.#at.get(item.alert_id)
    const i = this.#items.indexOf(row.item)
    if (this.current === row.item) this.current = item
    this.#items[i] = row.item = item
    this.#text(row)
  }

  #row(item) {
    const row = document.createElement('li')
    row.item = item
    row.role = 'option'
    row.id = `alert-${++this.#serial}`
    row.ariaSelected = 'false'
    row.innerHTML = '<span class="strip"></span><span class="camera"></span><time></time><span class="about"></span><span class="grave"></span>'
    if (item.evidence) {
      const strip = document.createElement('img')
      strip.alt = ''
      strip.loading = 'lazy'
      strip.src = `/api/v1/alerts/${encodeURIComponent(item.alert_id)}/strip`
      strip.addEventListener('error', () => strip.remove())
      row.querySelector('.strip').append(strip)
    }
    this.#text(row)
    return row
  }

  #text(row) {
    const { item } = row
    row.dataset.severity = item.severity
    row.querySelector('.camera').textContent = item.camera
    row.querySelector('.about').textContent = item.about
    const words = [item.severity, item.state === 'open' ? 'open' : '', item.mark ? String(item.mark.true) : item.later ? 'later' : ''].filter(Boolean)
    row.querySelector('.grave').textContent = words.join(', ')
    this.#time(row)
  }

  #time(row) {
    const time = row.querySelector('time')
    const text = ago(row.item.at)
    if (time.textContent === text) return
    time.textContent = text
    time.dateTime = row.item.at
    time.title = exact(row.item.at)
  }
}

// The days of a month, with how many alerts of each nobody has decided.
const two = (n) => String(n).padStart(2, '0')

export class Calendar {
  #month = new Date(new Date().getFullYear(), new Date().getMonth(), 1)

  constructor(at, choose) {
    Object.assign(this, { at, choose })
    const find = (name) => at.querySelector(`[data-${name}]`)
    this.days = find('days')
    this.said = find('days-said')
    this.name = find('month-name')
    at.addEventListener('toggle', () => { if (at.open) this.#read() })
    for (const button of at.querySelectorAll('[data-month]')) {
      button.addEventListener('click', () => {
        this.#month = new Date(this.#month.getFullYear(), this.#month.getMonth() + Number(button.dataset.month), 1)
        this.#read()
      })
    }
    find('last-day').addEventListener('click', () => this.#done('', ''))
    document.addEventListener('click', (e) => { if (at.open && !at.contains(e.target)) at.open = false })
  }

  #done(from, to) {
    this.at.open = false
    this.at.querySelector('summary').focus()
    this.choose(from, to)
  }

  async #read() {
    const month = this.#month
    this.name.textContent = month.toLocaleDateString([], { month: 'long', year: 'numeric' })
    this.#draw(month, new Map())
    this.said.textContent = 'Loading'
    const query = new URLSearchParams({ month: `${month.getFullYear()}-${two(month.getMonth() + 1)}`, zone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC' })
    try {
      const answer = await fetch('/api/v1/alerts/calendar?' + query)
      const data = await answer.json()
      if (!answer.ok) throw new Error(data.detail ?? answer.statusText)
      if (month !== this.#month) return
      this.#draw(month, new Map(data.days.map((d) => [Number(d.day.slice(8)), d])))
      this.said.textContent = data.whole ? '' : 'Older days are still being read.'
      if (!data.whole && this.at.open) this.#read()
    } catch (e) {
      this.said.textContent = `The days can't be read: ${e.message}`
    }
  }

  #draw(month, days) {
    const blank = (month.getDay() + 6) % 7 // weeks begin on Monday
    const length = new Date(month.getFullYear(), month.getMonth() + 1, 0).getDate()
    const cells = Array.from({ length: 7 + blank }, (_, i) => {
      const cell = document.createElement('span')
      if (i < 7) Object.assign(cell, { className: 'weekday', textContent: new Date(2024, 0, 1 + i).toLocaleDateString([], { weekday: 'short' }) }) // a Monday
      return cell
    })
    const today = new Date()
    const current = month.getMonth() === today.getMonth() && month.getFullYear() === today.getFullYear() ? today.getDate() : 0
    for (let n = 1; n <= length; n++) {
      const d = days.get(n)
      const cell = document.createElement(d ? 'button' : 'span')
      cell.textContent = n
      cell.classList.toggle('today', n === current)
      if (d) {
        cell.type = 'button'
        cell.classList.toggle('some', d.left > 0)
        const left = document.createElement('b')
        left.textContent = d.left || ''
        const said = document.createElement('span')
        said.className = 'hidden'
        said.textContent = cell.title = `${d.left} of ${d.alerts} not decided`
        cell.append(' ', left, ' ', said)
        cell.addEventListener('click', () => this.#done(d.from, d.to))
      }
      cells.push(cell)
    }
    this.days.replaceChildren(...cells)
  }
}

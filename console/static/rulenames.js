// Names in a rule's sentence: those that there are are offered while one types, and what
// nothing has is named beside its field.
import { ask, element } from './ask.js'

const kinds = { actions: 'labels', cameras: 'cameras', camera_tags: 'camera_tags', notify: 'receivers' }
const words = { actions: 'no such label', cameras: 'no such camera', camera_tags: 'no camera has the tag', notify: 'no such receiver' }
const most = 200 // offers at a time
const old = 30_000 // ms after which names are read again

export class Names {
  #known = null
  #at = 0

  async #read() {
    if (this.#known && Date.now() - this.#at < old) return
    this.#at = Date.now()
    this.#known = await ask('/api/v1/rulebook/names').catch(() => this.#known)
  }

  /** Lets the fields of a form offer names, and marks those that have unknown ones. */
  mark(form, unknown) {
    for (const field of Object.keys(kinds)) {
      const input = form.elements[field]
      if (!input) continue
      if (!input.list) this.#offering(field, input)
      form.querySelector(`#unknown-${field}`)?.remove()
      input.removeAttribute('aria-describedby')
      const here = unknown.filter((u) => u.field === field)
      if (!here.length) continue
      const text = here.slice(0, 5).map((u) => `${words[field]}: ${u.name}${u.meant ? ` (there is ${u.meant})` : ''}`).join('; ') + (here.length > 5 ? `; and ${here.length - 5} more` : '')
      input.after(element('span', { class: 'warn', id: `unknown-${field}` }, ` ${text}`))
      input.setAttribute('aria-describedby', `unknown-${field}`)
    }
  }

  #offering(field, input) {
    const list = element('datalist', { id: `offers-${field}` })
    input.after(list)
    input.setAttribute('list', list.id)
    const offer = async () => {
      await this.#read()
      list.replaceChildren(...this.#offers(field, input.value))
    }
    input.addEventListener('focus', offer)
    input.addEventListener('input', offer)
  }

  /** What has been typed, with each name that the last one may become. */
  #offers(field, value) {
    const cut = value.lastIndexOf(',') + 1
    const before = value.slice(0, cut) + (cut ? ' ' : '')
    const typed = value.slice(cut).trim().toLowerCase()
    const taken = new Set(value.slice(0, cut).split(',').map((s) => s.trim().toLowerCase()))
    return (this.#known?.[kinds[field]] ?? []).filter((n) => n.toLowerCase().includes(typed) && !taken.has(n.toLowerCase())).slice(0, most).map((n) => element('option', { value: before + n }))
  }
}

// The editor of a word: its texts, and what the last day has of it.
import { ask, make } from './clips.js'
import { failed, reading, show } from './trial.js'

const pause = 700 // ms after the last key
const lines = (text) => text.split('\n').map((s) => s.trim()).filter(Boolean)

/** A name for a rule about a label. */
const nameOf = (label) => label.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60)

export class Editor {
  #timer = 0
  #round = null // aborts what is being tried
  #tried = '' // what the trial is of

  /** on has what the page does: vocabulary(), close(), saved(text, word), watching(text, word, rule, added), and arms: rules may be
   *  written. */
  constructor(word, known, edits, on) {
    Object.assign(this, { word, known, edits, on })
    this.form = document.querySelector('[data-editor]').content.cloneNode(true).firstElementChild
    const at = this.form.elements
    at.label.value = word.label
    at.label.readOnly = known
    at.description.value = word.description ?? ''
    at.aliases.value = (word.aliases ?? []).join('\n')
    at.begins.value = word.begins ?? ''
    at.ends.value = word.ends ?? ''
    at.tags.value = (word.tags ?? []).join(', ')
    at.threshold.value = word.threshold ?? ''
    at.background.checked = word.background ?? false
    this.#find('remove').hidden = !known || !edits
    this.#find('save').hidden = !edits
    for (const one of at) if (!edits && one.name && one.name !== 'label') one.disabled = one.tagName !== 'BUTTON'
    this.form.addEventListener('submit', (e) => { e.preventDefault(); this.save() })
    this.form.addEventListener('input', (e) => { if (!e.target.closest('[data-watch]')) this.#changed() })
    this.form.addEventListener('keydown', (e) => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); this.save() } })
    this.#find('try').addEventListener('click', () => this.try())
    this.#find('remove').addEventListener('click', (e) => this.remove(e.currentTarget))
    this.#find('arm').addEventListener('click', () => this.watch())
    at.rule.value = nameOf(word.label)
    this.#find('close').addEventListener('click', () => on.close())
  }

  #find(name) { return this.form.querySelector(`[data-${name}]`) }

  begin() {
    const at = this.form.elements
    ;(at.label.readOnly ? at.description : at.label).focus()
    if (!this.known && this.word.label) this.try()
  }

  end() {
    clearTimeout(this.#timer)
    this.#round?.abort()
  }

  #changed() {
    this.#find('wrong').hidden = true
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => { if (this.#question() !== this.#tried) this.try() }, pause)
  }

  #body() {
    const at = this.form.elements
    const body = { label: at.label.value.trim(), background: at.background.checked }
    for (const name of ['description', 'begins', 'ends']) if (at[name].value.trim()) body[name] = at[name].value.trim()
    const aliases = lines(at.aliases.value)
    const tags = at.tags.value.split(',').map((s) => s.trim()).filter(Boolean)
    if (aliases.length) body.aliases = aliases
    if (tags.length) body.tags = tags
    if (at.threshold.value) body.threshold = Number(at.threshold.value)
    return body
  }

  #question() {
    const body = this.#body()
    const query = new URLSearchParams({ plain: 'true', label: body.label })
    for (const name of ['description', 'begins', 'ends']) if (body[name]) query.set(name, body[name])
    for (const alias of body.aliases ?? []) query.append('alias', alias)
    return query.toString() + this.on.vocabulary()
  }

  /** Asks what the last day has of the word as it is written now. */
  async try() {
    clearTimeout(this.#timer)
    this.#round?.abort()
    const at = this.#find('trial')
    const question = this.#question()
    if (!this.form.elements.label.value.trim()) return at.replaceChildren()
    const mine = this.#round = new AbortController()
    reading(at)
    try {
      const t = await ask('/words/try?' + question, { signal: mine.signal })
      this.#tried = question
      show(at, t)
      this.#offer(t)
    } catch (e) {
      if (e.name !== 'AbortError') failed(at, e)
    }
  }

  /** Offers a rule, with the cameras that the trial has. */
  #offer(t) {
    if (!this.on.arms) return
    const was = new Set([...this.form.querySelectorAll('[data-cameras] input:checked')].map((i) => i.value))
    const box = (value, text, title = '') => make('label', { title }, make('input', { type: 'checkbox', value, checked: was.has(value) || !was.size && !value }), text)
    this.#find('cameras').replaceChildren(make('legend', { textContent: 'On' }), box('', 'every camera'), ...t.cameras.map((c) => box(c.camera, c.camera, `${c.verdict}: ${c.meaning}`)))
    if (!this.form.elements.rule.value) this.form.elements.rule.value = nameOf(this.#body().label)
    this.#find('watch').hidden = false
  }

  /** Adds the word, and a rule about it. */
  async watch() {
    const at = this.form.elements
    const body = { ...this.#body(), rule: at.rule.value.trim(), false_alarms: at.budget.value, severity: at.severity.value, clips: at.clips.value }
    const chosen = [...this.form.querySelectorAll('[data-cameras] input:checked')].map((i) => i.value)
    if (!chosen.length) return this.#wrong('Choose a camera, or every camera.')
    if (!body.rule) return this.#wrong('Give the rule a name.')
    if (!chosen.includes('')) body.cameras = chosen
    this.#find('arm').disabled = true
    try {
      const done = await this.#post('/words/watch', body)
      const notes = [`${body.label} is watched for by the rule ${done.rule}${done.watches ? ', which ' + done.watches : ''}`, done.without && `Without full effect: ${done.without}`, done.note].filter(Boolean)
      this.on.watching(notes.join('. '), body.label, done.rule, done.added)
    } catch (e) {
      this.#wrong(e.status ? e.message : 'The console does not answer: nothing was done.')
    } finally {
      this.#find('arm').disabled = false
    }
  }

  #wrong(text) {
    const at = this.#find('wrong')
    at.textContent = text
    at.hidden = false
  }

  async #post(path, body) {
    const vocabulary = this.on.vocabulary().replace('&', '?')
    return ask(path + vocabulary, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
  }

  async save() {
    if (!this.edits) return
    const body = this.#body()
    if (!body.label) return this.#wrong('Say what to watch for.')
    body.was = this.known ? this.word.value : ''
    this.#find('save').disabled = true
    try {
      const done = await this.#post('/words', body)
      const notes = [done.changes.length ? `${body.label} is saved` : `${body.label} is as it was`, ...(done.advice ?? []).slice(0, 2)]
      this.on.saved(notes.join('. '), body.label)
    } catch (e) {
      this.#wrong(e.status ? e.message : 'The console does not answer: nothing was saved.')
    } finally {
      this.#find('save').disabled = false
    }
  }

  /** Asks once more before a word is removed. */
  async remove(button) {
    if (button.dataset.sure === undefined) {
      button.dataset.sure = ''
      button.textContent = 'Remove it from the vocabulary?'
      button.addEventListener('blur', () => { delete button.dataset.sure; button.textContent = 'Remove' }, { once: true })
      return
    }
    try {
      const done = await this.#post('/words/remove', { labels: [this.word.label] })
      this.on.saved([`${this.word.label} is removed`, ...(done.warnings ?? []).slice(0, 3)].join('. '), '')
    } catch (e) {
      this.#wrong(e.status ? e.message : 'The console does not answer: nothing was removed.')
    }
  }
}

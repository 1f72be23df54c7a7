// The rule that is looked at: its sentence with controls, its text, what it does.
import { edits } from './ruleedits.js'
import { Names } from './rulenames.js'
import { ask, element } from './ask.js'
import { explained, tried, values } from './rulepast.js'
import { exact } from './words.js'

const learning = 'budget not learned yet' // as the API says it
const fields = ['actions', 'cameras', 'camera_tags', 'notify', 'clips', 'false_alarms', 'contrast', 'severity']

export class Rule {
  #name = ''
  #base = ''
  #kept = { text: '', fields: {} } // as it is stored
  #now = { text: '', fields: {} }
  #new = false
  #round = null // aborts what is asked about the rule that was left

  /** saved(name) shows what was saved, and of one that was removed that and the way back. */
  constructor(at, admin, saved) {
    Object.assign(this, { at, admin, saved })
    this.#find('text').addEventListener('change', () => this.#check({}))
    this.#find('sentence').addEventListener('submit', (e) => e.preventDefault())
    this.#find('sentence').addEventListener('change', () => this.#check(this.#said()))
    // A control that was made anew while somebody typed into it reports no change of its own.
    this.#find('sentence').addEventListener('focusout', (e) => { if (e.target.typed) this.#check(this.#said()) })
    const on = (name, f) => this.#find(name).addEventListener('click', f)
    on('save', () => this.#save())
    on('try', () => this.#try())
    on('back', () => this.#set(this.#kept, ''))
    on('remove', () => this.#remove())
    on('past', () => values(this.#find('values'), this.#name, this.#round.signal))
    this.#find('explain').addEventListener('submit', (e) => {
      e.preventDefault()
      const f = e.target.elements
      if (f.at.value) explained(this.#find('explained'), f.camera.value, new Date(f.at.value), this.#round.signal)
    })
  }

  #find(name) { return this.at.querySelector(`[data-${name}]`) }

  #dirty() { return this.admin && !this.at.hidden && this.#find('text').value !== this.#kept.text }

  /** Whether the rule may be left. */
  leave() { return !this.#dirty() || confirm('Leave this rule without saving it?') }

  hide() {
    this.#round?.abort()
    this.at.hidden = true
    this.#kept = { text: '', fields: {} }
    this.#find('text').value = ''
  }

  #fresh(name) {
    this.#round?.abort()
    this.#round = new AbortController()
    this.#name = name
    this.at.hidden = false
    this.#unknown = []
    for (const part of ['tried', 'values', 'explained', 'history', 'cameras']) this.#find(part).replaceChildren()
    this.#say('')
    this.#find('review').href = '/review?marked=all&rule=' + encodeURIComponent(name.replace(/[*?[\\]/g, '\\$&'))
  }

  create() {
    this.#fresh('')
    this.#new = true
    this.at.classList.add('new')
    this.#base = ''
    this.#find('name').textContent = 'New rule'
    this.#find('new-name').hidden = false
    this.#find('from').textContent = ''
    this.#find('wrong').hidden = true
    this.#find('do').hidden = false
    this.#kept = { text: '', fields: { actions: [], cameras: [], camera_tags: [], notify: [], clips: '1 of 1', false_alarms: '1 per week', severity: 'warning' } }
    this.#set(this.#kept, '')
    this.#find('new-name').querySelector('input').focus()
  }

  async open(name) {
    this.#fresh(name)
    this.#new = false
    this.at.classList.remove('new')
    if (this.at.getBoundingClientRect().top < 0) this.at.scrollIntoView() // it was chosen far down the list
    this.#find('new-name').hidden = true
    this.#find('name').textContent = name
    const { signal } = this.#round
    try {
      const r = await ask('/api/v1/rules/' + encodeURIComponent(name), { signal })
      this.#show(r)
      this.#history(signal)
    } catch (e) {
      if (e.name !== 'AbortError') this.#say(e.message, true)
    }
  }

  #show(r) {
    const own = r.from === 'redis'
    this.#base = r.base ?? ''
    this.#find('from').textContent = own ? `Kept in Redis${r.edited_at ? `, edited ${exact(r.edited_at)}${r.by ? ' by ' + r.by : ''}` : ''}.` : 'Of the configuration file pipeline.yaml: it is edited there, and is read-only here.'
    const wrong = [r.skipped && 'Not in force: ' + r.skipped, r.no_effect && 'Without full effect: ' + r.no_effect].filter(Boolean).join('\n')
    this.#find('wrong').hidden = !wrong
    this.#find('wrong').textContent = wrong
    this.#find('do').hidden = !(own && this.admin)
    this.#kept = { text: r.text ?? '', fields: r.fields ?? {} }
    this.#editable = own && this.admin
    this.#unknown = r.unknown ?? []
    this.#set(this.#kept, r.sentence.map((p) => p.text).join(''))
    this.#cameras(r)
  }

  #editable = true
  #unknown = [] // names that nothing has, in the rule as it is stored
  #names = new Names()

  /** Shows a text with its fields. */
  #set(rule, plain) {
    this.#now = rule
    this.#find('text').value = rule.text
    this.#find('text').readOnly = !(this.#editable || this.#new)
    this.#find('yaml').hidden = !rule.text && !this.#new
    this.#find('plain').textContent = plain
    if (this.#waiting < 2) this.#controls(rule.fields) // of several changes the last answer shows them all
    this.#say('')
    this.#names.mark(this.#find('sentence'), rule === this.#kept ? this.#unknown : [])
  }

  /** The sentence with controls. */
  #controls(f) {
    const form = this.#find('sentence')
    const may = this.#editable || this.#new
    form.hidden = !may || f.clips === undefined
    if (form.hidden) return
    const text = (name, label, value, hint) => element('input', { name, 'aria-label': label, value, placeholder: hint, size: Math.max(12, Math.min(40, value.length + 2)), autocomplete: 'off', spellcheck: 'false' })
    const number = (name, label, value, min, max, step = 1) => element('input', { type: 'number', name, 'aria-label': label, value, min, max, step })
    const pick = (name, label, all, value) => {
      const out = element('select', { name, 'aria-label': label })
      for (const [v, t] of all) out.append(new Option(t, v, false, v === value))
      return out
    }
    const [n, m] = (f.clips ?? '1 of 1').split(' of ')
    const [, count, per, inAll] = /^(\d+) per (\w+)( in all)?$/.exec(f.false_alarms ?? '') ?? [, '1', 'week', '']
    const by = f.false_alarms ? 'budget' : f.contrast !== undefined ? 'contrast' : 'other'
    const before = [...form.elements]
    const what = (f.actions?.length || this.#new) ? [text('actions', 'Labels, with commas between them', (f.actions ?? []).join(', '), 'person falling down'), ' is seen'] : ['what its text says is seen']
    const parts = [
      'Tell ', text('notify', 'Receivers, with commas between them', (f.notify ?? []).join(', '), 'every receiver'), ' when ', ...what, ' on ', text('cameras', 'Cameras, with commas between them', (f.cameras ?? []).join(', '), 'any camera'), ' tagged ', text('camera_tags', 'Tags of cameras, with commas between them', (f.camera_tags ?? []).join(', '), 'anything'),
      ', in ', element('span', { class: 'inline' }, number('n', 'How many clips', n, 1, 100), ' of ', number('m', 'Of how many clips', m, 1, 100)), ' clips, ',
      pick('by', 'What keeps false alarms away', [['budget', 'at most'], ['contrast', 'from a contrast of'], ...(by === 'other' ? [['other', 'as its text says']] : [])], by),
      ...(by === 'budget' ? [' ', element('span', { class: 'inline' }, number('count', 'How many false alarms', count, 1, 999999), ' false alarms per ', pick('per', 'In which time', ['hour', 'day', 'week', 'month'].map((p) => [p, p]), per)), ' ', pick('all', 'Of which cameras', [['', 'on each camera'], [' in all', 'on all together']], inAll ?? '')] : []),
      ...(by === 'contrast' ? [' ', number('contrast', 'Contrast', f.contrast ?? 0.2, 0, 1, 'any')] : []),
      ', as ', pick('severity', 'Severity', [...new Set(['info', 'warning', 'critical', f.severity || 'warning'])].map((s) => [s, s]), f.severity || 'warning'), '.']
    this.#put(form, before, parts)
  }

  /** Puts a sentence's parts into the form: never over what is being typed. */
  #put(form, before, parts) {
    const made = element('form', {}, ...parts)
    const like = (a, b) => a.name === b.name && a.options?.length === b.options?.length
    const typing = before.find((e) => e === document.activeElement)
    if (before.length === made.elements.length && before.every((e, i) => like(e, made.elements[i]))) {
      for (const [i, e] of before.entries()) {
        const { value, size } = made.elements[i]
        if (e !== typing) Object.assign(e, { value, ...(e.matches('input') ? { defaultValue: value } : {}), ...(e.type === 'text' ? { size } : {}) })
      }
      return
    }
    const again = typing && made.elements[typing.name]
    form.replaceChildren(...made.childNodes)
    if (!again) return
    if (typing.matches('input') && typing.value !== typing.defaultValue) Object.assign(again, { value: typing.value, typed: true })
    again.focus()
  }

  /** What the controls say that the rule does not. */
  #said() {
    const f = this.#find('sentence').elements
    const names = (at) => at && at.value.split(',').map((s) => s.trim()).filter(Boolean)
    const now = { notify: names(f.notify), actions: names(f.actions), cameras: names(f.cameras), camera_tags: names(f.camera_tags), clips: `${f.n.value} of ${f.m.value}`, severity: f.severity.value }
    if (f.by.value === 'budget') now.false_alarms = `${f.count?.value ?? 1} per ${f.per?.value ?? 'week'}${f.all?.value ?? ''}`
    if (f.by.value === 'contrast') now.contrast = Number(f.contrast?.value ?? 0.2)
    const out = {}
    for (const name of fields) if (now[name] !== undefined && (this.#now.text === '' || JSON.stringify(now[name]) !== JSON.stringify(this.#now.fields[name]))) out[name] = now[name]
    if (this.#new) for (const name of ['notify', 'cameras', 'camera_tags']) if (out[name]?.length === 0) delete out[name]
    return out
  }

  /** Checks a change before it is shown: the server knows what is right. */
  async #check(changed) {
    // One after the other: each begins with the text that the one before has made.
    this.#waiting++
    this.#checking = this.#checking.then(() => this.#checkNow(changed)).finally(() => this.#waiting--)
    return this.#checking
  }

  #checking = Promise.resolve()
  #waiting = 0

  async #checkNow(changed) {
    this.#rename()
    try {
      const r = await ask('/api/v1/rulebook/check', { method: 'POST', body: { rule: this.#name || 'new', text: this.#find('text').value, fields: changed }, signal: this.#round.signal })
      if (r.wrong) throw new Error(r.wrong)
      this.#set({ text: r.text, fields: r.fields }, r.sentence.map((p) => p.text).join(''))
      this.#say([r.watches, r.no_effect && 'Without full effect: ' + r.no_effect].filter(Boolean).join('\n'))
      this.#names.mark(this.#find('sentence'), r.unknown ?? [])
      return true
    } catch (e) {
      if (e.name !== 'AbortError') this.#say(e.message, true)
      return false
    }
  }

  #rename() { if (this.#new) this.#name = this.#find('new-name').querySelector('input').value.trim() }

  async #save() {
    await this.#checking
    this.#rename()
    if (!this.#name) return this.#say('name: want 1 to 64 letters, digits, \'.\', \'_\' or \'-\'', true)
    if (this.#find('message').classList.contains('bad') && !(await this.#checkNow({}))) return
    this.#say('Saving')
    try {
      const done = await ask('/api/v1/rules/' + encodeURIComponent(this.#name), { method: 'PUT', body: { text: this.#find('text').value, base: this.#base, new: this.#new } })
      this.#kept = this.#now
      await this.saved(this.#name)
      this.#say([`Rule ${this.#name} ${done.what}: ${done.in_force}`, done.watches, done.no_effect && 'Without full effect: ' + done.no_effect, ...(done.others ?? [])].filter(Boolean).join('\n'))
    } catch (e) {
      this.#say(e.message, true)
    }
  }

  async #remove() {
    if (this.#new || !confirm(`Remove the rule ${this.#name}?`)) return
    try {
      await ask('/api/v1/rules/' + encodeURIComponent(this.#name), { method: 'DELETE' })
      const gone = { rule: this.#name, text: this.#kept.text }
      this.#kept = { text: this.#find('text').value, fields: {} }
      await this.saved('', gone)
    } catch (e) {
      this.#say(e.message, true)
    }
  }

  async #try() {
    await this.#checking
    this.#rename()
    const text = this.#find('text').value
    await tried(this.#find('tried'), { rule: this.#name || 'new', text, days: Number(this.#find('days').value) }, !this.#new && text !== this.#kept.text, this.#round.signal)
  }

  #say(text, bad) {
    const at = this.#find('message')
    at.textContent = text
    at.classList.toggle('bad', Boolean(bad))
  }

  #cameras(r) {
    const head = element('thead', {}, element('tr', {}, ...['Camera', 'State', 'Counts from'].map((t) => element('th', { scope: 'col' }, t))))
    const rows = r.on_cameras.map((c) => element('tr', {}, element('td', {}, element('a', { href: '/cameras/' + encodeURIComponent(c.camera) }, c.camera)), element('td', {}, c.state + (c.why ? `: ${c.why}` : '')),
      element('td', {}, c.measure ? `${c.measure} ${(c.raise ?? 0).toFixed(2)}${c.budget ? `, to keep ${c.budget}${c.learned_at && c.state !== learning ? `, learned at ${exact(c.learned_at)}` : ''}` : ''}` : '')))
    this.#find('cameras').replaceChildren(head, element('tbody', {}, ...rows))
    if (!rows.length) this.#find('cameras').replaceChildren(element('tbody', {}, element('tr', {}, element('td', {}, 'It watches no camera.'))))
    const select = this.#find('explain').elements.camera
    select.replaceChildren(...r.on_cameras.map((c) => new Option(c.camera, c.camera)))
    const t = new Date(Date.now() - 30_000 - new Date().getTimezoneOffset() * 60_000)
    this.#find('explain').elements.at.value = t.toISOString().slice(0, 19)
  }

  #history(signal) {
    return edits(this.#find('history'), this.#name, this.admin && ((version) => this.restore(version)), signal)
  }

  async restore(version) {
    if (!confirm('Restore all rules in Redis as they were after this edit?')) return
    try {
      const done = await ask('/api/v1/rulebook/rollback', { method: 'POST', body: { version } })
      this.#kept = { text: this.#find('text').value, fields: {} }
      await this.saved(this.at.hidden ? '' : this.#name)
      this.#say(`Rules restored: ${done.in_force}`)
      return done
    } catch (e) {
      this.#say(e.message, true)
    }
  }
}

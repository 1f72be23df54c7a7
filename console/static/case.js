// The alert that is looked at: its film or its pictures, and why it was raised.
import { load, show } from './loop.js'
import { timelineOf } from './past.js'
import { ago, exact } from './words.js'

const pause = 120 // ms; who hurries on does not ask for everything

export class Case {
  item = null
  #round = null // aborts what is being loaded
  #url = '' // of the loop that is shown

  /** gone is called with an alert that is not there any more. */
  constructor(at, gone) {
    this.at = at
    this.gone = gone
    this.film = this.#find('film')
    this.film.addEventListener('error', () => { if (this.film.src && this.item) this.#loop(this.item, this.#round.signal) })
    document.addEventListener('visibilitychange', () => {
      if (this.film.hidden || !this.film.src) return
      if (document.hidden) this.film.pause()
      else this.film.play().catch(() => {})
    })
  }

  #find(name) { return this.at.querySelector(`[data-${name}]`) }

  hide() {
    this.#round?.abort()
    this.#blank()
    this.item = null
    this.at.hidden = true
  }

  #blank() {
    this.film.removeAttribute('src')
    this.film.load()
    this.film.hidden = true
    const loop = this.#find('loop')
    loop.style.backgroundImage = ''
    loop.classList.remove('moves')
    if (this.#url) URL.revokeObjectURL(this.#url)
    this.#url = ''
    this.#find('no-picture').hidden = true
  }

  show(item) {
    const same = this.item?.alert_id === item.alert_id
    this.item = item
    this.at.hidden = false
    this.#words(item)
    if (same) return
    this.#round?.abort()
    this.#round = new AbortController()
    this.#blank()
    this.#find('because').textContent = ''
    this.#find('scores').replaceChildren()
    this.#find('lead').hidden = true
    const { signal } = this.#round
    setTimeout(() => { if (!signal.aborted) this.#read(item, signal) }, pause)
  }

  /** What is known of the alert has changed, perhaps. */
  renew(item) {
    if (this.item?.alert_id !== item.alert_id) return
    this.item = item
    this.#read(item, this.#round.signal, true)
  }

  async #read(item, signal, again) {
    try {
      const answer = await fetch(this.#path(item, ''), { signal })
      const data = await answer.json()
      if (answer.status === 404 && !signal.aborted) return this.gone(item)
      if (!answer.ok) throw new Error(data.detail ?? answer.statusText)
      this.#words(data)
      this.#scores(data)
      if (data.film === 'kept' && this.film.hidden) this.#play(item)
      else if (!again) await this.#loop(item, signal, data.film)
      if (!again && data.measure !== 'stream') await this.#lead(data, signal)
    } catch (e) {
      if (e.name !== 'AbortError') this.#find('because').textContent = `Not all of the alert can be read: ${e.message}`
    }
  }

  #path(item, what) { return `/api/v1/alerts/${encodeURIComponent(item.alert_id)}${what}` }

  #play(item) {
    this.film.hidden = false
    this.#find('no-picture').hidden = true
    this.film.src = this.#path(item, '/film')
    if (!matchMedia('(prefers-reduced-motion: reduce)').matches) this.film.play().catch(() => {})
  }

  async #loop(item, signal, film) {
    this.film.hidden = true
    const none = this.#find('no-picture')
    none.hidden = true
    try {
      if (!item.evidence) throw new Error('No pictures of this alert were kept.')
      const loop = await load(this.#path(item, '/loop'), { signal }).catch((e) => {
        if (e.name === 'AbortError') throw e
        throw new Error(e.status === 404 ? 'The pictures of this alert are not kept any more.' : 'The pictures of this alert can\'t be read now.')
      })
      if (signal.aborted) return URL.revokeObjectURL(loop.url)
      this.#url = loop.url
      show(this.#find('loop'), loop, 4.3)
    } catch (e) {
      if (e.name === 'AbortError') return
      none.hidden = false
      none.textContent = e.message + (film === 'coming' ? ' Its film is being made.' : '')
    }
  }

  #words(a) {
    this.#find('title').textContent = `${a.about} on ${a.camera}`
    if (a.because) this.#find('because').textContent = `Because ${a.because}.`
    const mark = a.mark && `${a.mark.true ? 'true' : 'false'}${a.mark.by ? ', by ' + a.mark.by : ''}${a.mark.note ? ': ' + a.mark.note : ''}`
    const rows = [
      ['Since', `${exact(a.onset)} (${ago(a.onset)} ago)`],
      ['State', a.state === 'open' ? 'open' : `cleared ${a.cleared_at ? exact(a.cleared_at) : ''}${a.reason ? ': ' + a.reason : ''}`],
      ['Rule', `${a.rule}, ${a.severity}`],
      ['Cameras', (a.cameras ?? []).join(', ')],
      ['Tags', (a.tags ?? []).join(', ')],
      ['Mark', mark || (a.later ? 'set aside by you' : '')],
      ['Opinion', a.verdict],
      ['Probability', a.probability === undefined ? '' : `${a.probability.toFixed(2)} that it is true, by the marks of its label`],
      ['Notifies', (a.notify ?? []).join(', ')],
    ].filter(([, v]) => v)
    this.#find('facts').replaceChildren(...rows.flatMap(([k, v]) => {
      const dt = document.createElement('dt')
      const dd = document.createElement('dd')
      dt.textContent = k
      dd.textContent = v
      return [dt, dd]
    }))
    const camera = document.createElement('a')
    camera.href = '/cameras/' + encodeURIComponent(a.camera)
    camera.textContent = 'The camera now'
    const same = document.createElement('a')
    same.href = '/review?marked=all&rule=' + encodeURIComponent(a.rule.replace(/[*?[\\]/g, '\\$&')) + '&camera=' + encodeURIComponent(a.camera)
    same.textContent = 'Alerts of this rule here'
    const moment = document.createElement('a')
    moment.href = timelineOf(a.camera, a.onset, a.cleared_at ?? a.at, a.measure === 'stream' ? a.onset : a.at)
    moment.textContent = 'The moment in Timeline'
    this.#find('links').replaceChildren(camera, ' ', moment, ' ', same)
  }

  #scores(a) {
    const scale = (v) => `${100 * Math.min(1, Math.max(0, v))}%`
    this.#find('scores').replaceChildren(...['contrast', 'score', 'similarity'].filter((m) => a[m]).map((measure) => {
      const row = document.createElement('p')
      row.className = 'score'
      row.innerHTML = '<span></span> <b></b><span class="track"><span class="fill"></span><span class="tick" hidden></span></span>'
      const [name, track] = row.children.length > 2 ? [row.children[0], row.children[2]] : []
      const rules = a.measure === measure && a.threshold
      name.textContent = measure + (rules ? `, counts from ${a.threshold.toFixed(2)}` : '')
      row.querySelector('b').textContent = a[measure].toFixed(2)
      track.querySelector('.fill').style.width = scale(a[measure])
      const tick = track.querySelector('.tick')
      tick.hidden = !rules
      if (rules) tick.style.left = scale(a.threshold)
      return row
    }))
  }

  async #lead(a, signal) {
    const answer = await fetch(this.#path(a, '/lead'), { signal })
    if (!answer.ok) return
    const lead = await answer.json()
    if (signal.aborted || !lead.clips.length) return
    this.#find('clips').replaceChildren(...lead.clips.map((c) => {
      const bar = document.createElement('span')
      bar.style.height = `${Math.max(2, 100 * Math.min(1, Math.max(0, c.value)))}%`
      bar.className = c.counts ? 'counts' : ''
      bar.title = `${exact(c.end)}: ${c.value.toFixed(2)}`
      return bar
    }))
    const counted = lead.clips.filter((c) => c.counts).length
    let text = `${counted} of the last ${lead.clips.length} clips counted`
    if (lead.nearest_background) text += `; nearest background: ${lead.nearest_background}, ${lead.nearest_value.toFixed(2)}`
    else if (lead.background_score) text += `; score of the background: ${lead.background_score.toFixed(2)}`
    this.#find('lead-said').textContent = text
    this.#find('lead').hidden = false
  }
}

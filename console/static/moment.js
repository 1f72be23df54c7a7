// The moment that is looked at: its pictures, the labels' values, and what is said of it.
import { alertText, reviewOf } from './past.js'
import { exact } from './words.js'

const pause = 120 // ms; who moves on does not ask for everything
const kept = 48 * 3600e3 // as long as there can be pictures of clips without an alert

export class Moment {
  #wanted = ''
  #url = ''
  #round = null

  constructor(at) {
    const find = (name) => at.querySelector(`[data-${name}]`)
    Object.assign(this, { image: find('strip'), none: find('no-strip'), when: find('when'), heights: find('heights'), also: find('also') })
  }

  /** Shows a time of what was read; row is the label that is looked at. It returns a sentence. */
  show(past, t, row) {
    const n = past.seen(t)
    const values = past.at(n)
    const chosen = values.find((v) => v.label === past.labels[row])
    const first = chosen ? [chosen, ...values.filter((v) => v !== chosen)] : values
    const clip = chosen?.clip ?? past.clip(n) ?? values[0]?.clip
    this.when.textContent = exact(new Date(clip?.end ?? t))
    this.heights.replaceChildren(...first.slice(0, 6).map((v) => {
      const li = document.createElement('li')
      li.textContent = `${v.label.label}: ${v.label.measure} ${v.value.toFixed(2)}` + (Number.isFinite(v.label.raise) ? `, counts from ${v.label.raise.toFixed(2)}` : '')
      li.className = v.counts ? 'counts' : ''
      return li
    }))
    const alerts = past.within(past.alerts, past.start(past.number(t)), past.start(n + 1))
    const gap = past.within(past.gaps, t, t + 1)[0]
    this.#also(past, alerts, gap)
    this.#picture(past, clip, alerts, gap)
    const best = first[0] ? `, ${first[0].label.label} ${first[0].value.toFixed(2)}` : ''
    return `${this.when.textContent}${best}${alerts.length ? `, alert: ${alertText(alerts[0])}` : ''}${gap && !first.length ? `, ${gap.reason}` : ''}`
  }

  #also(past, alerts, gap) {
    const parts = []
    if (gap) parts.push(gap.reason)
    for (const a of alerts.slice(0, 5)) {
      const address = reviewOf(a, past.camera)
      const at = document.createElement(address ? 'a' : 'span')
      if (address) at.href = address
      at.textContent = `Alert: ${alertText(a)}`
      parts.push(at)
    }
    if (alerts.length > 5) parts.push(`and ${alerts.length - 5} more alerts`)
    this.also.replaceChildren(...parts.flatMap((p, i) => (i ? [document.createElement('br'), p] : [p])))
  }

  #picture(past, clip, alerts, gap) {
    const evidence = alerts.find((a) => a.evidence && a.clip_id)
    const old = clip && Date.now() - new Date(clip.end) > kept
    const id = old && evidence ? evidence.clip_id : clip?.clip_id ?? ''
    if (id && this.#wanted === id) return
    this.#wanted = id
    this.#round?.abort()
    if (!id) return this.#blank(gap ? `No pictures: ${gap.reason}.` : 'There was no clip.')
    if (old && !evidence) return this.#blank('Pictures are kept for a day, those of alerts for longer.')
    this.#round = new AbortController()
    const { signal } = this.#round
    const address = `/api/v1/cameras/${encodeURIComponent(past.camera)}/clips/${encodeURIComponent(id)}/strip`
    setTimeout(() => { if (!signal.aborted) this.#load(address, id, signal) }, pause)
  }

  async #load(address, id, signal) {
    try {
      const answer = await fetch(address, { signal })
      if (!answer.ok) {
        const why = await answer.json().catch(() => ({}))
        throw new Error(why.detail ?? answer.statusText)
      }
      const url = URL.createObjectURL(await answer.blob())
      if (signal.aborted) return URL.revokeObjectURL(url)
      if (this.#url) URL.revokeObjectURL(this.#url)
      this.image.src = this.#url = url
      this.image.alt = `Pictures of ${this.when.textContent}`
      this.image.hidden = false
      this.none.hidden = true
    } catch (e) {
      if (e.name === 'AbortError') return
      this.#wanted = ''
      this.#blank(`No pictures: ${e.message}.`)
    }
  }

  #blank(text) {
    this.image.hidden = true
    this.none.hidden = false
    this.none.textContent = text
  }
}

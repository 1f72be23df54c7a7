// A camera's page: the labels of its last ten minutes as lines, and what was recognised.
import { Lines } from './lines.js'
import { read, timelineOf } from './past.js'
import { clock } from './words.js'

const at = document.querySelector('[data-plot]')
if (at) begin(at.dataset.plot)

function begin(camera) {
  const span = 600e3
  const every = 30e3 // the stream has three labels of a clip; all are read anew as often
  const lines = new Lines(at)
  const rows = document.querySelector('[data-recent]')
  const said = at.querySelector('[data-said]')
  let data = null
  let loaded = 0
  let loading = false

  async function load() {
    if (loading || document.hidden) return
    loading = true
    loaded = Date.now()
    const to = Math.ceil(Date.now() / 1000) * 1000
    try {
      data = await read(camera, to - span, to, 600)
      lines.take(data)
      said.textContent = data.data.fault ?? ''
      recent()
    } catch (e) {
      said.textContent = e.status === 404 ? '' : e.status ? `The last minutes can't be read: ${e.message}` : 'The console does not answer. The plot comes back by itself.'
    }
    loading = false
    draw()
  }

  function draw() { if (!document.hidden) lines.draw(Date.now() - span, Date.now()) }

  // The newest recognitions, each with its highest label.
  function recent() {
    const all = []
    for (let n = data.data.clips.length - 1; n >= 0 && all.length < 12; n--) {
      const clip = data.clip(n)
      if (!clip) continue
      const values = data.at(n)
      all.push({ clip, text: values.slice(0, 3).map((v) => `${v.label.label} ${v.value.toFixed(2)}`).join(', ') || 'nothing above 0.10', counts: values.some((v) => v.counts) })
    }
    rows.replaceChildren(...all.map((r) => {
      const tr = document.createElement('tr')
      const when = document.createElement('td')
      const link = document.createElement('a')
      const what = document.createElement('td')
      link.textContent = clock(new Date(r.clip.end))
      link.href = timelineOf(camera, r.clip.end, r.clip.end)
      when.append(link)
      what.textContent = r.text + (r.counts ? ', a rule counts it' : '')
      tr.append(when, what)
      return tr
    }))
    document.querySelector('[data-no-recent]').hidden = all.length > 0
  }

  function heard({ detail }) {
    const tile = detail.tiles?.find((c) => c.camera === camera)
    if (tile?.end) lines.add(tile)
    if (Date.now() - loaded > (data ? every : 3e3)) load()
    draw()
  }
  document.addEventListener('console:wall', heard)
  document.addEventListener('console:change', heard)
  document.addEventListener('console:found', load)
  document.addEventListener('visibilitychange', load)
  addEventListener('resize', draw)
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ['data-theme'] })
  setInterval(() => { if (!document.body.classList.contains('lost')) draw() }, 2000)
  load()
}

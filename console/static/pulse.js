// Graphs of the last hour, a point for each minute since the console runs.
import { ask } from './ask.js'
import { colour, sharp, ticks } from './axis.js'

const every = 30_000
const hour = 3600e3
const minute = 60e3
let minutes = null

/** Each graph: its lines, in the order of its words. */
const graphs = {
  rate: { unit: ' clips/s', digits: 2, lines: [(m) => m.clips_per_second] },
  late: { unit: ' s', digits: 1, lines: [(m) => m.late_s ?? null, (m) => m.worst_late_s ?? null] },
  model: { unit: ' ms', digits: 0, lines: [(m) => m.model_ms ?? null] },
  streaming: { unit: '', digits: 0, lines: [(m) => m.streaming, (m) => m.cameras] },
}
const inks = ['--accent', '--faint']
const dashes = [[], [4, 3]]

/** The next larger number of the kind 1, 2, 5, 10. */
function round(n) {
  const ten = 10 ** Math.floor(Math.log10(Math.max(n, 1e-3)))
  return [1, 2, 5, 10].map((f) => f * ten).find((f) => f >= n * 0.9999) ?? n
}

function draw(figure, graph) {
  const { to: ink, width, height } = sharp(figure.querySelector('canvas'))
  const end = Math.floor(Date.now() / minute) * minute
  const from = end - hour
  const top = round(Math.max(0.001, ...minutes.flatMap((m) => graph.lines.map((f) => f(m) ?? 0))))
  const x = (t) => ((t - from) / hour) * width
  const y = (v) => height - 18 - (v / top) * (height - 32)
  ink.font = '11px system-ui, sans-serif'
  ink.strokeStyle = colour('--edge')
  ink.fillStyle = colour('--faint')
  for (const v of [0, top]) {
    ink.beginPath()
    ink.moveTo(0, y(v))
    ink.lineTo(width, y(v))
    ink.stroke()
  }
  ink.fillText(`${Number(top.toPrecision(2))}${graph.unit}`, 2, 10)
  for (const t of ticks(from, end, width / 80)) if (x(t.at) < width - 60) ink.fillText(t.text, x(t.at), height - 4)
  graph.lines.forEach((f, i) => {
    ink.strokeStyle = colour(inks[i])
    ink.lineWidth = i ? 1 : 2
    ink.setLineDash(dashes[i])
    ink.beginPath()
    let last = 0
    for (const m of minutes) {
      const t = Number(new Date(m.at))
      const v = f(m)
      if (v === null) continue
      if (t - last > 1.5 * minute) ink.moveTo(x(t) - 1, y(v))
      ink.lineTo(x(t + minute / 2), y(v))
      last = t
    }
    ink.stroke()
    ink.setLineDash([])
  })
}

function show() {
  const newest = minutes.at(-1)
  for (const [name, graph] of Object.entries(graphs)) {
    const figure = document.querySelector(`[data-graph="${name}"]`)
    draw(figure, graph)
    const values = graph.lines.map((f) => (newest ? f(newest) : null))
    const words = figure.dataset.words.split('|')
    const text = newest ? values.map((v, i) => `${words[i]} ${v === null ? 'none' : v.toFixed(graph.digits) + graph.unit}`).join(', ') : 'The first minute is not over yet'
    const missed = name === 'rate' ? minutes.reduce((a, m) => a + m.missed, 0) : 0
    figure.querySelector('[data-now]').textContent = text + (name === 'rate' && newest ? `, ${missed} missed in the hour` : '')
  }
}

async function read() {
  if (document.hidden || document.body.classList.contains('lost')) return
  try {
    minutes = (await ask('/api/v1/health/hour')).minutes
    show()
  } catch {
    // What was read before stays; that the server is away is said at the bottom.
  }
}

if (document.querySelector('[data-graph]')) {
  addEventListener('resize', () => { if (minutes) show() })
  new MutationObserver(() => { if (minutes) show() }).observe(document.documentElement, { attributeFilter: ['data-theme'] })
  document.addEventListener('console:found', read)
  setInterval(read, every)
  read()
}

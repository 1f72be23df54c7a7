// What a camera's stream did, as far back as Kafka keeps it.
import { api, make, pathOf } from './cameras-api.js'
import { exact } from './words.js'

const at = document.querySelector('[data-past]')

async function read() {
  const past = await api(pathOf(at.dataset.past, '/history'))
  if (!past.changes.length) {
    at.replaceChildren(make('p', 'Nothing was reported of it yet.', { className: 'do' }))
    return
  }
  const table = make('table')
  table.innerHTML = '<thead><tr><th>Since</th><th>State</th><th>Reason</th></tr></thead><tbody></tbody>'
  for (const c of past.changes) {
    const row = make('tr')
    row.append(make('td', exact(c.at)), make('td', c.state), make('td', c.reason ?? ''))
    table.tBodies[0].append(row)
  }
  const scroll = make('div', '', { className: 'scroll past', tabIndex: 0, role: 'region', ariaLabel: 'What its stream did' })
  scroll.append(table)
  at.replaceChildren(scroll, make('p', 'Kafka keeps the newest, and older ones for a while.', { className: 'do' }))
}

if (at) read().catch((e) => at.replaceChildren(make('p', e.message, { className: 'wrong' })))

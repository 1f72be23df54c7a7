// The table of cameras, and what adds and finds them.
import { api, make, pathOf, streamWords, triedView } from './cameras-api.js'
import { load, show } from './loop.js'
import { say as sayIn } from './said.js'
import { since } from './words.js'

const find = (name) => document.querySelector(`[data-${name}]`)
const edits = 'edits' in document.body.dataset
const said = find('said')
const rows = new Map() // by camera: {at, clip}
let clips = new Map() // by camera: its newest
const say = (text) => sayIn(said, text)

// ---- the table

const sources = { person: 'a person', file: 'a file', up: 'frostwatch up' }

function stateWords(c) {
  if (c.disabled) return 'disabled'
  return [c.state, c.reason].filter(Boolean).join(': ')
}

function rowOf(c) {
  const r = rows.get(c.camera) ?? add(c.camera)
  const cells = {
    state: stateWords(c), stream: streamWords(c) + (c.two_streams ? ', two streams' : ''), tags: (c.tags ?? []).join(', '), since: since(c.since),
    views: [(c.views ?? []).join(', '), c.masks ? `${c.masks} masked` : '', (c.zones ?? []).length ? `zones ${c.zones.join(', ')}` : ''].filter(Boolean).join('; '),
    source: sources[c.source],
  }
  for (const [name, text] of Object.entries(cells)) {
    const cell = r.at.querySelector(`.${name}`)
    if (cell.textContent !== text) cell.textContent = text
  }
  r.at.dataset.state = c.state
  r.now = c
  if (edits) {
    const fixed = c.source === 'file'
    r.at.querySelector('.able').hidden = r.at.querySelector('.gone').hidden = fixed
    r.at.querySelector('.able').textContent = c.disabled ? 'Enable' : 'Disable'
  }
  picture(r)
  return r
}

function add(camera) {
  const at = make('tr')
  at.dataset.camera = camera
  at.innerHTML = '<td class="small"><span class="loop"></span></td><td class="name"><a></a></td><td class="state"></td><td class="since"></td><td class="stream"></td><td class="tags"></td><td class="views"></td><td class="source"></td>'
  const link = at.querySelector('.name a')
  link.textContent = camera
  link.href = pathOf(camera)
  const r = { at, clip: '' }
  if (edits) {
    const cell = make('td', '', { className: 'acts' })
    const edit = make('a', 'Edit', { href: pathOf(camera, '/edit'), ariaLabel: `Edit ${camera}` })
    const able = make('button', 'Disable', { type: 'button', className: 'able' })
    const gone = make('button', 'Remove', { type: 'button', className: 'gone' })
    able.addEventListener('click', () => change(camera, { disabled: !r.now.disabled }, r.now.disabled ? 'enabled' : 'disabled'))
    gone.addEventListener('click', () => sure(camera))
    cell.append(edit, able, gone)
    at.append(cell)
  }
  rows.set(camera, r)
  return r
}

async function picture(r) {
  const clip = clips.get(r.at.dataset.camera)
  if (!clip || r.clip === clip.id || r.loading || document.hidden) return
  r.loading = true
  try {
    const loop = await load(`/api/v1${pathOf(r.at.dataset.camera, '/loop')}?clip=${encodeURIComponent(clip.id)}`)
    show(r.at.querySelector('.loop'), loop, clip.seconds)
    if (r.url) URL.revokeObjectURL(r.url)
    r.url = loop.url
    r.clip = clip.id
  } catch { /* the next clip is tried anew */ }
  r.loading = false
}

let reading = null
let again = false

async function read() {
  if (reading) { again = true; return reading }
  reading = (async () => {
    try {
      const { cameras, fault } = await api('/camera-table')
      const there = new Set(cameras.map((c) => c.camera))
      for (const [name, r] of rows) if (!there.has(name)) { r.at.remove(); if (r.url) URL.revokeObjectURL(r.url); rows.delete(name) }
      const body = find('rows')
      cameras.forEach((c, i) => {
        const { at } = rowOf(c)
        if (body.children[i] !== at) body.insertBefore(at, body.children[i] ?? null)
      })
      find('scroll').hidden = !cameras.length
      find('empty').hidden = cameras.length > 0 || Boolean(fault)
      find('loading').hidden = !fault
      if (fault) find('loading').textContent = `This may be old: ${fault}`
    } catch (e) {
      find('loading').hidden = false
      find('loading').textContent = `The cameras can't be read: ${e.message}`
    }
  })()
  await reading
  reading = null
  if (again) { again = false; setTimeout(read, 1000) }
}

function take(tiles) {
  for (const t of tiles ?? []) if (t.clip_id) clips.set(t.camera, { id: t.clip_id, seconds: (new Date(t.end) - new Date(t.start)) / 1000 })
}
document.addEventListener('console:wall', ({ detail }) => { take(detail.tiles); read() })
let soon = 0
document.addEventListener('console:change', ({ detail }) => {
  take(detail.tiles)
  if (!soon && !document.hidden) soon = setTimeout(() => { soon = 0; read() }, 1000)
})
read()

// ---- edits

async function change(camera, edit, word) {
  try {
    const now = await api(pathOf(camera), 'PATCH', edit)
    say([`${camera} is ${word}`, ...(now.warnings ?? []), ...(now.notes ?? [])].join('. '))
  } catch (e) { say(e.message) }
  read()
}

const dialog = find('sure')
let going = ''
function sure(camera) {
  going = camera
  document.getElementById('sure').textContent = `Remove ${camera}?`
  dialog.returnValue = 'no'
  dialog.showModal()
}
dialog.addEventListener('close', async () => {
  if (dialog.returnValue !== 'yes') return
  try {
    await api(pathOf(going), 'DELETE')
    say(`${going} is removed`)
  } catch (e) { say(e.message) }
  read()
})

// ---- adding

const panels = ['add', 'find'].map(find).filter(Boolean)
for (const b of document.querySelectorAll('[data-open]')) {
  b.addEventListener('click', () => {
    for (const p of panels) p.hidden = !p.hasAttribute(`data-${b.dataset.open}`)
    find(b.dataset.open).querySelector('textarea, input').focus()
  })
}
for (const b of document.querySelectorAll('[data-close]')) b.addEventListener('click', () => { b.closest('.panel').hidden = true })

const loginOf = (form) => (form.user.value || form.password.value ? { user: form.user.value, password: form.password.value } : undefined)
const ownLogin = (url) => /^[^/?#]*:\/\/[^/?#]*@/.test(url)
const taken = new Set()

function freeName(name) {
  let free = name
  for (let n = 2; taken.has(free) || rows.has(free); n++) free = `${name}-${n}`
  taken.add(free)
  return free
}

/** Tries what was typed, two at a time, and offers to add what can be seen. */
async function tryAll(all) {
  const queue = [...all]
  const one = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await tryOne(next)
  }
  await Promise.all([one(), one()])
}

function begin(list, t) {
  t.at = make('li')
  t.at.append(make('p', `Trying ${t.shown}`, { className: 'trying' }))
  list.append(t.at)
  return t
}

async function tryOne(t) {
  try {
    const out = await api('/camera-tries', 'POST', { url: t.url, login: t.login })
    offer(t, out)
  } catch (e) {
    t.at.replaceChildren(make('p', t.shown), make('p', e.message, { className: 'wrong' }))
  }
}

function offer(t, out) {
  const form = make('form', '', { className: 'fields' })
  const name = make('input', '', { name: 'camera', value: freeName(t.name || out.name || 'camera'), maxLength: 64, required: true, autocomplete: 'off' })
  const label = make('label', 'Name ')
  label.append(name)
  const said = make('span', t.name && name.value !== t.name ? `There is a camera ${t.name} already.` : '', { role: 'status' })
  if (out.seen) form.dataset.seen = ''
  form.append(label, make('button', out.seen ? 'Add' : 'Add all the same', { type: 'submit' }), said)
  form.addEventListener('submit', async (e) => {
    e.preventDefault()
    try {
      const now = await api('/cameras', 'POST', { camera: name.value.trim(), url: t.url, login: t.login, ...(t.watch ? { watch: t.watch } : {}) })
      const done = make('p', `${now.camera} is added. `)
      done.append(make('a', 'Edit it', { href: pathOf(now.camera, '/edit') }))
      form.replaceWith(done, ...[...(now.warnings ?? []), ...(now.notes ?? [])].map((w) => make('p', w, { className: 'do' })))
      read()
    } catch (err) { said.textContent = err.message }
  })
  t.at.replaceChildren(make('p', out.url, { className: 'address' }), triedView(out), form)
}

find('add-form')?.addEventListener('submit', async (e) => {
  e.preventDefault()
  const form = e.target
  const login = loginOf(form)
  const list = find('tries')
  list.replaceChildren()
  taken.clear()
  const all = form.lines.value.split('\n').map((l) => l.trim()).filter(Boolean).slice(0, 50).map((line, i) => {
    const [, name = '', url = line] = /^([A-Za-z0-9][A-Za-z0-9._-]*)[\s=]+(\S+:\S.*)$/.exec(line) ?? []
    return begin(list, { name, url, login: ownLogin(url) ? undefined : login, shown: `address ${i + 1}` })
  })
  await tryAll(all)
  addTogether(list)
})

/** Where several can be seen, one click adds them. */
function addTogether(list) {
  const seen = () => [...list.querySelectorAll('form[data-seen]')]
  if (seen().length < 2) return
  const button = make('button', `Add all ${seen().length} that can be seen`, { type: 'button' })
  button.addEventListener('click', () => { for (const form of seen()) form.requestSubmit(); button.parentElement.remove() })
  const at = make('li')
  at.append(button)
  list.prepend(at)
}

find('find-form')?.addEventListener('submit', async (e) => {
  e.preventDefault()
  const form = e.target
  const status = find('find-said')
  const list = find('devices')
  list.replaceChildren()
  taken.clear()
  status.textContent = 'Asking the network'
  const login = loginOf(form)
  try {
    const { devices } = await api('/camera-discoveries', 'POST', { at: form.at.value.trim() || undefined, interface: form.interface.value.trim() || undefined, login })
    status.textContent = devices.length ? `${devices.length} found` : 'No device answered. Cameras answer on their own network only, and where ONVIF is switched on in them.'
    for (const d of devices) device(list, d, login)
  } catch (err) { status.textContent = err.message }
})

function device(list, d, login) {
  const at = make('li')
  at.append(make('p', `${d.address} ${d.says ?? ''}`, { className: 'address' }))
  for (const s of d.streams ?? []) at.append(make('p', `${s.profile}: ${streamWords(s)}${s.refused ? `, refused: ${s.refused}` : ''}`, { className: 'do' }))
  for (const text of [d.reason && `Its streams are not known: ${d.reason}`, ...(d.refused ?? []).map((r) => `Refused: ${r}`)].filter(Boolean)) at.append(make('p', text, { className: 'do' }))
  if (d.url) {
    const button = make('button', 'Try and add', { type: 'button' })
    button.addEventListener('click', () => {
      const t = { name: d.name, url: d.url, watch: d.watch, login, shown: d.url, at }
      at.replaceChildren(make('p', `Trying ${d.url}`))
      tryOne(t)
    })
    at.append(button)
  } else if (!login) {
    at.append(make('p', 'With a user name and password it can be asked for its streams.', { className: 'do' }))
  }
  list.append(at)
}

// A camera's settings, and its masks and zones.
import { Areas } from './areas.js'
import { api, pathOf, triedView } from './cameras-api.js'
import { busy, say as sayIn } from './said.js'

const root = document.querySelector('[data-edit]')
const camera = root?.dataset.edit
const find = (name) => document.querySelector(`[data-${name}]`)
const form = find('form')
let now = null // as it is stored

const say = (...all) => sayIn(find('said'), all.flat().filter(Boolean).join('. '))

function fill(settings) {
  now = settings
  form.url.value = now.url
  form.watch.value = now.watch ?? ''
  form.keep.value = 'keep'
  form.keep.options[0].textContent = now.login ? 'as stored' : 'none is stored'
  form.user.value = form.password.value = ''
  form.tags.value = now.tags.join(', ')
  for (const box of form.querySelectorAll('[name=view]')) box.checked = now.views.includes(box.value)
  form.decode.value = now.decode ?? ''
  form.record.value = now.record ?? ''
  form.transport.value = now.transport ?? ''
  form.disabled.checked = now.disabled
  find('login').hidden = true
  find('fields').disabled = Boolean(now.read_only)
  for (const b of root.querySelectorAll('[data-new]')) b.disabled = Boolean(now.read_only)
  const fault = find('fault')
  fault.hidden = !now.read_only
  fault.textContent = now.read_only ?? ''
  root.hidden = false
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)
const loginOf = () => ({ keep: undefined, none: { user: '', password: '' }, new: { user: form.user.value, password: form.password.value } })[form.keep.value]

/** What is changed, and nothing else. */
function edit() {
  const out = { version: now.version }
  const give = (name, value, was) => { if (!same(value, was)) out[name] = value }
  give('url', form.url.value.trim(), now.url)
  give('watch', form.watch.value.trim(), now.watch ?? '')
  const login = loginOf()
  if (login) out.login = login
  give('tags', form.tags.value.split(',').map((t) => t.trim()).filter(Boolean), now.tags)
  // In the order in which they were, and new ones at the end: the first one counts most.
  const chosen = [...form.querySelectorAll('[name=view]:checked')].map((b) => b.value)
  give('views', [...now.views.filter((v) => chosen.includes(v)), ...chosen.filter((v) => !now.views.includes(v))], now.views)
  give('decode', form.decode.value, now.decode ?? '')
  give('record', form.record.value, now.record ?? '')
  give('transport', form.transport.value, now.transport ?? '')
  give('disabled', form.disabled.checked, now.disabled)
  return out
}

async function save(body, done) {
  try {
    const next = await api(pathOf(camera), 'PATCH', body)
    say('Saved', next.warnings ?? [], next.notes ?? [])
    done(next)
  } catch (e) { say(e.message) }
}

// ---- the picture

const still = find('still')

async function loopStill() {
  const answer = await fetch('/api/v1' + pathOf(camera, '/loop'))
  if (!answer.ok) throw new Error('there is no clip of it yet')
  const image = await createImageBitmap(await answer.blob())
  put(image, image.height / 8)
}

function put(image, height) {
  still.width = image.width
  still.height = height
  still.getContext('2d').drawImage(image, 0, 0, image.width, height, 0, 0, image.width, height)
  find('frame').style.aspectRatio = `${image.width} / ${height}`
}

async function take() {
  find('take').disabled = true
  busy(find('said'), 'Connecting to it')
  try {
    const t = await api('/camera-tries', 'POST', { camera })
    if (!t.seen?.picture) throw new Error(`${t.part}: ${t.reason}`)
    const bytes = Uint8Array.from(atob(t.seen.picture), (c) => c.charCodeAt(0))
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }))
    put(image, image.height)
    say('')
  } catch (e) { say(e.message) }
  find('take').disabled = false
}

async function begin() {
  const areas = new Areas(find('areas'), () => { find('save-areas').disabled = find('undo').disabled = false })
  const stored = () => {
    areas.set(now.masks, now.zones)
    find('save-areas').disabled = find('undo').disabled = true
  }
  fill(await api(pathOf(camera, '/settings')))
  stored()
  loopStill().catch(() => { find('hint').textContent = 'There is no clip of it yet: take a picture to draw on.' })
  form.keep.addEventListener('change', () => { find('login').hidden = form.keep.value !== 'new' })
  form.addEventListener('submit', (e) => { e.preventDefault(); save(edit(), (next) => { fill(next) }) })
  find('undo').addEventListener('click', stored)
  find('save-areas').addEventListener('click', () => {
    let drawn = null
    try { drawn = areas.get() } catch (e) { say(e.message); return }
    save({ version: now.version, ...drawn }, (next) => {
      now = next
      stored()
    })
  })
  find('take').addEventListener('click', take)
  find('try').addEventListener('click', async () => {
    const at = find('tried')
    at.replaceChildren()
    busy(find('said'), 'Trying the address')
    try {
      const url = form.url.value.trim()
      at.replaceChildren(triedView(await api('/camera-tries', 'POST', { camera, url: url === now.url ? undefined : url, login: loginOf(), transport: form.transport.value })))
      say('')
    } catch (e) { say(e.message) }
  })
}

if (root) {
  begin().catch((e) => {
    find('fault').hidden = false
    find('fault').textContent = `Its settings can't be read: ${e.message}`
  })
}

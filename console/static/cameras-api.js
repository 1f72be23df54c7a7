// How the pages about cameras ask the API, and what they show alike.
export const me = document.body

export async function api(path, method = 'GET', body = undefined) {
  const options = method === 'GET' ? {} : { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body ?? {}) }
  const answer = await fetch('/api/v1' + path, options)
  const data = await answer.json().catch(() => ({}))
  if (answer.ok) return data
  const more = (data.errors ?? []).map((e) => [e.location, e.message].filter(Boolean).join(': ')).join('; ')
  throw Object.assign(new Error(more || data.detail || answer.statusText), { status: answer.status })
}

export const pathOf = (camera, what = '') => `/cameras/${encodeURIComponent(camera)}${what}`

/** An element with a text, and what else it has. */
export function make(tag, text = '', more = {}) {
  const at = document.createElement(tag)
  if (text) at.textContent = text
  return Object.assign(at, more)
}

/** The words for a stream, such as "h264, 640x360, 25 a second". */
export function streamWords(s) {
  return [s.codec, s.width ? `${s.width}×${s.height}` : '', s.fps ? `${Number(s.fps.toPrecision(3))} a second` : ''].filter(Boolean).join(', ')
}

/** What came of a try: a picture and what it is, or which part is wrong. */
export function triedView(t) {
  const at = make('div', '', { className: 'tried' })
  if (t.seen?.picture) {
    const bytes = Uint8Array.from(atob(t.seen.picture), (c) => c.charCodeAt(0))
    const image = make('img', '', { alt: 'Its first picture', width: t.seen.width, height: t.seen.height })
    image.src = URL.createObjectURL(new Blob([bytes], { type: 'image/jpeg' }))
    image.addEventListener('load', () => URL.revokeObjectURL(image.src))
    at.append(image)
  }
  const said = make('div')
  at.append(said)
  if (!t.seen) {
    const p = make('p', '', { className: 'wrong' })
    p.append(make('strong', `What is wrong: ${t.part}`), make('span', t.reason ?? ''))
    said.append(p)
    return at
  }
  const facts = [streamWords(t.seen), t.seen.transport, t.seen.keyframe_interval_s ? `a keyframe each ${t.seen.keyframe_interval_s} s` : `no second keyframe in ${t.seen.watched_s} s`,
    t.seen.mbit_s ? `${t.seen.mbit_s} Mbit/s` : ''].filter(Boolean)
  said.append(make('p', facts.join(' · ')))
  for (const text of t.advice ?? []) said.append(make('p', text, { className: 'do' }))
  return at
}

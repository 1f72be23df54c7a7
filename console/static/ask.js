// Asking the API, and making elements of what it says: texts are only ever text.

/** Asks the API; it throws what the API says is wrong. */
export async function ask(path, { method = 'GET', body, signal } = {}) {
  const options = { method, signal }
  if (method !== 'GET') {
    options.headers = { 'Content-Type': 'application/json' }
    options.body = JSON.stringify(body ?? {})
  }
  const answer = await fetch(path, options)
  const data = await answer.json().catch(() => ({}))
  if (!answer.ok) throw Object.assign(new Error(data.errors?.length ? data.errors.map((e) => `${e.location?.replace(/^body\./, '') ?? ''} ${e.message}`).join('; ') : data.detail ?? answer.statusText), { status: answer.status })
  return data
}

/** An element with attributes and children. */
export function element(name, attributes = {}, ...children) {
  const out = document.createElement(name)
  for (const [k, v] of Object.entries(attributes)) out.setAttribute(k, v)
  out.append(...children)
  return out
}

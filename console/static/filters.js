// Which alerts are listed, as the page's address says it: it can be shared.
const names = ['from', 'to', 'camera', 'rule', 'label', 'severity', 'tag', 'state', 'marked', 'text', 'alert']

export function filters() {
  const address = new URLSearchParams(location.search)
  const out = {}
  for (const name of names) if (address.get(name)) out[name] = address.get(name)
  out.marked = out.marked === 'all' ? '' : out.marked ?? 'unmarked'
  return out
}

/** Writes what is wanted to the address. */
export function write(wanted, inPlace) {
  const next = new URLSearchParams()
  for (const name of names) {
    const value = name === 'marked' ? { unmarked: '', '': 'all' }[wanted.marked] ?? wanted.marked : wanted[name]
    if (value) next.set(name, value)
  }
  const address = next.size ? '?' + next : location.pathname
  if (inPlace) history.replaceState(null, '', address)
  else history.pushState(null, '', address)
}

/** The same for the API. */
export function forServer(wanted) {
  const query = new URLSearchParams()
  for (const name of names) if (name !== 'alert' && wanted[name]) query.set(name, wanted[name])
  return query
}

export function fill(form, wanted) {
  for (const at of form.elements) {
    if (!at.name) continue
    const value = wanted[at.name] ?? ''
    if (at.value === value) continue
    if (at.tagName === 'SELECT' && ![...at.options].some((o) => o.value === value)) at.append(new Option(value, value))
    at.value = value
  }
}

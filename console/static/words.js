// Times and durations in words, in the viewer's zone.
export const clock = (t) => t.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })

export function since(iso) {
  if (!iso) return ''
  const s = Math.max(0, (Date.now() - new Date(iso)) / 1000)
  if (s < 60) return `${Math.floor(s)} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h`
  return `${Math.floor(s / 86400)} days`
}

/** How long ago a time was. */
export const ago = since

/** A time in full; today's without its date. */
export function exact(iso) {
  const t = new Date(iso)
  const today = t.toDateString() === new Date().toDateString()
  return t.toLocaleString([], today ? { timeStyle: 'medium' } : { dateStyle: 'medium', timeStyle: 'medium' })
}

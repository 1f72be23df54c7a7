// Ticks of time in the viewer's zone, and colours for canvases.
const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const lengths = [second, 2 * second, 5 * second, 10 * second, 30 * second, minute, 2 * minute, 5 * minute, 10 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day]

/** Times to be named between two, at most so many: [{ at, text, date }]. */
export function ticks(from, to, most) {
  const length = lengths.find((l) => (to - from) / l <= most) ?? 7 * day
  const out = []
  const t = new Date(from)
  t.setHours(0, 0, 0, 0)
  if (length < day && from > t) t.setTime(Number(t) + Math.floor((from - t) / length) * length)
  for (let n = 0; n < 500 && t <= to; n++) {
    if (t >= from) out.push({ at: Number(t), ...name(t, length) })
    const before = t.getDate()
    if (length >= day) t.setDate(before + length / day)
    else t.setTime(Number(t) + length)
    // By the clock of the zone: a day may have 23 or 25 hours.
    if (length < day && length >= hour && t.getDate() !== before) t.setHours(0, 0, 0, 0)
  }
  return out
}

function name(t, length) {
  const date = t.getHours() === 0 && t.getMinutes() === 0 && t.getSeconds() === 0
  if (date) return { date, text: t.toLocaleDateString([], { weekday: 'short', day: 'numeric', month: 'short' }) }
  return { date, text: t.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', ...(length < minute ? { second: '2-digit' } : {}) }) }
}

/** A length of time in words. */
export function spanText(ms) {
  const s = Math.round(ms / second)
  if (s < 120) return `${s} s`
  if (s < 600 && s % 60) return `${(s / 60).toFixed(1)} min`
  if (s < 120 * 60) return `${Math.round(s / 60)} min`
  if (s < 48 * 3600) return `${Math.round(s / 3600)} h`
  return `${Math.round(s / 86400)} days`
}

const probe = document.createElement('span')
probe.hidden = true
document.body.append(probe)

/** What a colour of the style sheet is in the theme in force. */
export function colour(variable) {
  probe.style.color = `var(${variable})`
  return getComputedStyle(probe).color
}

/** Makes a canvas as sharp as the screen; it returns its context, in CSS pixels. */
export function sharp(canvas) {
  const { width, height } = canvas.getBoundingClientRect()
  const ratio = devicePixelRatio || 1
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)]
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h })
  const to = canvas.getContext('2d')
  to.setTransform(ratio, 0, 0, ratio, 0, 0)
  to.clearRect(0, 0, width, height)
  return { to, width, height }
}

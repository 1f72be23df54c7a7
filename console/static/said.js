// What became of an act, in a box above the status line: it stays long enough to be read, and
// as long as somebody points at it or its button has the focus.
const stays = 10_000 // ms
const timers = new WeakMap()

/** Says it until something else is said, with what can be done next: [its text, an address, or
 *  what a button does]. */
export function say(at, text, ...next) {
  clearTimeout(timers.get(at))
  at.replaceChildren(text)
  for (const [words, does] of next) {
    const one = document.createElement(typeof does === 'string' ? 'a' : 'button')
    Object.assign(one, { textContent: words, ...(typeof does === 'string' ? { href: does } : { type: 'button', onclick: does }) })
    at.append(' ', one)
  }
  if (text) timers.set(at, setTimeout(leave, stays, at))
}

/** Says what goes on, until something else is said. */
export function busy(at, text) {
  clearTimeout(timers.get(at))
  at.replaceChildren(text)
}

function leave(at) {
  if (at.matches(':hover, :focus-within')) timers.set(at, setTimeout(leave, stays, at))
  else at.replaceChildren()
}

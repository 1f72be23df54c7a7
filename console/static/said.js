// What became of an act, in a box above the status line: it stays long enough to be read, and
// as long as somebody points at it or its button has the focus.
const stays = 10_000 // ms
const timers = new WeakMap()

/** Says it, with a button [its text, what it does] if there is one, until something else is said. */
export function say(at, text, button) {
  clearTimeout(timers.get(at))
  at.replaceChildren(text)
  if (button) {
    const b = document.createElement('button')
    Object.assign(b, { type: 'button', textContent: button[0], onclick: button[1] })
    at.append(' ', b)
  }
  if (text) timers.set(at, setTimeout(leave, stays, at))
}

function leave(at) {
  if (at.matches(':hover, :focus-within')) timers.set(at, setTimeout(leave, stays, at))
  else at.replaceChildren()
}

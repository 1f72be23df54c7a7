// Pictures of a clip that come as one JPEG, one below the other, and play as a loop.
const pictures = 8
const still = matchMedia('(prefers-reduced-motion: reduce)')

/** Loads a loop; its url is revoked by who shows it. It throws where there is none. */
export async function load(address, options) {
  const answer = await fetch(address, options)
  if (!answer.ok) throw Object.assign(new Error(answer.statusText), { status: answer.status })
  const url = URL.createObjectURL(await answer.blob())
  try {
    const image = new Image()
    image.src = url
    await image.decode()
    return { url, ratio: image.naturalWidth / (image.naturalHeight / pictures) }
  } catch (e) {
    URL.revokeObjectURL(url)
    throw e
  }
}

/** Shows a loop that lasts so many seconds. */
export function show(at, loop, seconds) {
  at.style.backgroundImage = `url("${loop.url}")`
  at.style.setProperty('--ratio', loop.ratio)
  at.style.setProperty('--span', `${Math.max(1, seconds)}s`)
  at.classList.toggle('moves', !still.matches)
}

// Clips that were found, as pictures with camera, time and how near they come.
import { ago, exact } from './words.js'

/** Asks the API; an error has what it says. */
export async function ask(path, options = {}) {
  const answer = await fetch('/api/v1' + path, options)
  const data = await answer.json().catch(() => ({}))
  if (!answer.ok) throw Object.assign(new Error(data.errors?.[0]?.message ?? data.detail ?? answer.statusText), { status: answer.status })
  return data
}

export function make(tag, properties = {}, ...children) {
  const at = Object.assign(document.createElement(tag), properties)
  at.append(...children)
  return at
}

export const clipPath = (hit, what) => `/api/v1/cameras/${encodeURIComponent(hit.camera)}/clips/${encodeURIComponent(hit.clip_id)}/${what}${hit.at ? '?at=' + hit.at : ''}`

/** The address at which a clip is looked at. */
export function moment(hit, also = {}) {
  const query = new URLSearchParams({ ...also, clip: hit.clip_id, camera_of: hit.camera })
  if (hit.at) query.set('at', hit.at)
  return '/search?' + query
}

/** How near a clip comes, in words. */
export function nearness(hit) {
  return hit.contrast !== undefined ? `contrast ${hit.contrast.toFixed(2)}` : `similarity ${hit.similarity.toFixed(2)}`
}

/** A clip as a link. Its four pictures are shown one after the other under the pointer. */
export function card(hit, href) {
  const image = make('img', { alt: '', loading: 'lazy', src: clipPath(hit, 'strip') })
  const picture = make('span', { className: 'picture-found' }, image)
  image.addEventListener('load', () => { picture.style.aspectRatio = `${image.naturalWidth / 4} / ${image.naturalHeight}` })
  image.addEventListener('error', () => { image.remove(); picture.textContent = 'its pictures are not kept any more' })
  const time = make('time', { dateTime: hit.start, title: exact(hit.start), textContent: `${ago(hit.start)} ago` })
  return make('a', { className: 'clip-found', href, title: `${hit.camera}, ${exact(hit.start)}` }, picture,
    make('span', { className: 'camera', textContent: hit.camera }), time, make('span', { className: 'near', textContent: nearness(hit) }))
}

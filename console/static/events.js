// The events of the wall: one stream a page, none while the page is hidden.

/**
 * Calls on.wall({tiles, line}) with everything, on.change({tiles, gone, line}) with what has
 * changed since, and on.lost(since) while nothing can be heard; on.lost(null) once it can.
 */
export function watch(on) {
  let source = null
  let lost = null
  const heard = () => {
    if (lost) on.lost(lost = null)
  }
  const open = () => {
    source = new EventSource('/api/v1/events')
    source.addEventListener('wall', (e) => { heard(); on.wall(JSON.parse(e.data)) })
    source.addEventListener('change', (e) => { heard(); on.change(JSON.parse(e.data)) })
    source.addEventListener('alive', (e) => { heard(); on.change({ tiles: [], gone: [], line: JSON.parse(e.data) }) })
    source.onerror = () => {
      if (!lost) on.lost(lost = new Date())
      if (source.readyState === EventSource.CLOSED) again()
    }
  }
  const close = () => { source?.close(); source = null }
  // A browser gives up for good when it is answered with an error.
  let timer = 0
  const again = () => {
    clearTimeout(timer)
    timer = setTimeout(() => { if (!document.hidden) { close(); open() } }, 3000)
  }
  document.addEventListener('visibilitychange', () => {
    close()
    if (!document.hidden) open()
  })
  addEventListener('pagehide', close)
  addEventListener('pageshow', (e) => { if (e.persisted && !source) open() })
  if (!document.hidden) open()
}

// The events of the wall: one stream a page, none while the page is hidden.

// Whoever is no longer logged in comes back to this page by the one that logs in.
function logIn() {
  location.assign('/login?ended&next=' + encodeURIComponent(location.pathname + location.search))
}

async function loggedOut() {
  try {
    if ((await fetch('/api/v1/me')).status !== 401) return false
  } catch {
    return false // the server is away
  }
  logIn()
  return true
}

/**
 * Calls on.wall({tiles, line}) with everything, on.change({tiles, gone, line}) with what has
 * changed since, and on.lost(since) while nothing can be heard; on.lost(null) once it can.
 */
export function watch(on) {
  let source = null
  let lost = null
  let last = Date.now()
  const heard = () => {
    last = Date.now()
    if (lost) on.lost(lost = null)
  }
  const lose = () => { if (!lost) on.lost(lost = new Date(last)) }
  const open = () => {
    last = Date.now()
    source = new EventSource('/api/v1/events')
    source.addEventListener('wall', (e) => { heard(); on.wall(JSON.parse(e.data)) })
    source.addEventListener('change', (e) => { heard(); on.change(JSON.parse(e.data)) })
    source.addEventListener('alive', (e) => { heard(); on.change({ tiles: [], gone: [], line: JSON.parse(e.data) }) })
    source.addEventListener('over', () => { close(); logIn() })
    source.onerror = () => {
      lose()
      if (source.readyState === EventSource.CLOSED) again()
    }
  }
  const close = () => { source?.close(); source = null }
  // A browser gives up for good when it is answered with an error.
  let timer = 0
  const again = () => {
    clearTimeout(timer)
    timer = setTimeout(async () => {
      if (document.hidden || await loggedOut()) return
      close()
      open()
    }, 3000)
  }
  // A server that hangs, or a tunnel, keeps the stream open: it sends something each 15 s.
  setInterval(() => {
    if (!source || document.hidden || Date.now() - last < 40000) return
    lose()
    close()
    open()
  }, 5000)
  document.addEventListener('visibilitychange', () => {
    close()
    if (!document.hidden) open()
  })
  addEventListener('pagehide', close)
  addEventListener('pageshow', (e) => { if (e.persisted && !source) open() })
  if (!document.hidden) open()
}

// Health is made anew by the server while the page is looked at.
const every = 5000

async function renew() {
  if (document.hidden || document.body.classList.contains('lost')) return
  try {
    const answer = await fetch('/health')
    if (!answer.ok) return
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    for (const now of document.querySelectorAll('[data-health]')) {
      const next = page.querySelector(`[data-health="${now.dataset.health}"]`)
      if (next && next.innerHTML !== now.innerHTML && !now.contains(document.activeElement)) now.replaceWith(next)
    }
  } catch {
    // That the server is away is said at the bottom.
  }
}

setInterval(renew, every)

// The edits of the rules in Redis: what each changed, line by line, and the way back to it.
import { ask, element } from './ask.js'
import { exact } from './words.js'

/** What two texts don't share, as lines with - or + before them. */
export function changed(before, after) {
  const [a, b] = [before, after].map((t) => t.trimEnd().split('\n').filter(Boolean))
  // The longest run of lines that both have, by their length from each place on.
  const same = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0))
  for (let i = a.length - 1; i >= 0; i--) for (let k = b.length - 1; k >= 0; k--) same[i][k] = a[i] === b[k] ? same[i + 1][k + 1] + 1 : Math.max(same[i + 1][k], same[i][k + 1])
  const out = []
  for (let i = 0, k = 0; i < a.length || k < b.length;) {
    if (i < a.length && k < b.length && a[i] === b[k]) [i, k] = [i + 1, k + 1]
    else if (k === b.length || (i < a.length && same[i + 1][k] >= same[i][k + 1])) out.push('- ' + a[i++])
    else out.push('+ ' + b[k++])
  }
  return out
}

/** Shows the edits of a rule, or without a name those of all. restore is called with the version
 *  of one, and missing where that may not be. */
export async function edits(at, rule, restore, signal) {
  try {
    const h = await ask('/api/v1/rulebook/history' + (rule ? '?rule=' + encodeURIComponent(rule) : ''), { signal })
    at.replaceChildren(...h.edits.map((e) => {
      const said = [exact(e.time), e.begins ? 'the history begins' : '', e.by && 'by ' + e.by, e.note && `(${e.note})`].filter(Boolean).join(' ')
      const out = element('li', {}, said + ' ')
      if (restore && !e.begins && e.version !== h.version) {
        const back = element('button', { type: 'button' }, 'Restore')
        back.addEventListener('click', () => restore(e.version))
        out.append(back)
      }
      for (const c of e.changes) {
        const what = c.after === undefined ? ' removed' : c.before === undefined ? ' added' : ''
        if (!rule || what === ' removed') out.append(element('p', { class: 'faint' }, c.rule + what))
        if (c.after !== undefined) out.append(element('pre', {}, changed(c.before ?? '', c.after).join('\n')))
      }
      if (e.more) out.append(element('p', { class: 'faint' }, `and ${e.more} more`))
      return out
    }))
    if (!h.edits.length) at.replaceChildren(element('li', {}, 'No edit is recorded.'))
  } catch (e) {
    if (e.name !== 'AbortError') at.replaceChildren(element('li', {}, e.message))
  }
}

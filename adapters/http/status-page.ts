/** What `/` shows: facts in order, as text. */
export type StatusFacts = Readonly<Record<string, string | number | null>>

/** A page that needs no script, no style sheet and no other request. */
export function renderStatusPage(facts: StatusFacts, reasons: readonly string[]): string {
  const rows = Object.entries(facts).map(
    ([name, value]) => `<tr><th>${escapeHtml(name)}<td>${escapeHtml(String(value ?? '-'))}`,
  )
  const state =
    reasons.length === 0 ? '<p>Ready.' : `<p>Not ready:<ul>${reasons.map((r) => `<li>${escapeHtml(r)}`).join('')}</ul>`
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Headrace</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem}th{text-align:left;padding-right:2rem;font-weight:600}</style>
<h1>Headrace</h1>
${state}
<table>${rows.join('\n')}</table>
<p><a href="/metrics">metrics</a> &middot; <a href="/healthz">healthz</a> &middot; <a href="/readyz">readyz</a>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

import type { Outcome } from './run.js'
import { scenarios } from './scenarios.js'

export interface ClientOutcomes {
  readonly version: string
  readonly outcomes: readonly Outcome[]
}

const MARKS: Readonly<Record<Outcome['kind'], string>> = { works: 'works', 'not-in-client': '—', fails: '**fails**' }

/** A Markdown table: scenarios down, clients across, and a note for each cell that is not plain. */
export function renderTable(clients: readonly ClientOutcomes[]): string {
  const notes: string[] = []
  const cell = ({ outcomes }: ClientOutcomes, id: string): string => {
    const outcome = outcomes.find(({ scenario }) => scenario.id === id)
    if (outcome === undefined) return ''
    if (outcome.note === '') return MARKS[outcome.kind]
    const known = notes.indexOf(outcome.note)
    const number = known >= 0 ? known + 1 : notes.push(outcome.note)
    return `${MARKS[outcome.kind]} [${number}]`
  }
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const lines = [
    row(['', ...clients.map(({ version }) => version)]),
    row(['---', ...clients.map(() => '---')]),
    ...scenarios.map(({ id, title }) => row([title, ...clients.map((client) => cell(client, id))])),
  ]
  const explained = notes.map((note, place) => `${place + 1}. ${note.split('\n')[0]}`)
  return [...lines, '', ...explained].join('\n').trimEnd()
}

const BEGIN = '<!-- made by npm run compat -->'
const END = '<!-- end -->'

/** The page with its table replaced. @throws where the page has no place for it */
export function withTable(page: string, table: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`the page has no ${BEGIN} and ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${page.slice(end)}`
}

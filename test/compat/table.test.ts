import t from 'tap'
import type { Outcome } from './run.js'
import { scenarios } from './scenarios.js'
import { renderTable, withTable } from './table.js'

const outcome = (place: number, kind: Outcome['kind'], note = ''): Outcome => ({
  scenario: scenarios[place]!,
  kind,
  note,
  durationMs: 1,
})

t.test('a row per scenario, a column per client, a note for each cell that is not plain', async (t) => {
  const table = renderTable([
    { version: 'one 1.0', outcomes: [outcome(0, 'works'), outcome(1, 'not-in-client', 'it has none')] },
    {
      version: 'two 2.0',
      outcomes: [outcome(0, 'fails', 'first line\nsecond'), outcome(1, 'not-in-client', 'it has none')],
    },
  ])
  const lines = table.split('\n')
  t.equal(lines[0], '|  | one 1.0 | two 2.0 |')
  t.equal(lines[2], `| ${scenarios[0]!.title} | works | **fails** [1] |`)
  t.equal(lines[3], `| ${scenarios[1]!.title} | — [2] | — [2] |`)
  t.same(lines.slice(-2), ['1. first line', '2. it has none'])
})

t.test('the table takes its place in the page', async (t) => {
  const page = 'before\n<!-- made by npm run compat -->\nold\n<!-- end -->\nafter\n'
  t.equal(withTable(page, 'new'), 'before\n<!-- made by npm run compat -->\n\nnew\n\n<!-- end -->\nafter\n')
  t.throws(() => withTable('no place', 'new'))
})

import { readFileSync } from 'node:fs'
import t from 'tap'
import { kebabName, settingKeys, settings } from '../adapters/config/index.js'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The settings table as it has to be: the schema is the source, the page is compared with it. */
function settingsTable(): string {
  const rows = settingKeys.map((key) => {
    const { defaultText, description } = settings[key]
    return `| \`${kebabName(key)}\` | ${defaultText} | ${description} |`
  })
  return ['| setting | default | meaning |', '|---|---|---|', ...rows].join('\n')
}

t.test('the settings table is that of the schema', async (t) => {
  const start = readme.indexOf('| setting | default |')
  t.not(start, -1)
  const table = readme.slice(start).split('\n\n')[0]?.trim()
  t.equal(table, settingsTable())
})

t.test('the commands in the README exist', async (t) => {
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const used = [...readme.matchAll(/npm (?:run )?(start|test|[a-z]+:[a-z:-]+|check|build|lint)\b/g)].map(
    (match) => match[1],
  )
  t.ok(used.length > 0)
  t.strictSame(
    used.filter((name) => scripts[name ?? ''] === undefined),
    [],
  )
})

t.test('links inside the repository lead somewhere', async (t) => {
  const links = [...readme.matchAll(/\]\(((?!https?:|#)[^)]+)\)/g)].map((match) => match[1]?.split('#')[0] ?? '')
  for (const link of new Set(links)) {
    t.doesNotThrow(() => readFileSync(new URL(`../../${link}`, import.meta.url)), link)
  }
})

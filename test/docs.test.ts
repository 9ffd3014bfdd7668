import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { kebabName, settingKeys, settings } from '../adapters/config/index.js'

/** Pages are compared with what they talk about, so that neither runs away from the other. */

const root = fileURLToPath(new URL('../../', import.meta.url))
const pages = ['README.md', ...readdirSync(join(root, 'docs'), { recursive: true }).map((name) => `docs/${name}`)]
const markdown = pages.filter((page) => page.endsWith('.md')).map((page) => ({ page, text: read(page) }))
const readme = read('README.md')

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** The settings table as it has to be: the schema is the source. */
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
  t.equal(readme.slice(start).split('\n\n')[0]?.trim(), settingsTable())
})

t.test('the npm scripts in the README exist', async (t) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const used = [...readme.matchAll(/npm (?:run ([\w:]+)|(start|test)\b)/g)].map((match) => match[1] ?? match[2] ?? '')
  t.ok(used.length > 0)
  t.strictSame(
    used.filter((name) => scripts[name] === undefined),
    [],
  )
})

t.test('links between pages lead somewhere', async (t) => {
  for (const { page, text } of markdown) {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map((match) => match[1] ?? '')
    const dead = links.filter((link) => !existsSync(join(root, dirname(page), link)))
    t.strictSame(dead, [], page)
  }
})

t.test('files that pages name exist', async (t) => {
  for (const { page, text } of markdown) {
    const named = [...text.matchAll(/`((?:format|engine|workers|adapters|test|docs|bench)\/[\w./-]+\.\w+)`/g)]
    const missing = named.map((match) => match[1] ?? '').filter((file) => !existsSync(join(root, file)))
    t.strictSame(missing, [], page)
  }
})

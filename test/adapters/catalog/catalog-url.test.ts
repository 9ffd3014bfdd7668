import t from 'tap'
import { parseCatalogUrl } from '../../../adapters/catalog/catalog-url.js'
import { openCatalog } from '../../../adapters/catalog/index.js'

t.test('places', async (t) => {
  t.same(parseCatalogUrl('sqlite::memory:'), {
    kind: 'sqlite',
    location: 'sqlite::memory:',
    filename: ':memory:',
  })
  t.match(parseCatalogUrl('sqlite:///var/lib/a 100%/catalog.db'), { filename: '/var/lib/a 100%/catalog.db' })
  t.same(parseCatalogUrl('mysql://user:p%40ss%2Fword@db.example/headrace'), {
    kind: 'mysql',
    location: 'mysql://db.example:3306/headrace',
    host: 'db.example',
    port: 3306,
    user: 'user',
    password: 'p@ss/word',
    database: 'headrace',
    tls: undefined,
  })
  t.match(parseCatalogUrl('mysql://user@[::1]:4000/h?tls=true'), { host: '::1', port: 4000, password: '', tls: {} })
  t.match(parseCatalogUrl('mysql://user@h/d?tls=false'), { tls: undefined })
})

t.test('what cannot be used is refused without repeating it', async (t) => {
  const bad = [
    '',
    'catalog.db',
    'postgres://user:secret@host/db',
    'sqlite:catalog.db',
    'sqlite://relative.db',
    'sqlite:///directory/',
    'mysql://user:secret@host',
    'mysql://user:secret@host/',
    'mysql://user:secret@host/a/b',
    'mysql://:secret@host/db',
    'mysql://host/db',
    'mysql://user:secret@host:port/db',
    'mysql://user:secret%zz@host/db',
    'mysql://user:secret@host/db?multipleStatements=true',
    'mysql://user:secret@host/db?tls=maybe',
    'mysql://user:secret@host/db?tls-ca=/does/not/exist.pem',
  ]
  for (const url of bad) {
    try {
      openCatalog(url)
      t.fail(`${url} was accepted`)
    } catch (error) {
      t.match(error, { code: 'CONFIG_INVALID', retry: 'never' }, url)
      t.notMatch(String(error), /secret/)
    }
  }
})

import t from 'tap'
import { catalogSuite } from '../../conformance/catalog.js'
import { sqliteFileFixture, sqliteMemoryFixture } from '../../support/catalog-fixtures.js'

t.test('SQLite in a file', (t) => catalogSuite(t, sqliteFileFixture))
t.test('SQLite in memory', (t) => catalogSuite(t, sqliteMemoryFixture))

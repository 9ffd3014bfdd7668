import t from 'tap'
import { catalogSuite } from '../../conformance/catalog.js'
import { sqliteFileFixture } from '../../support/catalog-fixtures.js'

t.test('SQLite in a file', (t) => catalogSuite(t, sqliteFileFixture))

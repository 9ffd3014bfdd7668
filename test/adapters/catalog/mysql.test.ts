import t from 'tap'
import { catalogSuite } from '../../conformance/catalog.js'
import { urlFixture } from '../../support/catalog-fixtures.js'
import { startMariadb } from '../../support/mariadb.js'

t.test('MariaDB, or the server of HEADRACE_TEST_MYSQL', async (t) => {
  const server = await startMariadb()
  t.teardown(() => server.stop())
  await catalogSuite(t, async () => urlFixture(await server.freshDatabase()))
})

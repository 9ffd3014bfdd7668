import { openCatalog } from '../../../adapters/catalog/index.js'

/** An agent's first step as a process of its own: what `migrate.test.ts` starts five of. */
const catalog = openCatalog(process.env['MIGRATE_URL'] ?? '')
await catalog.migrate()
console.log(await catalog.clusterId())
await catalog.close()

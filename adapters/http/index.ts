/** The HTTP face of an agent: health, readiness, metrics, a status page. */
export { createPrometheusMetrics, type PrometheusMetrics } from './metrics.js'
export { createReadiness, ObjectStoreHealth, type Readiness, type ReadinessChecks } from './readiness.js'
export { type HttpServer, type HttpServerOptions, startHttpServer } from './server.js'
export type { StatusFacts } from './status-page.js'

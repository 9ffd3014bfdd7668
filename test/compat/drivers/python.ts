import { fileURLToPath } from 'node:url'
import { CODECS } from '../driver.js'
import type { JsonLinesClient } from './json-lines-driver.js'

/** Where Debian's packages are installed; a `python3` found first on the PATH may be another. */
const PYTHON = process.env['HEADRACE_TEST_PYTHON'] || '/usr/bin/python3'

export const confluentKafka: JsonLinesClient = {
  client: 'confluent-kafka (Python)',
  command: pythonScript('confluent_kafka_client.py'),
  codecs: CODECS,
  lacks: { 'group-deletion': 'version 1.7 cannot delete groups' },
}

export const kafkaPython: JsonLinesClient = {
  client: 'kafka-python',
  command: pythonScript('kafka_python_client.py'),
  codecs: CODECS,
  lacks: {
    'static-membership': 'version 2.0 has no group instance ids',
    idempotence: 'version 2.0 has no idempotent producer',
  },
}

/** A script beside the suite. */
function pythonScript(script: string): [string, ...string[]] {
  return [PYTHON, '-u', fileURLToPath(new URL(`../../../../test/compat/drivers/${script}`, import.meta.url))]
}

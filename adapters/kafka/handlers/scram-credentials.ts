import type {
  DescribedScramUser,
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from '../apis/50-describe-user-scram-credentials.js'
import type {
  AlteredScramUser,
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from '../apis/51-alter-user-scram-credentials.js'
import type { RequestContext } from '../context.js'
import { KafkaError, kafkaFailure } from '../errors.js'

const nothingToDelete = kafkaFailure(
  KafkaError.RESOURCE_NOT_FOUND,
  'Attempt to delete a user credential that does not exist',
)

const noUsers = kafkaFailure(
  KafkaError.UNSUPPORTED_SASL_MECHANISM,
  'This broker has no SASL and no users: a credential would let nobody in, and keep nobody out',
)

/** A user is answered for once, also one that is named twice: clients look their users up in the answer. */
export async function handleDescribeUserScramCredentials(
  _context: RequestContext,
  { users }: DescribeUserScramCredentialsRequest,
): Promise<DescribeUserScramCredentialsResponse> {
  const results = new Map<string, DescribedScramUser>()
  for (const user of users ?? []) {
    const failure = results.has(user)
      ? kafkaFailure(
          KafkaError.DUPLICATE_RESOURCE,
          `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`,
        )
      : kafkaFailure(
          KafkaError.RESOURCE_NOT_FOUND,
          `Attempt to describe a user credential that does not exist: ${user}`,
        )
    results.set(user, { user, ...failure })
  }
  return { errorCode: KafkaError.NONE, errorMessage: null, results: [...results.values()] }
}

/** Kafka too looks at deletions first, and tells of a user's first failure only. */
export async function handleAlterUserScramCredentials(
  _context: RequestContext,
  { deletions, upsertions }: AlterUserScramCredentialsRequest,
): Promise<AlterUserScramCredentialsResponse> {
  const results = new Map<string, AlteredScramUser>()
  for (const { user } of upsertions) results.set(user, { user, ...noUsers })
  for (const { user } of deletions) results.set(user, { user, ...nothingToDelete })
  return { results: [...results.values()] }
}

// What require_sse promises: nothing of a step goes to a server that does not encrypt, and nothing
// is read that is not encrypted.
#pragma once

#include <span>
#include <vector>

#include "store/s3/bucket.h"

namespace stepstore::bucket {

// Before the first write: an object without content, whose answer shows what the server does.
// Throws Unsupported where it does not encrypt as the settings demand; then nothing is kept.
void try_encryption(const Bucket& bucket, const CallLimits& limits);

// Makes errors of answers that lack what the settings demand. What such a write has left is taken
// out again where nobody can have named it yet: a component is emptied, an upload aborted.
void refuse_unencrypted(const Bucket& bucket, std::span<const s3::Operation> operations,
                        std::vector<Result<s3::Answer>>& answers, const CallLimits& limits);

// Refusals of reads that are about the key of SSE-C say so only in a server's words.
StorageManagerError explained(const Bucket& bucket, const s3::Operation& operation,
                              const StorageManagerError& failed);

}  // namespace stepstore::bucket

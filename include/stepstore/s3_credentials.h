// Who signs requests to S3, where the program itself says it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "stepstore/call.h"

namespace stepstore {
inline namespace v1 {

struct S3Credentials {
  std::string access_key_id{};
  std::string secret_access_key{};        // never in a message
  std::string session_token{};            // of temporary credentials; else empty
  std::optional<Timestamp> expires_at{};  // where it is known: links that they sign end then
};

// Credentials that a program sets anew while managers use them: a secrets manager of its own, say,
// gives new ones every hour. Every request is signed with those that are there when it is sent. One
// slot serves any number of managers. Thread-safe, usable after fork() in the child.
class S3CredentialsSlot {
 public:
  S3CredentialsSlot();  // empty: calls are Unauthenticated until set()
  ~S3CredentialsSlot();
  S3CredentialsSlot(const S3CredentialsSlot&) = delete;
  S3CredentialsSlot& operator=(const S3CredentialsSlot&) = delete;

  // Throws ConfigError when the access key or its secret is empty.
  void set(S3Credentials credentials);
  S3Credentials get() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace v1
}  // namespace stepstore

// Examiner: single requests to a bucket and what the server says to them. Shared by the questions
// of one examination; remembers what it wrote.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/questions.h"
#include "store/s3/bucket.h"

namespace stepstore::bucket {

// How the server answered.
struct Said {
  int status = 0;
  std::string words{};      // "200", "412 PreconditionFailed"
  http::Headers headers{};  // of an answer below 300 only
  Bytes body{};
  bool reused = false;  // of a refusal: it came over a connection that had served before

  bool ok() const noexcept { return status < 300; }
  const std::string* header(std::string_view name) const {
    return http::find_header(headers, name);
  }
};

// Not thread-safe.
class Examiner {
 public:
  Examiner(std::shared_ptr<Bucket> bucket, std::string id, const CallLimits& limits);

  Bucket& bucket() noexcept { return *bucket_; }
  const std::string& id() const noexcept { return id_; }
  const CallLimits& limits() const noexcept { return limits_; }
  s3::Client& client() noexcept { return *client_; }

  // A key that nobody has used, which is removed at the end.
  ObjectKey fresh_key(std::string_view name);
  // The same below another one.
  ObjectKey below(const ObjectKey& key);
  // A put of some bytes, without a checksum; others each time.
  s3::Operation put_of(const ObjectKey& key, Condition condition = {},
                       s3::ETagStyle style = s3::ETagStyle::quoted);
  // The answer, also where it refuses. Throws what passes by itself: no answer, 429, and 5xx but
  // for 501.
  Said ask(const s3::Operation& operation);
  Said ask(s3::Client& client, const s3::Operation& operation);
  // For what must work if the question is to mean anything. Throws what the server says.
  Said must(const s3::Operation& operation);
  // The ETag of an object that this put makes.
  ETag made(const ObjectKey& key);
  bool exists(const ObjectKey& key);

  const std::string& server() const noexcept { return server_; }
  // As Examination::clean_up().
  std::vector<std::string> clean_up(const CallLimits& limits) noexcept;

 private:
  void remember(const s3::Answer& answer);
  // Why some stay; empty: none does.
  std::string remove_versions(const CallLimits& limits);

  std::shared_ptr<Bucket> bucket_;
  const std::string id_;
  const CallLimits& limits_;
  std::unique_ptr<s3::Client> client_;  // gives up sooner than the store's
  std::vector<ObjectKey> keys_;
  std::deque<std::string> bodies_;  // which requests borrow
  std::string server_;
  bool versions_ = false;  // an answer has named one
};

// Verdict by whether `holds`, with what the server said.
Reply reply_if(bool holds, std::string seen, std::string_view advice);

// One list per file.
std::vector<Question> access_questions(Examiner& examiner);
std::vector<Question> integrity_questions(Examiner& examiner);
std::vector<Question> dialect_questions(Examiner& examiner);
std::vector<Question> condition_questions(Examiner& examiner);

}  // namespace stepstore::bucket

#include "store/s3/examiner.h"

#include <utility>

#include "layout/keys.h"
#include "s3/xml.h"

namespace stepstore::bucket {
namespace {

// Enough for a refusal that passes; what is answered with 500 each time does not hold up the rest.
constexpr int kAttemptsMax = 3;

std::unique_ptr<s3::Client> hasty(const s3::Client& client) {
  s3::ClientOptions options = client.options();
  options.retry.attempts_max = kAttemptsMax;
  return client.beside(std::move(options), client.credentials());
}

// "412 PreconditionFailed", which stands in brackets at the end of the message.
std::string words_of(const StorageManagerError& error) {
  const std::string status = std::to_string(error.http_status());
  const std::string_view message = error.message();
  const std::size_t at = message.rfind('(' + status);
  if (at == std::string_view::npos) return status;
  const std::string_view rest = message.substr(at + 1);
  return std::string(rest.substr(0, rest.find_first_of(":)")));
}

bool passes(int status) { return status == 0 || status == 429 || (status >= 500 && status != 501); }

}  // namespace

Examiner::Examiner(std::shared_ptr<Bucket> bucket, std::string id, const CallLimits& limits)
    : bucket_(std::move(bucket)),
      id_(std::move(id)),
      limits_(limits),
      client_(hasty(*bucket_->client)) {}

ObjectKey Examiner::fresh_key(std::string_view name) {
  const std::string own = std::string(name) + '-' + std::to_string(keys_.size());
  keys_.push_back(bucket_->own(probe_key(id_, own)));
  return keys_.back();
}

ObjectKey Examiner::below(const ObjectKey& key) {
  keys_.push_back(ObjectKey(key.text() + "/1"));
  return keys_.back();
}

s3::Operation Examiner::put_of(const ObjectKey& key, Condition condition, s3::ETagStyle style) {
  bodies_.push_back("stepstore examines the bucket " + std::to_string(bodies_.size()));
  s3::Operation put = s3::put_object({.key = key,
                                      .body = bodies_.back(),
                                      .content_type = "text/plain",
                                      .condition = std::move(condition)},
                                     {.etag_style = style});
  put.checksum.reset();
  return put;
}

void Examiner::remember(const s3::Answer& answer) {
  const http::Headers& headers = answer.response.headers;
  if (const std::string* const name = http::find_header(headers, "Server")) server_ = *name;
  versions_ = versions_ || http::find_header(headers, "x-amz-version-id") != nullptr;
}

Said Examiner::ask(s3::Client& client, const s3::Operation& operation) {
  Result<s3::Answer> answer = client.send_one(operation, limits_);
  if (!answer) {
    const StorageManagerError& refusal = answer.error();
    if (passes(refusal.http_status())) refusal.raise();
    const auto attempts = refusal.attempts();
    return {.status = refusal.http_status(),
            .words = words_of(refusal),
            .reused = !attempts.empty() && attempts.back().reused_connection};
  }
  remember(*answer);
  http::Response& response = (*answer).response;
  return {.status = response.status,
          .words = std::to_string(response.status),
          .headers = std::move(response.headers),
          .body = std::move(response.body)};
}

Said Examiner::ask(const s3::Operation& operation) { return ask(*client_, operation); }

Said Examiner::must(const s3::Operation& operation) {
  Result<s3::Answer> answer = client_->send_one(operation, limits_);
  if (!answer) answer.error().raise();
  remember(*answer);
  http::Response& response = (*answer).response;
  return {.status = response.status,
          .words = std::to_string(response.status),
          .headers = std::move(response.headers),
          .body = std::move(response.body)};
}

ETag Examiner::made(const ObjectKey& key) {
  const Said said = must(put_of(key));
  const std::string* const etag = said.header("ETag");
  return etag == nullptr ? ETag() : plain_etag(*etag);
}

bool Examiner::exists(const ObjectKey& key) { return ask(s3::head_object(key)).ok(); }

// A bucket that keeps versions keeps what was removed, too. They are no objects of the store, but
// they cost.
std::string Examiner::remove_versions(const CallLimits& limits) {
  const std::string folder = bucket_->own(probe_key(id_, "x")).text();
  const std::string prefix = folder.substr(0, folder.size() - 1);
  std::string next_key;
  std::string next_version;
  while (true) {
    const auto answer =
        client_->send_one(s3::list_object_versions(prefix, next_key, next_version), limits);
    if (!answer) return answer.error().what();
    const auto page = s3::parse_versions(answer->response.body.view());
    if (!page) return page.error().what();
    std::vector<s3::Operation> removals;
    for (const s3::ListedVersion& version : page->versions) {
      if (!version.key.starts_with(prefix)) continue;
      removals.push_back(s3::delete_object(ObjectKey(version.key), version.id));
    }
    for (const auto& gone : client_->send(removals, limits)) {
      if (!gone && !gone.is(ErrorCode::NotFound)) return gone.error().what();
    }
    // Some servers tell the first page again and again.
    const bool further = page->next_key != next_key || page->next_version != next_version;
    if (!page->truncated || !further) return {};
    next_key = page->next_key;
    next_version = page->next_version;
  }
}

std::vector<std::string> Examiner::clean_up(const CallLimits& limits) noexcept {
  std::vector<std::string> stays;
  try {
    std::vector<s3::Operation> removals;
    for (const ObjectKey& key : keys_) removals.push_back(s3::delete_object(key));
    const auto outcomes = client_->send(removals, limits);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const auto& gone = outcomes[i];
      if (gone || gone.is(ErrorCode::NotFound)) continue;
      stays.push_back(keys_[i].text() + ": " + gone.error().what());
    }
    if (!versions_) return stays;
    if (const std::string why = remove_versions(limits); !why.empty()) {
      stays.push_back("older versions below " + bucket_->own(probe_key(id_, "x")).text() +
                      ", until a lifecycle rule removes them: " + why);
    }
  } catch (const std::exception& failed) {
    stays.push_back(bucket_->own(probe_key(id_, "x")).text() + ": " + failed.what());
  }
  return stays;
}

Reply reply_if(bool holds, std::string seen, std::string_view advice) {
  return {.verdict = holds ? DoctorRow::Verdict::yes : DoctorRow::Verdict::no,
          .seen = std::move(seen),
          .advice = std::string(advice)};
}

}  // namespace stepstore::bucket

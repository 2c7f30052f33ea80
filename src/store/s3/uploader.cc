// A large object in parts. A small one that came this way is a plain PUT.
#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "base/crc64.h"
#include "base/log.h"
#include "s3/xml.h"
#include "store/s3/part_size.h"
#include "store/s3/put.h"

namespace stepstore::bucket {
namespace {

class S3Upload final : public Upload {
 public:
  S3Upload(std::shared_ptr<Bucket> bucket, ObjectKey key, std::string content_type)
      : bucket_(std::move(bucket)), key_(std::move(key)), content_type_(std::move(content_type)) {}

  ~S3Upload() override {
    if (upload_id_.empty()) return;
    try {
      const CallLimits limits{.deadline = bucket_->clock.steady_now() + std::chrono::seconds(10)};
      const auto gone = bucket_->send_one(s3::abort_multipart_upload(key_, upload_id_), limits);
      if (!gone && !gone.is(ErrorCode::NotFound)) gone.error().raise();
    } catch (const StorageManagerError& failed) {
      log_warning("the unfinished upload of '{}' stays in the bucket: {}", key_.text(),
                  failed.what());
    }
  }

  void write(BytesView piece, const CallLimits& limits) override {
    check_limits(limits, bucket_->clock, "upload");
    if (ended_) ended().raise();
    while (!piece.empty()) {
      if (parts_.empty() || parts_.back().size() == part_bytes()) {
        if (parts_.size() == parts_at_once()) send_parts(limits);
        parts_.emplace_back().reserve(part_bytes());
      }
      std::vector<std::byte>& part = parts_.back();
      const std::size_t size = std::min<std::size_t>(piece.size(), part_bytes() - part.size());
      part.insert(part.end(), piece.begin(), piece.begin() + size);
      piece = piece.slice(size, piece.size() - size);
    }
  }

  Result<ETag> finish(const Condition& condition, const CallLimits& limits) override {
    try {
      check_limits(limits, bucket_->clock, "upload");
      if (ended_) return ended();
      ended_ = true;
      return upload_id_.empty() && parts_.size() <= 1 ? finish_small(condition, limits)
                                                      : finish_large(condition, limits);
    } catch (const StorageManagerError& failed) {
      if (ends_the_call(failed)) throw;
      return told_as(failed, "upload", key_.text());
    }
  }

 private:
  std::size_t part_bytes() const {
    return static_cast<std::size_t>(part_bytes_after(sent_, bucket_->options.part_bytes));
  }
  std::size_t parts_at_once() const {
    const std::uint64_t budget = bucket_->options.part_bytes * bucket_->options.parts_at_once;
    return std::max<std::size_t>(1, static_cast<std::size_t>(budget / part_bytes()));
  }

  StorageManagerError ended() const {
    return error(ErrorCode::InvalidArgument, "upload", key_.text(),
                 "the upload was finished already", "Start another upload.");
  }

  void begin(const CallLimits& limits) {
    const auto answer = bucket_->send_one(
        s3::create_multipart_upload(key_, content_type_, bucket_->holds_data(key_)), limits);
    checksum_ = answer.value().checksum;
    upload_id_ = s3::parse_create_upload(answer.value().response.body.view()).value();
  }

  void send_parts(const CallLimits& limits) {
    if (upload_id_.empty()) begin(limits);
    if (done_.size() + parts_.size() > kPartsMax) {
      ended_ = true;
      error(ErrorCode::TooLarge, "upload", key_.text(), "the object has more than 10,000 parts")
          .raise();
    }
    std::vector<s3::Operation> operations;
    std::vector<s3::UploadedPart> sent;
    for (const std::vector<std::byte>& part : parts_) {
      const int number = static_cast<int>(done_.size() + sent.size()) + 1;
      const std::uint64_t crc = crc64(BytesView(part));
      const bool other = checksum_ == s3::Checksum::crc32c;
      operations.push_back(
          s3::upload_part(key_, upload_id_, number, BytesView(part), crc, s3::bound(checksum_)));
      sent.push_back({.number = number,
                      .crc64 = crc,
                      .crc32c = other ? crc32c(BytesView(part)) : std::uint32_t{0}});
      whole_crc_ = crc64(BytesView(part), whole_crc_);
      sent_ += part.size();
    }
    const auto answers = bucket_->send(operations, limits);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const Result<ETag> etag = told_put({.key = key_}, answers[i]);
      if (!etag) ended_ = true;  // the part is gone; only a new upload helps
      sent[i].etag = etag.value().text();
      done_.push_back(sent[i]);
    }
    parts_.clear();
  }

  Result<ETag> finish_small(const Condition& condition, const CallLimits& limits) {
    const PutRequest whole{.key = key_,
                           .body = parts_.empty() ? BytesView() : BytesView(parts_.front()),
                           .content_type = content_type_,
                           .condition = condition};
    Result<ETag> outcome = put(*bucket_, {&whole, 1}, limits).front();
    if (!outcome) return told_as(outcome.error(), "upload", key_.text());
    return outcome;
  }

  Result<ETag> finish_large(const Condition& condition, const CallLimits& limits) {
    if (!parts_.empty()) send_parts(limits);
    PutRequest request{.key = key_, .condition = condition};
    if (condition.kind != Condition::Kind::none) {
      const BucketProbe probe = bucket_->probe(limits);
      if (!probe.complete_if_absent) {
        // The server would overwrite: all that can be done is to look first.
        const auto there = head(*bucket_, {&key_, 1}, limits).front();
        if (auto refusal = refusal_by_look(request, there)) return *std::move(refusal);
        request.condition = {};
      }
    }
    const auto answer = bucket_->send_one(
        s3::complete_multipart_upload(key_, upload_id_, done_, request.condition, whole_crc_,
                                      bucket_->put_options(key_), checksum_),
        limits);
    if (!answer) return told_as(told_put(request, answer).error(), "upload", key_.text());
    const Result<std::string> etag = s3::parse_complete_upload(answer->response.body.view());
    if (!etag) return unknown_outcome(told_as(etag.error(), "upload", key_.text()));
    upload_id_.clear();
    if (!etag->empty()) return plain_etag(*etag);
    const auto there = head(*bucket_, {&key_, 1}, limits).front();
    if (!there) return unknown_outcome(told_as(there.error(), "upload", key_.text()));
    return there->etag;
  }

  std::shared_ptr<Bucket> bucket_;
  ObjectKey key_;
  std::string content_type_;
  std::string upload_id_{};                      // empty: none was begun, or it was completed
  std::vector<std::vector<std::byte>> parts_{};  // not sent yet; the last one may be growing
  std::vector<s3::UploadedPart> done_{};
  std::uint64_t sent_ = 0, whole_crc_ = 0;
  s3::Checksum checksum_ = s3::Checksum::crc64nvme;  // of the parts, as was announced
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Upload> start_upload(std::shared_ptr<Bucket> bucket, const ObjectKey& key,
                                     const std::string& content_type, const CallLimits& limits) {
  check_limits(limits, bucket->clock, "upload");
  return std::make_unique<S3Upload>(std::move(bucket), key, content_type);
}

}  // namespace stepstore::bucket

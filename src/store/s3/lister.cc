#include <algorithm>

#include "s3/xml.h"
#include "store/s3/bucket.h"

namespace stepstore::bucket {
namespace {

constexpr std::size_t kPageMax = 1'000;
// Servers give what is greater than start-after. After a prefix that was told, that would be what
// lies below it, and the prefix again; this is greater than nearly all of that.
constexpr std::string_view kGreatest = "\xF4\x8F\xBF\xBF";
// Pages in a row that bring nothing. Servers give some where many versions were deleted; one that
// gives no others would be asked until the caller's time is over.
constexpr int kIdlePagesMax = 1'000;

}  // namespace

ListPage list(Bucket& bucket, const ListRequest& request, const CallLimits& limits) {
  ListRequest asked = request;
  asked.limit = request.limit == 0 ? kPageMax : std::min(request.limit, kPageMax);
  if (request.delimited && request.start_after.ends_with('/') &&
      request.start_after.starts_with(request.prefix) && request.start_after != request.prefix) {
    asked.start_after += kGreatest;
  }
  std::string token;
  for (int idle = 0;; ++idle) {
    const auto answer = bucket.send_one(s3::list_objects(asked, token), limits);
    const s3::ListResult found = s3::parse_list(answer.value().response.body.view()).value();
    ListPage page;
    std::string last;
    const auto wanted = [&](const std::string& name) {
      last = std::max(last, name);
      return name > request.start_after;
    };
    for (const s3::ListedObject& each : found.objects) {
      if (!wanted(each.key)) continue;
      page.objects.push_back({.key = ObjectKey(each.key),
                              .size = each.size,
                              .etag = plain_etag(each.etag),
                              // As in the answer to a HEAD, which knows no fractions.
                              .modified = std::chrono::floor<std::chrono::seconds>(each.modified)});
    }
    for (const std::string& prefix : found.prefixes) {
      if (wanted(prefix)) page.prefixes.push_back(prefix);
    }
    std::ranges::sort(page.objects, {}, &ObjectInfo::key);
    std::ranges::sort(page.prefixes);
    if (!found.truncated) return page;
    if (!page.objects.empty() || !page.prefixes.empty()) {
      page.next = last;
      return page;
    }
    if (found.next_token.empty() || found.next_token == token || idle == kIdlePagesMax) {
      error(ErrorCode::Io, "list", request.prefix, "the server's list has more, and no way to it",
            "Is the endpoint an S3 server with ListObjectsV2?")
          .raise();
    }
    token = found.next_token;
  }
}

}  // namespace stepstore::bucket

// S3's XML answers as values. Whatever a server sends, parsing ends soon: size, depth and number of
// elements are bounded, and there is no DTD. A parser of an answer that is not what was asked for
// gives Io with what is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stepstore/object_store.h"

namespace stepstore::s3 {

struct ListedObject {
  std::string key{};  // plain
  std::uint64_t size = 0;
  std::string etag{};  // as the server spells it
  Timestamp modified{};
};
struct ListResult {
  std::vector<ListedObject> objects{};
  std::vector<std::string> prefixes{};  // plain
  std::string next_token{};
  bool truncated = false;
};
Result<ListResult> parse_list(BytesView body);

struct ErrorBody {
  std::string code{};
  std::string message{};
  std::string region{};       // the right one, where the error is about that
  std::string endpoint{};     // likewise
  std::string server_time{};  // of RequestTimeTooSkewed
  std::string request_id{};
  std::string named{};  // the header or argument that it is about
};
// None: not S3's <Error>.
std::optional<ErrorBody> parse_error(BytesView body);

struct DeleteFailure {
  std::string key{};
  std::string code{};
  std::string message{};
};
// The keys that were not deleted; those that the answer doesn't name were.
Result<std::vector<DeleteFailure>> parse_delete(BytesView body);

Result<std::string> parse_create_upload(BytesView body);  // the upload's id
// The object's ETag; empty when the server leaves it so (Ceph 16).
Result<std::string> parse_complete_upload(BytesView body);

struct PendingUpload {
  std::string key{};  // plain
  std::string id{};
  Timestamp initiated{};
};
struct UploadList {
  std::vector<PendingUpload> uploads{};
  std::string next_key{};  // markers of the next page
  std::string next_upload{};
  bool truncated = false;
};
Result<UploadList> parse_uploads(BytesView body);

struct ListedVersion {
  std::string key{};  // plain
  std::string id{};
  bool marker = false;  // a deletion, not an object
};
struct VersionList {
  std::vector<ListedVersion> versions{};
  std::string next_key{};  // markers of the next page
  std::string next_version{};
  bool truncated = false;
};
Result<VersionList> parse_versions(BytesView body);

enum class Versioning : std::uint8_t { never, enabled, suspended };
Result<Versioning> parse_versioning(BytesView body);

// What STS gives to who assumes a role.
struct AssumedRole {
  std::string access_key{};
  std::string secret_key{};  // never in a message
  std::string session_token{};
  Timestamp expires_at{};
};
// `action`: AssumeRole or AssumeRoleWithWebIdentity.
Result<AssumedRole> parse_assumed_role(BytesView body, const std::string& action);

// What can be told of an answer without parsing it.
struct XmlOutline {
  std::string_view root{};  // without namespace prefix; empty: no element
  bool whole = false;       // the root is closed at the end
};
XmlOutline outline(BytesView body) noexcept;

}  // namespace stepstore::s3

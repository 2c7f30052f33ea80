#include "s3/xml.h"

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>

#include "base/errors.h"
#include "s3/encode.h"
#include "s3/times.h"

namespace stepstore::s3 {
namespace {

constexpr std::size_t kBytesMax = 16U << 20;
// A page of 1,000 keys has 9,000 tags or so; a node takes more memory than its text.
constexpr std::ptrdiff_t kTagsMax = 400'000;
constexpr int kDepthMax = 64;

StorageManagerError broken(std::string_view asked, std::string_view what) {
  return error(ErrorCode::Io, asked, "",
               "the server's answer is no " + std::string(asked) + ": " + std::string(what),
               "Check that the endpoint is an S3 service; then call again.");
}

std::string_view local_name(std::string_view name) noexcept {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

struct DepthWalker final : pugi::xml_tree_walker {
  bool deep = false;
  bool doctype = false;
  bool for_each(pugi::xml_node& node) override {
    deep = deep || depth() >= kDepthMax;
    doctype = doctype || node.type() == pugi::node_doctype;
    return !deep && !doctype;
  }
};

// A parsed answer: the document, and its root.
struct Answered {
  pugi::xml_document document{};
  pugi::xml_node root{};
};

// Empty: all is well.
std::string_view load(BytesView body, Answered& out) {
  if (body.empty()) return "it is empty";
  if (body.size() > kBytesMax) return "it is larger than 16 MiB";
  if (std::ranges::count(body.text(), '<') > kTagsMax) return "it has too many elements";
  // Blanks count in keys; entities are XML's own five, and numbers.
  constexpr unsigned kOptions = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                                pugi::parse_ws_pcdata_single | pugi::parse_doctype;
  const auto parsed =
      out.document.load_buffer(body.data(), body.size(), kOptions, pugi::encoding_utf8);
  if (!parsed) return "it is not well-formed XML, or was cut off";
  DepthWalker walker;
  out.document.traverse(walker);
  if (walker.doctype) return "it has a document type";
  if (walker.deep) return "its elements are nested too deeply";
  out.root = out.document.document_element();
  return out.root ? "" : "it has no element";
}

pugi::xml_node child(const pugi::xml_node& parent, std::string_view name) {
  return parent.find_child(
      [name](const pugi::xml_node& node) { return local_name(node.name()) == name; });
}

std::string text_of(const pugi::xml_node& parent, std::string_view name) {
  return child(parent, name).text().get();
}

// Keys are encoded only if the answer says so: some servers ignore the wish.
class KeyReader {
 public:
  explicit KeyReader(const pugi::xml_node& root)
      : encoded_(text_of(root, "EncodingType") == "url") {}

  // False: the server says that the key is encoded, and it is not.
  bool read(const pugi::xml_node& parent, std::string_view name, std::string& out) const {
    out = text_of(parent, name);
    if (!encoded_) return true;
    auto decoded = url_decode(out);
    if (!decoded) return false;
    out = *std::move(decoded);
    return true;
  }

 private:
  bool encoded_;
};

bool read_truth(const pugi::xml_node& parent, std::string_view name) {
  return text_of(parent, name) == "true";
}

bool read_size(const pugi::xml_node& parent, std::uint64_t& out) {
  const std::string text = text_of(parent, "Size");
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return problem == std::errc() && end == text.data() + text.size();
}

bool read_time(const pugi::xml_node& parent, std::string_view name, Timestamp& out) {
  const auto time = parse_iso_time(text_of(parent, name));
  if (time) out = *time;
  return time.has_value();
}

// Loads the body, expects the root, and hands it to `read`, which returns what is wrong.
template <class T, class Read>
Result<T> parse(BytesView body, std::string_view root, Read&& read) {
  Answered answered;
  std::string_view wrong = load(body, answered);
  if (!wrong.empty()) return broken(root, wrong);
  if (local_name(answered.root.name()) != root) return broken(root, "its root is another element");
  T out;
  wrong = read(answered.root, out);
  if (!wrong.empty()) return broken(root, wrong);
  return out;
}

std::string_view read_listed(const pugi::xml_node& node, const KeyReader& keys, ListedObject& out) {
  if (!keys.read(node, "Key", out.key)) return "a key is not encoded as the answer says";
  if (out.key.empty()) return "an object has no key";
  if (!read_size(node, out.size)) return "an object has no size";
  out.etag = text_of(node, "ETag");
  if (out.etag.empty()) return "an object has no ETag";
  if (!read_time(node, "LastModified", out.modified)) return "an object has no time";
  return "";
}

}  // namespace

Result<ListResult> parse_list(BytesView body) {
  return parse<ListResult>(body, "ListBucketResult",
                           [](const pugi::xml_node& root, ListResult& out) -> std::string_view {
                             const KeyReader keys(root);
                             for (const pugi::xml_node& node : root.children()) {
                               const std::string_view name = local_name(node.name());
                               if (name == "Contents") {
                                 const auto wrong =
                                     read_listed(node, keys, out.objects.emplace_back());
                                 if (!wrong.empty()) return wrong;
                               } else if (name == "CommonPrefixes") {
                                 if (!keys.read(node, "Prefix", out.prefixes.emplace_back())) {
                                   return "a prefix is not encoded as the answer says";
                                 }
                               }
                             }
                             out.truncated = read_truth(root, "IsTruncated");
                             out.next_token = text_of(root, "NextContinuationToken");
                             return "";
                           });
}

std::optional<ErrorBody> parse_error(BytesView body) {
  Answered answered;
  if (!load(body, answered).empty()) return std::nullopt;
  pugi::xml_node node = answered.root;
  // Some services wrap it.
  if (local_name(node.name()) == "ErrorResponse") node = child(node, "Error");
  if (local_name(node.name()) != "Error") return std::nullopt;
  std::string named = text_of(node, "Header");
  if (named.empty()) named = text_of(node, "ArgumentName");
  return ErrorBody{.code = text_of(node, "Code"),
                   .message = text_of(node, "Message"),
                   .region = text_of(node, "Region"),
                   .endpoint = text_of(node, "Endpoint"),
                   .server_time = text_of(node, "ServerTime"),
                   .request_id = text_of(node, "RequestId"),
                   .named = std::move(named)};
}

Result<std::vector<DeleteFailure>> parse_delete(BytesView body) {
  return parse<std::vector<DeleteFailure>>(
      body, "DeleteResult", [](const pugi::xml_node& root, auto& out) -> std::string_view {
        for (const pugi::xml_node& node : root.children()) {
          if (local_name(node.name()) != "Error") continue;
          out.push_back({.key = text_of(node, "Key"),
                         .code = text_of(node, "Code"),
                         .message = text_of(node, "Message")});
        }
        return "";
      });
}

Result<std::string> parse_create_upload(BytesView body) {
  return parse<std::string>(body, "InitiateMultipartUploadResult",
                            [](const pugi::xml_node& root, std::string& out) -> std::string_view {
                              out = text_of(root, "UploadId");
                              return out.empty() ? "it has no UploadId" : "";
                            });
}

Result<std::string> parse_complete_upload(BytesView body) {
  return parse<std::string>(body, "CompleteMultipartUploadResult",
                            [](const pugi::xml_node& root, std::string& out) -> std::string_view {
                              out = text_of(root, "ETag");
                              return root.child("ETag") ? "" : "it has no ETag";
                            });
}

Result<UploadList> parse_uploads(BytesView body) {
  return parse<UploadList>(body, "ListMultipartUploadsResult",
                           [](const pugi::xml_node& root, UploadList& out) -> std::string_view {
                             const KeyReader keys(root);
                             for (const pugi::xml_node& node : root.children()) {
                               if (local_name(node.name()) != "Upload") continue;
                               PendingUpload& upload = out.uploads.emplace_back();
                               if (!keys.read(node, "Key", upload.key))
                                 return "a key is not encoded as the answer says";
                               upload.id = text_of(node, "UploadId");
                               if (upload.key.empty() || upload.id.empty())
                                 return "an upload has no key or no id";
                               if (!read_time(node, "Initiated", upload.initiated))
                                 return "an upload has no time";
                             }
                             out.truncated = read_truth(root, "IsTruncated");
                             if (!keys.read(root, "NextKeyMarker", out.next_key)) {
                               return "a key is not encoded as the answer says";
                             }
                             out.next_upload = text_of(root, "NextUploadIdMarker");
                             return "";
                           });
}

Result<VersionList> parse_versions(BytesView body) {
  return parse<VersionList>(body, "ListVersionsResult",
                            [](const pugi::xml_node& root, VersionList& out) -> std::string_view {
                              const KeyReader keys(root);
                              for (const pugi::xml_node& node : root.children()) {
                                const std::string_view name = local_name(node.name());
                                if (name != "Version" && name != "DeleteMarker") continue;
                                ListedVersion& version = out.versions.emplace_back();
                                if (!keys.read(node, "Key", version.key)) {
                                  return "a key is not encoded as the answer says";
                                }
                                version.id = text_of(node, "VersionId");
                                version.marker = name == "DeleteMarker";
                                if (version.key.empty() || version.id.empty()) {
                                  return "a version has no key or no id";
                                }
                              }
                              out.truncated = read_truth(root, "IsTruncated");
                              if (!keys.read(root, "NextKeyMarker", out.next_key)) {
                                return "a key is not encoded as the answer says";
                              }
                              out.next_version = text_of(root, "NextVersionIdMarker");
                              return "";
                            });
}

Result<Versioning> parse_versioning(BytesView body) {
  return parse<Versioning>(body, "VersioningConfiguration",
                           [](const pugi::xml_node& root, Versioning& out) -> std::string_view {
                             const std::string status = text_of(root, "Status");
                             out = Versioning::never;
                             if (status == "Enabled") out = Versioning::enabled;
                             if (status == "Suspended") out = Versioning::suspended;
                             return "";
                           });
}

Result<AssumedRole> parse_assumed_role(BytesView body, const std::string& action) {
  return parse<AssumedRole>(
      body, action + "Response", [&](const pugi::xml_node& root, AssumedRole& out) {
        const pugi::xml_node keys = child(child(root, action + "Result"), "Credentials");
        out.access_key = text_of(keys, "AccessKeyId");
        out.secret_key = text_of(keys, "SecretAccessKey");
        out.session_token = text_of(keys, "SessionToken");
        const bool whole =
            !out.access_key.empty() && !out.secret_key.empty() && !out.session_token.empty();
        if (!whole) return std::string_view("it lacks a key or the session token");
        if (!read_time(keys, "Expiration", out.expires_at)) {
          return std::string_view("it does not say when they expire");
        }
        return std::string_view();
      });
}

XmlOutline outline(BytesView body) noexcept {
  std::string_view text = body.text();
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos) return {};
  text = text.substr(0, last + 1);
  // A prolog or comments may stand before the root.
  std::size_t at = text.find('<');
  while (at != std::string_view::npos && at + 1 < text.size() &&
         (text[at + 1] == '?' || text[at + 1] == '!')) {
    const bool comment = text.substr(at).starts_with("<!--");
    const std::size_t end = comment ? text.find("-->", at) : at + 1;
    at = end == std::string_view::npos ? end : text.find('<', end);
  }
  if (at == std::string_view::npos) return {};
  const std::string_view after = text.substr(at + 1);
  const std::string_view name = after.substr(0, after.find_first_of(" \t\r\n/>"));
  if (name.size() == after.size()) return {};
  XmlOutline out{.root = local_name(name), .whole = false};
  const std::string_view tag = after.substr(0, after.find('>') + 1);
  if (tag.size() == after.size()) {
    out.whole = tag.ends_with("/>");
    return out;
  }
  std::string_view end = text;
  if (end.ends_with('>')) end.remove_suffix(1);
  while (end.ends_with(' ')) end.remove_suffix(1);
  out.whole = text.ends_with('>') && end.ends_with(name) &&
              end.substr(0, end.size() - name.size()).ends_with("</");
  return out;
}

}  // namespace stepstore::s3

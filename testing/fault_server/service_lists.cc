// Lists of objects and of their versions.
#include <algorithm>

#include "s3/encode.h"
#include "testing/fault_server/service.h"

namespace stepstore::fault {
namespace {

constexpr std::string_view kNamespace = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

// The least text that is greater than all that begin so; none: there is no such text.
std::optional<std::string> after_all_of(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

std::string element(std::string_view name, std::string_view text) {
  std::string out;
  return out.append("<").append(name).append(">").append(text).append("</").append(name).append(
      ">");
}

// Where a page begins, and how its names are spelled.
struct Page {
  Page(const Call& call, bool ignores_encoding)
      : prefix(value_of(call, "prefix")),
        delimiter(value_of(call, "delimiter")),
        encode(value_of(call, "encoding-type") == "url" && !ignores_encoding) {}

  std::string text(std::string_view name) const {
    return encode ? s3::uri_encode_path(name) : s3::xml_escape(name);
  }
  // The common prefix that the key is told as; empty: it is told itself.
  std::string folder_of(const std::string& key) const {
    const std::size_t cut =
        delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
    return cut == std::string::npos ? "" : key.substr(0, cut + delimiter.size());
  }
  bool ends_before(const std::string& key) const { return !key.starts_with(prefix); }

  // What both kinds of lists say at first.
  std::string head(const Call& call) const {
    std::string out = element("Name", s3::xml_escape(call.bucket)) +
                      element("Prefix", text(prefix)) + element("MaxKeys", std::to_string(limit)) +
                      element("IsTruncated", truncated ? "true" : "false");
    if (!delimiter.empty()) out += element("Delimiter", text(delimiter));
    if (encode) out += element("EncodingType", "url");
    return out;
  }

  std::string prefix, delimiter;
  bool encode;
  std::size_t limit = 0, count = 0;
  std::string entries{};   // as XML
  std::string prefixes{};  // as XML
  std::string last{};      // the last name that was told, an object's or a common prefix
  bool truncated = false;
};

// A token says behind which name the next page begins. Opaque to clients; no control characters.
std::string token_of(const std::string& last) { return "1." + s3::uri_encode(last); }

std::optional<std::string> name_in_token(const std::string& token) {
  if (!token.starts_with("1.")) return std::nullopt;
  return s3::url_decode(std::string_view(token).substr(2));
}

// The first key behind a name of the page before, which may be a common prefix.
template <class Map>
typename Map::const_iterator behind(const Map& map, const std::string& name, const Page& page) {
  if (page.folder_of(name) != name) return map.upper_bound(name);
  const auto end = after_all_of(name);
  return end ? map.lower_bound(*end) : map.end();
}

// The latest of both.
template <class Iterator>
Iterator later(Iterator a, Iterator b, Iterator end) {
  if (a == end || b == end) return end;
  return a->first < b->first ? b : a;
}

void fill(Page& page, std::map<std::string, Stored, std::less<>>::const_iterator at,
          const std::map<std::string, Stored, std::less<>>& objects) {
  while (at != objects.end() && !page.ends_before(at->first)) {
    if (page.count == page.limit) {
      page.truncated = page.limit > 0;
      return;
    }
    ++page.count;
    const auto& [key, object] = *at;
    page.last = page.folder_of(key);
    if (page.last.empty()) {
      page.last = key;
      page.entries += "<Contents>" + element("Key", page.text(key)) +
                      element("LastModified", iso_time(object.modified)) +
                      element("ETag", s3::xml_escape(quoted(object.etag))) +
                      element("Size", std::to_string(object.body.size())) +
                      "<StorageClass>STANDARD</StorageClass></Contents>";
      ++at;
    } else {
      page.prefixes += element("CommonPrefixes", element("Prefix", page.text(page.last)));
      const auto end = after_all_of(page.last);
      at = end ? objects.lower_bound(*end) : objects.end();
    }
  }
}

std::string version_entry(const Page& page, const std::string& key, const Stored& each,
                          bool latest) {
  const std::string_view kind = each.marker ? "DeleteMarker" : "Version";
  std::string inside = element("Key", page.text(key)) +
                       element("VersionId", each.version.empty() ? "null" : each.version) +
                       element("IsLatest", latest ? "true" : "false") +
                       element("LastModified", iso_time(each.modified));
  if (!each.marker) {
    inside += element("ETag", s3::xml_escape(quoted(each.etag))) +
              element("Size", std::to_string(each.body.size())) +
              "<StorageClass>STANDARD</StorageClass>";
  }
  return element(kind, inside);
}

}  // namespace

http::Response Service::list(const Call& call, const Bucket& bucket) const {
  Page page(call, options_.dialect.ignores_encoding_type);
  const auto limit = page_size(call, "max-keys");
  if (!limit) return error_answer(400, "InvalidArgument", "Provided max-keys not an integer");
  page.limit = *limit;
  const bool second = value_of(call, "list-type") == "2";
  auto at = bucket.objects.lower_bound(page.prefix);
  const std::string after = value_of(call, second ? "start-after" : "marker");
  if (!after.empty()) {
    // A common prefix that is the marker was the last of the page before.
    const auto first =
        second ? bucket.objects.upper_bound(after) : behind(bucket.objects, after, page);
    at = later(at, first, bucket.objects.end());
  }
  const std::string token = second ? value_of(call, "continuation-token") : "";
  if (!token.empty()) {
    const auto name = name_in_token(token);
    if (!name) {
      return error_answer(400, "InvalidArgument", "The continuation token provided is incorrect");
    }
    at = later(bucket.objects.lower_bound(page.prefix), behind(bucket.objects, *name, page),
               bucket.objects.end());
  }
  fill(page, at, bucket.objects);
  std::string out = "<ListBucketResult" + std::string(kNamespace) + ">" + page.head(call);
  if (second) {
    out += element("KeyCount", std::to_string(page.count));
    if (!after.empty()) out += element("StartAfter", page.text(after));
    if (!token.empty()) out += element("ContinuationToken", s3::xml_escape(token));
    if (page.truncated) out += element("NextContinuationToken", token_of(page.last));
  } else {
    out += element("Marker", page.text(after));
    if (page.truncated) out += element("NextMarker", page.text(page.last));
  }
  return xml_answer(200, out + page.entries + page.prefixes + "</ListBucketResult>");
}

http::Response Service::list_versions(const Call& call, const Bucket& bucket) const {
  Page page(call, options_.dialect.ignores_encoding_type);
  const auto limit = page_size(call, "max-keys");
  if (!limit) return error_answer(400, "InvalidArgument", "Provided max-keys not an integer");
  page.limit = *limit;
  std::map<std::string, std::vector<Stored>, std::less<>> unversioned;
  if (bucket.versioning == Versioning::never) {
    for (const auto& [key, object] : bucket.objects) unversioned[key] = {object};
  }
  const auto& history = bucket.versioning == Versioning::never ? unversioned : bucket.history;
  const std::string key_marker = value_of(call, "key-marker");
  // Goes on inside that key, behind this version of it.
  std::string inside = value_of(call, "version-id-marker");
  auto at = history.lower_bound(page.prefix);
  if (!key_marker.empty()) {
    at = later(at,
               inside.empty() ? behind(history, key_marker, page) : history.lower_bound(key_marker),
               history.end());
    if (at != history.end() && at->first != key_marker) inside.clear();
  }
  std::string last_version;
  while (at != history.end() && !page.ends_before(at->first) && !page.truncated) {
    const std::string folder = page.folder_of(at->first);
    if (!folder.empty()) {
      if (page.count == page.limit) {
        page.truncated = page.limit > 0;
        break;
      }
      ++page.count;
      page.last = folder;
      last_version.clear();
      page.prefixes += element("CommonPrefixes", element("Prefix", page.text(folder)));
      at = behind(history, folder, page);
      continue;
    }
    const std::vector<Stored>& versions = at->second;
    for (auto each = versions.rbegin(); each != versions.rend(); ++each) {
      if (!inside.empty()) {
        if (each->version == inside) inside.clear();
        continue;
      }
      if (page.count == page.limit) {
        page.truncated = page.limit > 0;
        break;
      }
      ++page.count;
      page.last = at->first;
      last_version = each->version.empty() ? "null" : each->version;
      page.entries += version_entry(page, at->first, *each, each == versions.rbegin());
    }
    inside.clear();
    ++at;
  }
  std::string out = "<ListVersionsResult" + std::string(kNamespace) + ">" + page.head(call) +
                    element("KeyMarker", page.text(key_marker)) +
                    element("VersionIdMarker", s3::xml_escape(value_of(call, "version-id-marker")));
  if (page.truncated) {
    out += element("NextKeyMarker", page.text(page.last));
    if (!last_version.empty()) out += element("NextVersionIdMarker", last_version);
  }
  return xml_answer(200, out + page.entries + page.prefixes + "</ListVersionsResult>");
}

}  // namespace stepstore::fault

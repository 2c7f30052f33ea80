#include "open/s3_objects.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/errors.h"
#include "s3/digest.h"
#include "s3/encode.h"

namespace stepstore {
namespace {

using Value = std::optional<std::string>;
using Pairs = std::map<std::string, std::string>;

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kTagsMax = 10;
constexpr std::size_t kTagKeyMax = 128;
constexpr std::size_t kTagValueMax = 256;
constexpr std::size_t kContextBytesMax = 4'096;
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = "0123456789";

[[noreturn]] void refuse(std::string message, std::string advice) {
  error(ErrorCode::ConfigError, "StorageManager", "", std::move(message), std::move(advice))
      .raise();
  __builtin_unreachable();
}

bool consists_of(std::string_view text, std::string_view more) {
  return std::ranges::all_of(text, [more](char c) {
    return kLetters.find(c) != std::string_view::npos ||
           kDigits.find(c) != std::string_view::npos || more.find(c) != std::string_view::npos;
  });
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// The URI's parameters before the fields of the options.
class Given {
 public:
  explicit Given(const StoreUri& uri) : uri_(uri) {}

  Value text(const std::string& name, const Value& option) const {
    const auto found = uri_.parameters.find(name);
    if (found != uri_.parameters.end()) return found->second;
    return option && !option->empty() ? option : Value();
  }

  std::optional<bool> flag(const std::string& name, const std::optional<bool>& option) const {
    const auto found = uri_.parameters.find(name);
    if (found == uri_.parameters.end()) return option;
    if (found->second == "true" || found->second == "false") return found->second == "true";
    refuse(name + " is '" + found->second + "'", "It is true or false.");
  }

  // "team=qa,env=ci".
  Pairs pairs(const std::string& name, const Pairs& option) const {
    const auto found = uri_.parameters.find(name);
    if (found == uri_.parameters.end()) return option;
    Pairs out;
    std::string_view rest = found->second;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view pair = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos || equals == 0 ||
          !out.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second) {
        refuse("the URI's parameter '" + name + "' is no list of names and values",
               "Write " + name + "=name=value,other=value, each name once.");
      }
    }
    return out;
  }

 private:
  const StoreUri& uri_;
};

std::optional<s3::Checksum> checksum_of(const Value& named) {
  if (!named || *named == "auto") return std::nullopt;
  if (const auto found = s3::checksum_named(*named)) return found;
  refuse("checksum is '" + *named + "'", "It is auto, crc64nvme, crc32c, md5 or none.");
}

std::string encryption_of(const Value& named) {
  if (!named) return {};
  if (*named == "AES256" || *named == "aws:kms" || *named == "aws:kms:dsse") return *named;
  refuse("sse is '" + *named + "'", "It is AES256, aws:kms or aws:kms:dsse.");
}

void check_kms(const s3::ObjectSettings& out) {
  const bool kms = out.encryption.starts_with("aws:kms");
  if (!kms && (!out.kms_key_id.empty() || out.bucket_key || !out.kms_context.empty())) {
    refuse("sse_kms_key_id, sse_bucket_key and sse_context are for keys of KMS",
           "Set sse to aws:kms too.");
  }
  if (!is_printable(out.kms_key_id) || out.kms_key_id.find(' ') != std::string::npos ||
      out.kms_key_id.size() > 2'048) {
    refuse("sse_kms_key_id holds what no key's name has", "Name the key's id, ARN or alias.");
  }
  if (out.bucket_key == true && out.encryption == "aws:kms:dsse") {
    refuse("sse_bucket_key does not go with aws:kms:dsse", "Leave one of them out.");
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : out.kms_context) {
    if (name.empty() || !is_printable(name) || !is_printable(value)) {
      refuse("sse_context holds what is not printable ASCII, or an empty name",
             "KMS keeps it in its log: use plain words.");
    }
    bytes += name.size() + value.size();
  }
  if (bytes > kContextBytesMax) {
    refuse("sse_context has more than 4096 bytes", "Shorten it.");
  }
}

// 32 bytes as they are, or as base64, with or without a line's end.
std::string key_of(std::string given, const std::string& from) {
  if (given.size() == kKeyBytes) return given;
  while (given.ends_with('\n') || given.ends_with('\r')) given.pop_back();
  if (given.size() == kKeyBytes) return given;
  const auto decoded = s3::from_base64(given);
  if (decoded && decoded->size() == kKeyBytes) return *decoded;
  refuse(from + " is no key of SSE-C", "Give 32 random bytes, or their base64.");
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content(kKeyBytes * 4, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (!content.empty()) return content;
  refuse("sse_c_key_file '" + path.string() + "' cannot be read, or is empty",
         "Name a file with 32 random bytes, or their base64.");
}

std::string customer_key(const Given& given, const S3ObjectSettings& options,
                         const s3::Lookup& lookup) {
  const Value file = given.text(
      "sse_c_key_file", options.sse_c_key_file ? Value(options.sse_c_key_file->string()) : Value());
  if (file && options.sse_c_key) {
    refuse("sse_c_key and sse_c_key_file are both given", "Pass one of them.");
  }
  if (options.sse_c_key) return key_of(*options.sse_c_key, "sse_c_key");
  if (file) return key_of(content_of(*file), "what sse_c_key_file names");
  if (const auto variable = lookup("SM_S3_SSE_C_KEY")) return key_of(*variable, "SM_S3_SSE_C_KEY");
  return {};
}

void check_customer_key(const s3::ObjectSettings& out, const http::Endpoint& endpoint) {
  if (out.customer_key.empty()) return;
  if (!out.encryption.empty()) {
    refuse("sse and a key of SSE-C are both given",
           "Pass one of them: the server encrypts with its key or with yours.");
  }
  // Each request carries the key itself, so allow_http is no excuse.
  if (endpoint.tls || endpoint.loopback()) return;
  refuse("the key of SSE-C would go to " + endpoint.text() + " without TLS",
         "Use an https endpoint.");
}

std::string storage_class_of(const Value& named) {
  if (!named) return {};
  if (named->size() > 64 || !consists_of(*named, "_-")) {
    refuse("storage_class is '" + *named + "'", "It is a word like STANDARD_IA.");
  }
  if (*named == "GLACIER" || *named == "DEEP_ARCHIVE") {
    refuse("a component in " + *named + " could not be read again without being restored first",
           "Use GLACIER_IR or INTELLIGENT_TIERING, which can be read at once.");
  }
  return *named;
}

std::string owner_of(const Value& named) {
  if (!named) return {};
  constexpr std::size_t kAccountDigits = 12;
  if (named->size() == kAccountDigits && named->find_first_not_of(kDigits) == std::string::npos) {
    return *named;
  }
  refuse("expected_bucket_owner is '" + *named + "'", "It is the 12 digits of an account.");
}

Pairs tags_of(Pairs given) {
  if (given.size() > kTagsMax) {
    refuse("there are " + std::to_string(given.size()) + " tags, and S3 takes 10",
           "Leave some of them out.");
  }
  for (const auto& [name, value] : given) {
    if (name.empty() || name.size() > kTagKeyMax || value.size() > kTagValueMax ||
        !consists_of(name, " +-=._:/@") || !consists_of(value, " +-=._:/@") ||
        name.starts_with("aws:")) {
      refuse("a tag is not one that S3 takes",
             "Names have 1 to 128 characters and do not begin with aws:, values 256 at most; both "
             "are of letters, digits, blanks and + - = . _ : / @.");
    }
  }
  return given;
}

}  // namespace

s3::ObjectSettings s3_object_settings(const StoreUri& uri, const S3ObjectSettings& options,
                                      const s3::Lookup& lookup, const http::Endpoint& endpoint) {
  const Given given(uri);
  s3::ObjectSettings out{
      .checksum = checksum_of(given.text("checksum", options.checksum)),
      .encryption = encryption_of(given.text("sse", options.sse)),
      .kms_key_id = given.text("sse_kms_key_id", options.sse_kms_key_id).value_or(""),
      .bucket_key = given.flag("sse_bucket_key", options.sse_bucket_key),
      .kms_context = given.pairs("sse_context", options.sse_context),
      .customer_key = customer_key(given, options, lookup),
      .require_encryption = given.flag("require_sse", options.require_sse).value_or(false),
      .storage_class = storage_class_of(given.text("storage_class", options.storage_class)),
      .bucket_owner = owner_of(given.text("expected_bucket_owner", options.expected_bucket_owner)),
      .tags = tags_of(given.pairs("tags", options.tags))};
  check_kms(out);
  check_customer_key(out, endpoint);
  return out;
}

}  // namespace stepstore

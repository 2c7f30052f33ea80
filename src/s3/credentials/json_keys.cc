#include "s3/credentials/json_keys.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "s3/credentials/means.h"
#include "s3/times.h"

namespace stepstore::s3 {
namespace {

using Json = nlohmann::json;

[[noreturn]] void wrong(std::string_view source, std::string_view what) {
  no_credentials(std::string(source) + ": the answer " + std::string(what),
                 "Mend what gives the credentials; nothing of its answer is shown, since it may "
                 "hold a secret.");
}

std::string text_of(const Json& document, const char* name) {
  const auto found = document.find(name);
  return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A word such as AssumeRoleUnauthorizedAccess, and nothing else.
std::string code_of(const Json& document) {
  const std::string code = text_of(document, "Code");
  const bool word = code.size() <= 64 && std::ranges::all_of(code, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                    });
  return word ? code : "another";
}

// What goes into a header as it is.
bool is_key(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

Credentials parse_keys(std::string_view text, KeysDocument kind, std::string_view source) {
  const Json document = Json::parse(text, nullptr, false);
  if (!document.is_object()) wrong(source, "is no JSON object");
  if (kind == KeysDocument::process) {
    const auto version = document.find("Version");
    if (version == document.end() || *version != 1) wrong(source, "has no \"Version\": 1");
  } else if (const std::string code = code_of(document); !code.empty() && code != "Success") {
    wrong(source, "has the Code " + code);
  }
  Credentials out{
      .access_key = text_of(document, "AccessKeyId"),
      .secret_key = text_of(document, "SecretAccessKey"),
      .session_token = text_of(document, kind == KeysDocument::process ? "SessionToken" : "Token"),
      .source = std::string(source)};
  if (out.access_key.empty()) wrong(source, "has no AccessKeyId");
  if (out.secret_key.empty()) wrong(source, "has no SecretAccessKey");
  if (!is_key(out.access_key) || !is_key(out.secret_key) || !is_key(out.session_token)) {
    wrong(source, "has keys with characters that no key has");
  }
  if (const auto expiration = document.find("Expiration");
      expiration != document.end() && !expiration->is_null()) {
    out.expires_at = parse_iso_time(text_of(document, "Expiration"));
    if (!out.expires_at) wrong(source, "has an Expiration that is no time in UTC");
  }
  return out;
}

}  // namespace stepstore::s3

#include "s3/sigv4.h"

#include <algorithm>
#include <array>
#include <compare>

#include "base/errors.h"
#include "s3/times.h"

namespace stepstore::s3 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTerminator = "aws4_request";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_name(std::string_view a, std::string_view lower_b) noexcept {
  return a.size() == lower_b.size() && std::equal(a.begin(), a.end(), lower_b.begin(),
                                                  [](char x, char y) { return lower(x) == y; });
}

// Without blanks around it, and one blank for each run of them inside.
void append_trimmed(std::string& out, std::string_view value) {
  bool blank = false;
  bool any = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      blank = any;
      continue;
    }
    if (blank) out += ' ';
    blank = false;
    any = true;
    out += c;
  }
}

std::string_view last_name(std::string_view names) noexcept {
  const std::size_t before = names.rfind(';');
  return before == std::string_view::npos ? names : names.substr(before + 1);
}

bool is_less(const http::Headers::value_type* a, const http::Headers::value_type* b) noexcept {
  const auto order = std::lexicographical_compare_three_way(
      a->first.begin(), a->first.end(), b->first.begin(), b->first.end(),
      [](char x, char y) { return lower(x) <=> lower(y); });
  return order != 0 ? order < 0 : a < b;  // those of one name stay as they are sent
}

// Appends "host:...\nx-amz-date:...\n" to `lines`, and returns "host;x-amz-date".
std::string canonical(const http::Headers& headers, std::string& lines) {
  std::vector<const http::Headers::value_type*> sorted;
  sorted.reserve(headers.size());
  for (const auto& header : headers) {
    if (is_signed(header.first)) sorted.push_back(&header);
  }
  std::ranges::sort(sorted, is_less);
  std::string names;
  names.reserve(256);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& [name, value] = *sorted[i];
    const std::size_t begin = names.size() + (i > 0 ? 1 : 0);
    if (i > 0 && same_name(name, last_name(names))) {
      lines.back() = ',';  // one line for all headers of a name
    } else {
      if (i > 0) names += ';';
      for (const char c : name) names += lower(c);
      lines.append(names, begin).append(1, ':');
    }
    append_trimmed(lines, value);
    lines += '\n';
  }
  return names;
}

// What headers and links are signed by begins alike.
std::string begin_request(const SigningInput& input, std::string_view query) {
  std::string out;
  out.reserve(1'024 + input.target.path.size() + query.size());
  return out.append(input.method)
      .append(1, '\n')
      .append(input.target.path)
      .append(1, '\n')
      .append(query)
      .append(1, '\n');
}

std::string signature(std::string request, std::string_view signed_names,
                      std::string_view payload_hash, std::string_view time, std::string_view scope,
                      const Sha256& key) {
  request.append(1, '\n').append(signed_names).append(1, '\n').append(payload_hash);
  const Sha256 hash = sha256(BytesView(request));
  std::string& to_sign = request;  // which is done with, and large enough
  to_sign.assign(kAlgorithm).append(1, '\n').append(time).append(1, '\n').append(scope);
  to_sign.append(1, '\n').append(hex(hash));
  return hex(hmac_sha256(key, to_sign));
}

}  // namespace

bool is_signed(std::string_view header) noexcept {
  constexpr std::array<std::string_view, 6> kUnsigned = {
      "authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id",
  };
  return std::ranges::none_of(kUnsigned,
                              [header](std::string_view name) { return same_name(header, name); });
}

Signer::Signer(std::string region, std::string service)
    : region_(std::move(region)), service_(std::move(service)) {}

std::shared_ptr<const Signer::DayKey> Signer::key_of(std::string_view secret,
                                                     std::string_view day) {
  {
    const std::lock_guard lock(mutex_);
    if (key_ && key_->day == day && key_->secret == secret) return key_;
  }
  auto fresh = std::make_shared<DayKey>();
  fresh->secret = secret;
  fresh->day = day;
  fresh->scope.append(day).append(1, '/').append(region_).append(1, '/').append(service_);
  fresh->scope.append(1, '/').append(kTerminator);
  fresh->key = hmac_sha256("AWS4" + fresh->secret, fresh->day);
  fresh->key = hmac_sha256(fresh->key, region_);
  fresh->key = hmac_sha256(fresh->key, service_);
  fresh->key = hmac_sha256(fresh->key, kTerminator);
  const std::lock_guard lock(mutex_);
  key_ = std::move(fresh);
  return key_;
}

std::string Signer::authorization(const SigningInput& input, const Credentials& credentials,
                                  std::string_view time) {
  const auto key = key_of(credentials.secret_key, time.substr(0, 8));
  std::string request = begin_request(input, input.target.query);
  const std::string names = canonical(input.headers, request);
  const std::string proof =
      signature(std::move(request), names, input.payload_hash, time, key->scope, key->key);
  std::string out;
  out.reserve(384);
  out.append(kAlgorithm).append(" Credential=").append(credentials.access_key).append(1, '/');
  out.append(key->scope).append(", SignedHeaders=").append(names);
  return out.append(", Signature=").append(proof);
}

std::string Signer::presigned_query(const SigningInput& input, Query query,
                                    const Credentials& credentials, std::chrono::sys_seconds now,
                                    std::chrono::seconds lifetime) {
  if (lifetime < std::chrono::seconds(1) || lifetime > kLinkLifetimeMax) {
    error(ErrorCode::InvalidArgument, "presign", "",
          "a link lives at least 1 second and at most 604800 (7 days)", "Choose another lifetime.")
        .raise();
  }
  const std::string time = amz_date(now);
  const auto key = key_of(credentials.secret_key, std::string_view(time).substr(0, 8));
  std::string lines;
  const std::string names = canonical(input.headers, lines);
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential", credentials.access_key + '/' + key->scope);
  query.emplace_back("X-Amz-Date", time);
  query.emplace_back("X-Amz-Expires", std::to_string(lifetime.count()));
  query.emplace_back("X-Amz-SignedHeaders", names);
  if (!credentials.session_token.empty()) {
    query.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  std::string encoded = encode_query(query);
  const std::string proof = signature(begin_request(input, encoded).append(lines), names,
                                      input.payload_hash, time, key->scope, key->key);
  return encoded.append("&X-Amz-Signature=").append(proof);
}

}  // namespace stepstore::s3

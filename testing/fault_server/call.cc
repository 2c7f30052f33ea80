#include "testing/fault_server/call.h"

#include "s3/encode.h"

namespace stepstore::fault {
namespace {

std::optional<std::string> decoded(std::string_view text, bool plus_is_space) {
  // Paths keep their '+'.
  std::string escaped;
  for (const char c : text) {
    if (c == '+' && !plus_is_space) {
      escaped += "%2B";
    } else {
      escaped += c;
    }
  }
  return s3::url_decode(escaped);
}

bool parse_query(std::string_view text, Call& call) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = decoded(pair.substr(0, equals), true);
    const auto value = decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return false;
    call.query[*name] = *value;
  }
  return true;
}

Bytes shared(std::string text) {
  auto keep = std::make_shared<const std::string>(std::move(text));
  const BytesView view(*keep);
  return Bytes::adopt(view, std::move(keep));
}

}  // namespace

std::optional<Call> parse_call(const http::Received& received, std::string_view host) {
  Call call{.method = received.method, .headers = received.headers, .body = received.body};
  const std::size_t question = std::min(received.target.find('?'), received.target.size());
  const std::string_view target = received.target;
  if (!target.starts_with('/')) return std::nullopt;
  if (question < target.size() && !parse_query(target.substr(question + 1), call)) {
    return std::nullopt;
  }
  auto path = decoded(target.substr(1, question - 1), false);
  if (!path) return std::nullopt;
  const std::string* const named = http::find_header(received.headers, "Host");
  const std::string server = named ? named->substr(0, named->find(':')) : "";
  if (!host.empty() && server.ends_with("." + std::string(host))) {
    call.bucket = server.substr(0, server.size() - host.size() - 1);
    call.key = *std::move(path);
    return call;
  }
  const std::size_t slash = path->find('/');
  call.bucket = path->substr(0, slash);
  if (slash != std::string::npos) call.key = path->substr(slash + 1);
  return call;
}

std::string query_text(const Call& call) {
  std::string text;
  for (const auto& [name, value] : call.query) {
    text += (text.empty() ? "" : "&") + name + (value.empty() ? "" : "=" + value);
  }
  return text;
}

http::Response xml_answer(int status, std::string body) {
  return {.status = status,
          .headers = {{"Content-Type", "application/xml"}},
          .body = shared("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + std::move(body))};
}

http::Response error_answer(int status, std::string_view code, std::string_view message,
                            std::string_view resource) {
  return xml_answer(status, "<Error><Code>" + std::string(code) + "</Code><Message>" +
                                s3::xml_escape(message) + "</Message><Resource>" +
                                s3::xml_escape(resource) + "</Resource></Error>");
}

http::Response empty_answer(int status) { return {.status = status}; }

}  // namespace stepstore::fault

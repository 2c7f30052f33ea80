#include "json_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace stepstore::cli {
namespace {

// Keeps nothing but the place of the first mistake.
struct MistakeFinder : nlohmann::json::json_sax_t {
  std::optional<std::size_t> place;  // counted from 1, as the parser does

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    place = position;
    return false;
  }
};

}  // namespace

std::optional<std::string> json_mistake(std::string_view text) {
  MistakeFinder finder;
  nlohmann::json::sax_parse(text, &finder);
  if (!finder.place) return std::nullopt;
  const std::size_t byte = std::clamp<std::size_t>(*finder.place, 1, text.size() + 1);
  const std::string_view before = text.substr(0, byte - 1);
  const auto line = 1 + std::ranges::count(before, '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return "line " + std::to_string(line) + ", column " +
         std::to_string(before.size() - line_start + 1) + " (byte " + std::to_string(byte) + ")";
}

void explain_json(Told& error, const std::optional<std::string>& file,
                  const std::optional<std::string_view>& text) {
  if (!file || !text) return;
  const auto mistake = json_mistake(*text);
  if (!mistake) return;
  error.message = *file + ": it is not valid JSON at " + *mistake;
  error.key.clear();
  error.advice = "Mend the file, or give it another name, so that it becomes a component.";
}

}  // namespace stepstore::cli

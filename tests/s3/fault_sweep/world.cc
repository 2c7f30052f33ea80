#include "tests/s3/fault_sweep/world.h"

#include <filesystem>
#include <stdexcept>
#include <thread>

#include "http/client.h"
#include "http/url.h"
#include "layout/keys.h"
#include "manager/manager_core.h"
#include "store/s3/s3_store.h"

namespace stepstore::sweep {
namespace {

using namespace std::chrono_literals;

std::size_t entries_of(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

Holdings holdings() {
  return {.descriptors = entries_of("/proc/self/fd"), .threads = entries_of("/proc/self/task")};
}

// The server listens, can be stopped, and accepts on a thread of its own. What the process has
// without one is looked at once: the threads of an earlier server may be about to end.
Holdings beside_a_server() {
  static const Holdings without = holdings();
  return {.descriptors = without.descriptors + 2, .threads = without.threads + 1};
}

// Called before the server is there.
fault::FaultServerOptions remember_the_process() {
  (void)beside_a_server();
  return {.keep_journal = false};
}

}  // namespace

World::World() : server(remember_the_process()), right_(beside_a_server()) {
  server.service().make_bucket("first");
  open("first", 10s)->store_step_data("s", "1", {.html_content = "finds out about the bucket"});
  format_marker_ = ask("GET", "first", format_marker_key().text()).body;
  if (format_marker_.empty()) throw std::runtime_error("nothing was found out about the bucket");
}

http::Response World::ask(const std::string& method, const std::string& bucket,
                          const std::string& key, const Bytes& body) {
  return server.service().answer({.method = method, .bucket = bucket, .key = key, .body = body});
}

std::string World::new_bucket() {
  std::string name = "run-" + std::to_string(++buckets_);
  server.service().make_bucket(name);
  (void)ask("PUT", name, format_marker_key().text(), format_marker_);
  return name;
}

void World::forget_bucket(const std::string& bucket) { server.service().forget_bucket(bucket); }

std::unique_ptr<StorageManager> World::open(const std::string& bucket,
                                            std::chrono::milliseconds silence_max) {
  http::ClientOptions http;
  http.connect_timeout = 5s;
  http.first_byte_timeout = silence_max;
  http.stall_timeout = silence_max;
  s3::ClientOptions options{.endpoint = http::parse_url(server.endpoint()).endpoint,
                            .bucket = bucket};
  options.retry = {.attempts_max = kAttemptsMax,
                   .total = 2s,
                   .base = 1ms,
                   .throttled_base = 1ms,
                   .wait_max = 4ms};
  options.rate.floor_per_s = 10'000;
  auto client = std::make_shared<s3::Client>(
      options, std::make_shared<http::Client>(http, system_clock()),
      s3::fixed_credentials({.access_key = "any", .secret_key = "any", .source = "the sweep"}),
      system_clock(), system_random());
  auto store = std::make_shared<S3Store>(
      client, S3StoreOptions{.part_bytes = std::uint64_t{5} << 20U, .parts_at_once = 2},
      system_clock(), system_random());
  return std::make_unique<StorageManager>(ManagerCore::manage(std::make_shared<ManagerCore>(
      std::move(store), Options{.stream_threshold = std::uint64_t{1} << 20U},
      StorageInfo{.backend = "s3"})));
}

std::string World::left_over() const {
  if (!server.wait_until_idle(10s)) return "connections are left open";
  const auto until = std::chrono::steady_clock::now() + 10s;
  Holdings now = holdings();
  while (now != right_ && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
    now = holdings();
  }
  if (now == right_) return "";
  return std::to_string(now.descriptors) + " descriptors and " + std::to_string(now.threads) +
         " threads, not " + std::to_string(right_.descriptors) + " and " +
         std::to_string(right_.threads);
}

}  // namespace stepstore::sweep

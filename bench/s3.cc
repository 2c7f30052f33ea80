#include "s3.h"

#include <cstdlib>
#include <stdexcept>

#include "bare_http.h"

namespace bench {
namespace {

struct Server {
  std::string bucket, address;
  int port = 0;
};

// Of s3://bucket/prefix?endpoint=http://127.0.0.1:PORT.
Server parse(const std::string& uri) {
  const std::string mark = "endpoint=http://";
  const std::size_t at = uri.find(mark);
  if (at == std::string::npos) throw std::runtime_error("the URI names no plain http endpoint");
  const std::size_t host = at + mark.size();
  const std::size_t colon = uri.find(':', host);
  if (colon == std::string::npos) throw std::runtime_error("the endpoint names no port");
  const std::size_t bucket_end = uri.find_first_of("/?", 5);
  return {.bucket = uri.substr(5, bucket_end - 5),
          .address = uri.substr(host, colon - host),
          .port = std::atoi(uri.c_str() + colon + 1)};
}

// Stores and reads steps by bare sockets with the requests that the store sends: the parts and a
// look at the session's root, which is absent, at once, and then the manifest; all five at once.
class Bare {
 public:
  explicit Bare(const Server& server)
      : http_(server.address, server.port, 5),
        root_("/" + server.bucket + "/.stepstore/sessions/bare.json"),
        folder_("/" + server.bucket + "/bare/") {}

  void store(const RecordedStep& step, const std::string& name) {
    const std::string at = folder_ + name + "/";
    http_.put({{at + "observation.html", step.html},
               {at + "screenshot.png", step.screenshot},
               {at + "action.json", step.action}},
              root_);
    http_.put({{at + "step.json", step.metadata}});
  }
  void read(const RecordedStep& step, const std::string& name) {
    const std::string at = folder_ + name + "/";
    const std::size_t bytes = http_.get({root_, at + "observation.html", at + "screenshot.png",
                                         at + "action.json", at + "step.json"});
    if (bytes !=
        step.html.size() + step.screenshot.size() + step.action.size() + step.metadata.size()) {
      throw std::runtime_error("a step stored by bare sockets is not whole");
    }
  }

 private:
  BareHttp http_;
  std::string root_, folder_;
};

}  // namespace

void s3_rows(const std::vector<RecordedStep>& steps, const std::string& uri, int rounds) {
  Bare bare(parse(uri));
  stepstore::StorageManager store(uri);
  store.store_step_data("session", "first", steps[0].data());  // probes the bucket
  std::vector<double> times[4];
  std::vector<double> cpu[4];
  const auto both = [&](std::size_t row, auto&& work) {
    double used = 0;
    times[row].push_back(
        measure(CLOCK_MONOTONIC, [&] { used = measure(CLOCK_THREAD_CPUTIME_ID, work); }));
    cpu[row].push_back(used);
  };
  // By turns, so that all see the machine in the same state.
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const std::string name = std::to_string(round) + "-" + std::to_string(i);
      both(0, [&] { bare.store(steps[i], name); });
      both(1, [&] { store.store_step_data("session", name, steps[i].data()); });
      both(2, [&] { bare.read(steps[i], name); });
      both(3, [&] {
        const stepstore::Step step = store.retrieve_step_data("session", name);
        if (step.screenshot_bytes()->size() != steps[i].screenshot.size()) {
          throw std::runtime_error("a stored step is not whole");
        }
      });
    }
  }
  const char* const names[4] = {"bare_store", "store", "bare_read", "retrieve"};
  for (std::size_t row = 0; row < 4; ++row) {
    print_row((std::string("s3_time_") + names[row]).c_str(), times[row]);
    print_row((std::string("s3_cpu_") + names[row]).c_str(), cpu[row]);
  }
}

}  // namespace bench

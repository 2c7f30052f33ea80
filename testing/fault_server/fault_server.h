// FaultServer: an S3 endpoint in memory that fails as it is told. For tests and benchmarks, in
// process and as the command stepstore-fault-server. It checks no signature.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "http/server.h"
#include "testing/fault_server/plan.h"
#include "testing/fault_server/service.h"

namespace stepstore::fault {

struct FaultServerOptions {
  http::ServerOptions http{};
  ServiceOptions service{};
  std::string bucket = "checkpoints";  // is there from the start
  std::string host = "localhost";      // bucket.localhost names a bucket
  std::chrono::milliseconds delay{0};  // before each answer, as a distant server has it
  bool keep_journal = true;            // false: for load, where it would grow without end
};

class FaultServer {
 public:
  explicit FaultServer(FaultServerOptions options = {}, Clock& clock = system_clock());
  ~FaultServer();

  std::uint16_t port() const noexcept;
  std::string endpoint() const;  // "http://127.0.0.1:PORT"
  // "s3://bucket?endpoint=http://127.0.0.1:PORT&region=us-east-1"
  std::string uri(const std::string& prefix = {}) const;
  FaultPlan& plan() noexcept { return *plan_; }
  Service& service() noexcept { return *service_; }
  void set_delay(std::chrono::milliseconds delay) noexcept;
  std::size_t connections() const;  // open now
  // Waits until clients have closed all connections. False: some are still open.
  bool wait_until_idle(std::chrono::milliseconds at_most) const;
  void stop();

 private:
  FaultServerOptions options_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<FaultPlan> plan_;
  std::atomic<std::chrono::milliseconds::rep> delay_ms_;
  std::atomic<std::uint64_t> requests_ = 0;
  std::unique_ptr<http::Server> server_;
};

}  // namespace stepstore::fault

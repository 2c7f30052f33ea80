// A forked child uses the parent's client over connections and resolver threads of its own, and
// leaves the parent's as they were.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/http_fixture.h"
#include "http/server.h"
#include "http/tls_fixture.h"
#include "http/waiter.h"

namespace stepstore::http {
namespace {

using namespace std::chrono_literals;

class Fork : public testing::TestWithParam<bool> {};  // over TLS

// 0: as it should be; else which step was not.
int use_in_child(std::unique_ptr<Client>& client, const Endpoint& endpoint) {
  const Outcome first = one(*client, endpoint, put("/", "child"), within(20s));
  if (!first.response.ok() || first.response->body.text() != "child") return 1;
  if (first.reused) return 2;  // that was the parent's
  const Outcome second = one(*client, endpoint, put("/", "again"), within(20s));
  if (!second.response.ok() || second.response->body.text() != "again") return 3;
  if (!second.reused) return 4;
#if !defined(__SANITIZE_THREAD__)  // it forbids threads in a forked child
  // A name that nobody has asked for yet: the parent's resolver threads are not here.
  Endpoint fresh = endpoint;
  fresh.host = "LOCALHOST";
  const Outcome named = one(*client, fresh, put("/", "named"), within(20s));
  if (!named.response.ok() || named.response->body.text() != "named") return 5;
#endif
  client.reset();  // closes what it holds; the parent's connections live on
  return 0;
}

TEST_P(Fork, LeavesTheParentsConnectionsAlone) {
  TestAuthority authority;
  ServerOptions options;
  if (GetParam()) {
    const auto issued = authority.issue({"DNS:localhost"});
    options.certificate_file = issued.certificate_file;
    options.key_file = issued.key_file;
  }
  Server server(options, [](const Received& request) {
    return Reply{.response = {.status = 200, .body = request.body}};
  });
  const Endpoint endpoint{.tls = GetParam(), .host = "localhost", .port = server.port()};
  auto client =
      std::make_unique<Client>(ClientOptions{.ca_file = authority.ca_file()}, system_clock());
  ASSERT_TRUE(one(*client, endpoint, put("/", "before"), within(20s)).response.ok());

  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(60);  // a child that hangs must not hang the test
    ::_exit(use_in_child(client, endpoint));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "this step of the child";

  const Outcome after = one(*client, endpoint, put("/", "after"), within(20s));
  ASSERT_TRUE(after.response.ok()) << told(after);
  EXPECT_EQ(after.response->body.text(), "after");
  EXPECT_TRUE(after.reused);
  EXPECT_EQ(after.sends, 1);
}

// A child that stops what it inherited must not reach the thread of its parent that waits: they
// share the descriptor that wakes it.
TEST(ForkWait, LeavesTheParentsWaitAlone) {
  std::stop_source stop;
  int asked = 0;
  const CallLimits limits{.deadline = std::chrono::steady_clock::now() + 350ms,
                          .stop = stop.get_token(),
                          .interrupted = [&asked] {
                            ++asked;
                            return false;
                          }};
  Waiter waiter(limits, system_clock());
  std::vector<pollfd> none;
  waiter.wait(none, std::chrono::steady_clock::now());  // from here on it can be woken
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(60);
    stop.request_stop();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_THROW(
      {
        for (;;) waiter.wait(none, limits.deadline);
      },
      Timeout);
  EXPECT_LT(asked, 20) << "a wait that was woken returns at once, again and again";
}

INSTANTIATE_TEST_SUITE_P(, Fork, testing::Bool(),
                         [](const auto& each) { return each.param ? "Tls" : "Plain"; });

}  // namespace
}  // namespace stepstore::http

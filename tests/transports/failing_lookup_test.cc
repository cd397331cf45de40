// A look-up of a name whose thread finds no memory for the answer.
#include <netdb.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gearman/tests/support/bounds.h"
#include "gearman/tests/support/failing_new.h"
#include "gearman/transports/epoll_poller.h"
#include "gearman/transports/poller.h"
#include "gearman/transports/tcp/resolver.h"
#include "gearman/transports/tcp/socket_address.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// Stands before the C library's.
extern "C" int getaddrinfo(const char* /*host*/, const char* /*service*/,
                           const addrinfo* /*hints*/, addrinfo** /*found*/) {
  thread_local gearman::support::FailingNew next(1);
  return EAI_AGAIN;
}

namespace gearman {
namespace {

TEST(FailingLookupTest, ItsThreadEndsWithAnErrorAndNotTheProgram) {
  absl::StatusOr<std::unique_ptr<EpollPoller>> poller = EpollPoller::Create();
  ASSERT_TRUE(poller.ok()) << poller.status();
  auto lookup = Resolver::System()->Start("some.example", 4730);
  ASSERT_TRUE(lookup.ok()) << lookup.status();
  Interest interest;
  interest.fd = (*lookup)->fd();
  interest.read = true;
  ASSERT_TRUE((*poller)->Watch(1, interest).ok());
  std::vector<Poller::Key> ready;
  (*poller)->Wait((*poller)->clock()->Now() + support::kBound, &ready);
  ASSERT_THAT(ready, ::testing::ElementsAre(1));
  ASSERT_TRUE((*lookup)->done());
  const absl::Status status = (*lookup)->Take().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("some.example"));
}

}  // namespace
}  // namespace gearman

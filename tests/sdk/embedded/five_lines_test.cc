// An example of a user's own unit test of code that submits jobs: the body of
// QueuesTheMail, in five lines.
#include <memory>
#include <string>

#include "gearman/sdk/client.h"
#include "gearman/sdk/embedded/job_server.h"
#include "gtest/gtest.h"

namespace {

// The user's own code: it is to put a mail into the queue of `server`.
bool OrderMail(const std::string& server, const std::string& text) {
  gearman::ClientOptions options;
  options.servers = {server};
  const auto client = gearman::Client::Create(options);
  if (!client.ok()) return false;
  const auto request = (*client)->SubmitBackgroundJob("mail", text);
  return (*client)->WaitUntilJobsAccepted({request}).ok();
}

TEST(OrderMailTest, QueuesTheMail) {
  const auto server = gearman::JobServer::Create();
  ASSERT_TRUE((*server)->Listen("inproc://mail").ok());
  ASSERT_TRUE(OrderMail("inproc://mail", "to: you"));
  ASSERT_EQ((*server)->connections(), 0u);
  EXPECT_EQ((*server)->jobs(), 1u);
}

TEST(OrderMailTest, SaysThatThereIsNoServer) {
  EXPECT_FALSE(OrderMail("inproc://no-such-server", "to: you"));
}

}  // namespace

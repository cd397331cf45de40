// Tests of interceptors of a worker: their changes to a job and its answer, on
// a virtual clock.
#include "gearman/sdk/worker_interceptor.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "gearman/tests/sdk/worker_fixture.h"

namespace gearman {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WorkerInterceptorTest : public WorkerTest {
 protected:
  void Add(WorkerInterceptor interceptor) {
    options_.interceptors.push_back(std::move(interceptor));
  }
  // The next packet that is about a job, or both of a failure with a text.
  std::string Answer() {
    std::string packet = server_->Receive();
    while (packet == "GRAB_JOB_ALL") packet = server_->Receive();
    if (!absl::StartsWith(packet, "WORK_WARNING")) return packet;
    return absl::StrCat(packet, ", ", server_->Receive());
  }

  std::vector<std::string> log_;
};

TEST_F(WorkerInterceptorTest, AreCalledInOrderAndTheirHooksInReverse) {
  for (const char* name : {"a", "b"}) {
    Add([this, name](IncomingJob& job) {
      log_.push_back(absl::StrCat(name, " sees ", job.data()));
      job.set_data(absl::StrCat(job.data(), name));
      job.OnEnd(
          [this, name](const Job& seen, absl::StatusOr<std::string>& result) {
            log_.push_back(
                absl::StrCat(name, " gets ", *result, " of ", seen.data()));
            *result += name;
          });
    });
  }
  StartAndGrab("echo", [this](JobContext& context) {
    log_.push_back(absl::StrCat("handler sees ", context.job().data()));
    return Echo(context);
  });
  Give("H:1", "echo", "-");
  EXPECT_EQ(Answer(), "WORK_COMPLETE H:1|-abba");
  EXPECT_THAT(log_, ElementsAre("a sees -", "b sees -a", "handler sees -ab",
                                "b gets -ab of -ab", "a gets -abb of -ab"));
}

TEST_F(WorkerInterceptorTest, AChangedJobKeepsItsOtherFacts) {
  Add([](IncomingJob& job) { job.set_data(""); });
  StartAndGrab("echo", [](JobContext& context) -> absl::StatusOr<std::string> {
    const Job& job = context.job();
    return absl::StrCat(job.task(), " ", job.handle(), " ", job.unique(), " ",
                        job.connection(), "<", job.data(), ">");
  });
  Give("H:1", "echo", "data", "u1");
  EXPECT_EQ(Answer(), "WORK_COMPLETE H:1|echo H:1 u1 inproc://jobs<>");
}

TEST_F(WorkerInterceptorTest, TheHookAfterAJobSeesItAsItCame) {
  options_.after_job = [this](const JobReport& report) {
    log_.push_back(std::string(report.job.data()));
    return Proceed::kContinue;
  };
  Add([](IncomingJob& job) { job.set_data("changed"); });
  StartAndGrab("echo", Echo);
  Give("H:1", "echo", "as it came");
  EXPECT_EQ(Answer(), "WORK_COMPLETE H:1|changed");
  Settle();
  EXPECT_THAT(log_, ElementsAre("as it came"));
}

TEST_F(WorkerInterceptorTest, AnswersWithoutTheHandler) {
  Add([](IncomingJob& job) {
    if (job.data() == "known") job.Answer(std::string("cached"));
    if (job.data() == "forbidden") {
      job.Answer(absl::PermissionDeniedError("not for you"));
    }
    if (job.data() == "failed") job.Answer(JobFailed());
  });
  Add([this](IncomingJob& job) {
    log_.push_back(absl::StrCat("second sees ", job.data()));
  });
  StartAndGrab("echo", Echo);
  Give("H:1", "echo", "known");
  EXPECT_EQ(Answer(), "WORK_COMPLETE H:1|cached");
  Give("H:2", "echo", "forbidden");
  EXPECT_EQ(Answer(), FailureOf("H:2", "PERMISSION_DENIED: not for you"));
  Give("H:3", "echo", "failed");
  EXPECT_EQ(Answer(), "WORK_FAIL H:3");
  EXPECT_THAT(log_, IsEmpty());
  Give("H:4", "echo", "new");
  EXPECT_EQ(Answer(), "WORK_COMPLETE H:4|new");
  EXPECT_THAT(log_, ElementsAre("second sees new"));
}

TEST_F(WorkerInterceptorTest, AnExceptionIsAnsweredAsAHandlers) {
  Add([](IncomingJob& job) {
    if (job.data() == "odd") throw 17;  // NOLINT
    throw std::runtime_error("no key");
  });
  StartAndGrab("echo", Echo);
  Give("H:1", "echo", "x");
  EXPECT_EQ(Answer(), FailureOf("H:1", "no key"));
  Give("H:2", "echo", "odd");
  EXPECT_EQ(Answer(), FailureOf("H:2", "unknown exception"));
}

TEST_F(WorkerInterceptorTest, AHookSeesWhatTheHandlerThrew) {
  Add([this](IncomingJob& job) {
    job.OnEnd([this](const Job&, absl::StatusOr<std::string>& result) {
      log_.push_back(std::string(result.status().message()));
      if (log_.size() == 2) result = std::string("second chance");
      if (log_.size() == 3) throw std::runtime_error("the hook's");
    });
  });
  StartAndGrab("throw", [](JobContext&) -> absl::StatusOr<std::string> {
    throw std::runtime_error("no image");
  });
  Give("H:1", "throw", "");
  EXPECT_EQ(Answer(), FailureOf("H:1", "no image"));
  Give("H:2", "throw", "");
  EXPECT_EQ(Answer(), "WORK_COMPLETE H:2|second chance");
  Give("H:3", "throw", "");
  EXPECT_EQ(Answer(), FailureOf("H:3", "the hook's"));
}

// A use case: who may call is in the payload.
TEST_F(WorkerInterceptorTest, Authorization) {
  Add([](IncomingJob& job) {
    absl::string_view data = job.data();
    if (!absl::ConsumePrefix(&data, "token=secret\n")) {
      return job.Answer(absl::UnauthenticatedError("no token"));
    }
    job.set_data(std::string(data));
  });
  StartAndGrab("echo", Echo);
  Give("H:1", "echo", "token=secret\nhello");
  EXPECT_EQ(Answer(), "WORK_COMPLETE H:1|hello");
  Give("H:2", "echo", "hello");
  EXPECT_EQ(Answer(), FailureOf("H:2", "UNAUTHENTICATED: no token"));
}

// --- the asynchronous kind

TEST_F(WorkerInterceptorTest, APendingJobIsChangedAndItsAnswerToo) {
  Add([](IncomingJob& job) {
    job.set_data(absl::StrCat("<", job.data(), ">"));
    job.OnEnd([](const Job&, absl::StatusOr<std::string>& result) {
      *result += "!";
    });
  });
  PendingJob pending;
  StartAsyncAndGrab("later",
                    [&pending](PendingJob job) { pending = std::move(job); });
  Give("H:1", "later", "x");
  Settle();
  EXPECT_EQ(pending.job().data(), "<x>");
  pending.Finish(std::string(pending.job().data()));
  EXPECT_EQ(Answer(), "WORK_COMPLETE H:1|<x>!");
}

TEST_F(WorkerInterceptorTest, AnAnswerReachesAJobOfTheAsynchronousKind) {
  Add([](IncomingJob& job) { job.Answer(std::string("cached")); });
  StartAsyncAndGrab(
      "later", [this](PendingJob) { log_.emplace_back("must not be called"); });
  Give("H:1", "later", "x");
  EXPECT_EQ(Answer(), "WORK_COMPLETE H:1|cached");
  EXPECT_THAT(log_, IsEmpty());
  Settle();
  EXPECT_EQ(worker_->stats().jobs_running, 0u);
}

TEST_F(WorkerInterceptorTest, ADroppedJobIsSeenOnceWhereverItIsDropped) {
  Add([this](IncomingJob& job) {
    job.OnEnd([this](const Job& seen, absl::StatusOr<std::string>& result) {
      log_.push_back(
          absl::StrCat(seen.handle(), ": ", result.status().message()));
      if (seen.handle() == "H:4") result = std::string("fallback");
    });
  });
  PendingJob pending;
  StartAsyncAndGrab("later", [&pending](PendingJob job) {
    if (job.job().data() == "keep") pending = std::move(job);
    if (!job.finished() && job.job().data() == "throw") {
      throw std::runtime_error("no room");
    }
  });
  Give("H:1", "later", "drop");
  EXPECT_EQ(Answer(), "WORK_FAIL H:1");
  Give("H:2", "later", "keep");
  Settle();
  pending = PendingJob();
  EXPECT_EQ(Answer(), "WORK_FAIL H:2");
  Give("H:3", "later", "throw");
  EXPECT_EQ(Answer(), FailureOf("H:3", "no room"));
  Give("H:4", "later", "drop");
  EXPECT_EQ(Answer(), "WORK_COMPLETE H:4|fallback");
  EXPECT_THAT(
      log_,
      ElementsAre("H:1: the handler dropped its pending job",
                  "H:2: the pending job was dropped without an answer",
                  "H:3: no room", "H:4: the handler dropped its pending job"));
  EXPECT_EQ(worker_->stats().jobs_forgotten, 2u);
}

}  // namespace
}  // namespace gearman

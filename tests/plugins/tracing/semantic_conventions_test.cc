#include "gearman/plugins/tracing/semantic_conventions.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gearman/plugins/tracing/trace_observer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {
namespace semantic_conventions {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

// "name=text" or "name=#number".
std::vector<std::string> Lines(const std::vector<SpanAttribute>& attributes) {
  std::vector<std::string> lines;
  for (const SpanAttribute& attribute : attributes) {
    lines.push_back(absl::StrCat(attribute.name, "=",
                                 attribute.text.empty()
                                     ? absl::StrCat("#", attribute.number)
                                     : attribute.text));
  }
  return lines;
}

TEST(SemanticConventionsTest, ASpanIsNamedByOperationAndTask) {
  TraceBegin begin;
  begin.task = "reverse";
  EXPECT_EQ(SpanName(begin), "submit reverse");
  begin.operation = TraceOperation::kProcess;
  EXPECT_EQ(SpanName(begin), "process reverse");
  begin.operation = TraceOperation::kRetry;
  EXPECT_EQ(SpanName(begin), "retry reverse");
  begin.operation = TraceOperation::kStatus;
  begin.task = "";
  EXPECT_EQ(SpanName(begin), "status");
}

TEST(SemanticConventionsTest, TheKindsAreThoseOfOtlp) {
  EXPECT_EQ(static_cast<int>(SpanKindOf(TraceOperation::kSubmit)), 4);
  EXPECT_EQ(static_cast<int>(SpanKindOf(TraceOperation::kProcess)), 5);
  EXPECT_EQ(static_cast<int>(SpanKindOf(TraceOperation::kRetry)), 3);
  EXPECT_EQ(static_cast<int>(SpanKindOf(TraceOperation::kStatus)), 3);
}

TEST(SemanticConventionsTest, ASubmissionBeginsWithWhatItsCallerSaid) {
  TraceBegin begin;
  begin.task = "reverse";
  begin.unique = "u1";
  begin.data = "abc";
  begin.background = true;
  EXPECT_THAT(
      Lines(AttributesOf(begin)),
      ElementsAre("messaging.system=gearman", "messaging.operation.name=submit",
                  "messaging.operation.type=send",
                  "messaging.destination.name=reverse", "gearman.unique=u1",
                  "gearman.background=true", "messaging.message.body.size=#3"));
}

TEST(SemanticConventionsTest, AProcessingBeginsWithItsHandleAndServer) {
  TraceBegin begin;
  begin.operation = TraceOperation::kProcess;
  begin.task = "reverse";
  begin.handle = "H:1";
  begin.server = "tcp://jobs-1:4730";
  EXPECT_THAT(
      Lines(AttributesOf(begin)),
      ElementsAre("messaging.system=gearman",
                  "messaging.operation.name=process",
                  "messaging.operation.type=process",
                  "messaging.destination.name=reverse",
                  "messaging.message.id=H:1", "server.address=jobs-1",
                  "server.port=#4730", "messaging.message.body.size=#0"));
}

TEST(SemanticConventionsTest, ARetrySaysWhichAndWhy) {
  TraceBegin begin;
  begin.operation = TraceOperation::kRetry;
  begin.attempt = 2;
  begin.reason = "connect";
  const std::vector<std::string> lines = Lines(AttributesOf(begin));
  EXPECT_THAT(lines, Contains("gearman.attempt=#2"));
  EXPECT_THAT(lines, Contains("gearman.retry.reason=connect"));
}

TEST(SemanticConventionsTest, AnEndSaysWhatBecameOfIt) {
  TraceEnd end;
  end.outcome = "failed";
  end.error_type = "failed";
  end.task = "reverse";
  end.unique = "u1";
  end.handle = "H:1";
  end.server = "tls://[::1]:4731";
  end.attempts = 2;
  EXPECT_THAT(Lines(AttributesOf(end)),
              ElementsAre("messaging.destination.name=reverse",
                          "messaging.message.id=H:1", "gearman.unique=u1",
                          "server.address=::1", "server.port=#4731",
                          "gearman.outcome=failed", "error.type=failed",
                          "gearman.attempts=#2"));
}

TEST(SemanticConventionsTest, WhatIsNoErrorHasNoErrorType) {
  TraceEnd end;
  end.outcome = "complete";
  EXPECT_THAT(Lines(AttributesOf(end)),
              ElementsAre("gearman.outcome=complete"));
}

TEST(SemanticConventionsTest, AnotherSchemesAddressIsKeptWhole) {
  TraceBegin begin;
  begin.server = "inproc://default";
  EXPECT_THAT(Lines(AttributesOf(begin)),
              Contains("server.address=inproc://default"));
}

}  // namespace
}  // namespace semantic_conventions
}  // namespace gearman

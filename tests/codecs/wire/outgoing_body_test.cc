#include "gearman/codecs/wire/outgoing_body.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/payload.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/encoder.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/tests/support/body_sources.h"
#include "gtest/gtest.h"

namespace gearman {
namespace wire {
namespace {

using ::gearman::testing::FunctionSource;
using ::gearman::testing::PatternBytes;
using ::gearman::testing::PatternSource;

constexpr size_t kPart = OutgoingBody::kPartBytes;

std::shared_ptr<OutgoingBody> Body(std::shared_ptr<BodySource> source) {
  return std::make_shared<OutgoingBody>(std::move(source), "the data");
}

std::shared_ptr<OutgoingBody> PatternBody(uint64_t size) {
  return Body(std::make_shared<PatternSource>(size));
}

// Writes at most `most` pending bytes, as a transport does.
std::string Write(OutputBuffer* out, size_t most) {
  size_t read = 0;
  EXPECT_TRUE(out->ReadBody(&read).ok());
  std::array<absl::string_view, 64> pieces;
  const size_t count = out->Gather(absl::MakeSpan(pieces));
  std::string written;
  for (size_t i = 0; i < count && written.size() < most; ++i) {
    const size_t part = std::min(most - written.size(), pieces[i].size());
    written.append(pieces[i].data(), part);
  }
  out->Consume(written.size());
  return written;
}

std::string WriteAll(OutputBuffer* out, size_t most) {
  std::string all;
  while (!out->empty()) {
    const std::string part = Write(out, most);
    if (part.empty()) {
      ADD_FAILURE() << "no progress after " << all.size() << " bytes";
      break;
    }
    all += part;
  }
  return all;
}

TEST(OutgoingBodyTest, PassesInPartsInAnyWritesWithPacketsAroundIt) {
  const size_t sizes[] = {1, kPart - 1, kPart, kPart + 1, 3 * kPart + 7};
  for (const size_t size : sizes) {
    for (const size_t most : {size_t{1000}, kPart, 10 * kPart}) {
      OutputBuffer out;
      out.Append("before");
      out.AppendWithBody("head", PatternBody(size));
      out.Append("between");
      out.AppendPayload(Payload(std::string(20000, 'p')));
      out.AppendWithBody("again", PatternBody(size));
      out.Append("behind");
      EXPECT_EQ(WriteAll(&out, most), "beforehead" + PatternBytes(0, size) +
                                          "between" + std::string(20000, 'p') +
                                          "again" + PatternBytes(0, size) +
                                          "behind")
          << size << " " << most;
      EXPECT_EQ(out.held(), 0u);
      EXPECT_EQ(out.unread(), 0u);
    }
  }
}

TEST(OutgoingBodyTest, AnEmptyBodyAddsNothing) {
  OutputBuffer out;
  out.AppendWithBody("head", PatternBody(0));
  EXPECT_EQ(WriteAll(&out, 100), "head");
}

TEST(OutgoingBodyTest, OneCountsAsWhatIsHeldOfItAndIsNeverNothing) {
  OutputBuffer out;
  out.AppendWithBody("head", PatternBody(4 * kPart));
  EXPECT_EQ(out.size(), 4 + 4 * kPart);
  EXPECT_EQ(out.held(), 4u);
  EXPECT_EQ(out.unread(), 4 * kPart);
  Write(&out, 4 + kPart);
  EXPECT_EQ(out.held(), 1u) << "nothing is here, and more is to be written";
  const size_t before = out.owned_bytes();
  Write(&out, 1);
  EXPECT_EQ(out.held(), kPart - 1);
  EXPECT_EQ(out.owned_bytes(), before);
  EXPECT_GE(out.owned_bytes(), kPart);
  EXPECT_LT(out.owned_bytes(), kPart + 10000);
  WriteAll(&out, kPart);
  EXPECT_LT(out.owned_bytes(), kPart);
}

TEST(OutgoingBodyTest, APayloadBehindAnUnreadBodyIsNotTheFront) {
  OutputBuffer out;
  out.AppendWithBody("h", PatternBody(2));
  out.AppendPayload(Payload(std::string(20000, 'p')));
  out.Consume(1);
  EXPECT_EQ(out.front_payload(), nullptr);
  Write(&out, 2);
  EXPECT_NE(out.front_payload(), nullptr);
}

TEST(OutgoingBodyTest, ClearDropsAnUnreadBody) {
  OutputBuffer out;
  const std::shared_ptr<OutgoingBody> body = PatternBody(2 * kPart);
  out.AppendWithBody("head", body);
  Write(&out, 10);
  EXPECT_EQ(body->memory(), kPart);
  out.Clear();
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(out.held(), 0u);
  EXPECT_EQ(body->memory(), 0u);
  out.Append("more");
  EXPECT_EQ(WriteAll(&out, 100), "more");
}

TEST(OutgoingBodyTest, ABufferThatEndsFreesThePartOfABodyThatOthersKeep) {
  const std::shared_ptr<OutgoingBody> body = PatternBody(2 * kPart);
  {
    OutputBuffer out;
    out.AppendWithBody("head", body);
    Write(&out, 10);
    EXPECT_EQ(body->memory(), kPart);
  }
  EXPECT_EQ(body->memory(), 0u);
}

TEST(OutgoingBodyTest, ASourceMayReturnFewerBytesThanItIsAskedFor) {
  const auto source = std::make_shared<FunctionSource>(
      1000, [](uint64_t offset, absl::Span<char> into) {
        const size_t size = std::min<size_t>(into.size(), 7);
        const std::string bytes = PatternBytes(offset, size);
        std::copy(bytes.begin(), bytes.end(), into.begin());
        return size;
      });
  OutputBuffer out;
  out.AppendWithBody("head", Body(source));
  EXPECT_EQ(WriteAll(&out, 300), "head" + PatternBytes(0, 1000));
}

struct Failure {
  std::function<absl::StatusOr<size_t>(absl::Span<char>)> read;
  absl::StatusCode code;
  std::string text;
};

TEST(OutgoingBodyTest, SaysHowASourceHasFailedAndHowFarItCame) {
  const Failure failures[] = {
      {[](absl::Span<char>) -> absl::StatusOr<size_t> {
         return absl::NotFoundError("the disk is gone");
       },
       absl::StatusCode::kNotFound, "the disk is gone"},
      {[](absl::Span<char>) -> absl::StatusOr<size_t> { return 0; },
       absl::StatusCode::kInvalidArgument, "then its end"},
      {[](absl::Span<char> into) -> absl::StatusOr<size_t> {
         return into.size() + 1;
       },
       absl::StatusCode::kInvalidArgument, "at most"},
      {[](absl::Span<char>) -> absl::StatusOr<size_t> {
         throw std::runtime_error("a bug");
       },
       absl::StatusCode::kUnknown, "it has thrown: a bug"},
      {[](absl::Span<char>) -> absl::StatusOr<size_t> { throw 1; },
       absl::StatusCode::kUnknown, "unknown exception"},
  };
  for (const Failure& failure : failures) {
    const auto source = std::make_shared<FunctionSource>(
        100,
        [&failure](uint64_t offset,
                   absl::Span<char> into) -> absl::StatusOr<size_t> {
          if (offset == 0) return 40;
          return failure.read(into);
        });
    const std::shared_ptr<OutgoingBody> body = Body(source);
    const absl::Status status = body->ReadPart().status();
    EXPECT_EQ(status.code(), failure.code) << status;
    EXPECT_NE(status.message().find("the data could not be read from its "
                                    "source: 40 of 100 bytes, then "),
              absl::string_view::npos)
        << status;
    EXPECT_NE(status.message().find(failure.text), absl::string_view::npos)
        << status;
    EXPECT_EQ(body->error(), status);
    EXPECT_EQ(body->ReadPart().status(), status) << "an error is final";
  }
}

TEST(OutgoingBodyTest, OnlyARepeatableSourceIsReadTwice) {
  for (const bool repeatable : {false, true}) {
    const auto source = std::make_shared<FunctionSource>(
        10, [](uint64_t, absl::Span<char> into) { return into.size(); },
        repeatable);
    EXPECT_FALSE(source->used());
    EXPECT_TRUE(Body(source)->ReadPart().ok());
    EXPECT_TRUE(source->used());
    const absl::Status again = Body(source)->ReadPart().status();
    EXPECT_EQ(again.code(), repeatable ? absl::StatusCode::kOk
                                       : absl::StatusCode::kFailedPrecondition)
        << again;
  }
}

// Returns the header of the packet of a job with `prefix` and a body.
absl::StatusOr<Header> HeaderOf(absl::string_view prefix, uint64_t body_size) {
  OutputBuffer out;
  const absl::Status status = EncodeWithBody(
      WorkComplete{"H:1", Payload::View(prefix)}, PatternBody(body_size), out);
  if (!status.ok()) {
    EXPECT_TRUE(out.empty());
    return status;
  }
  std::array<absl::string_view, 1> pieces;
  EXPECT_EQ(out.Gather(absl::MakeSpan(pieces)), 1u);
  EXPECT_EQ(pieces[0].substr(kHeaderBytes),
            "H:1" + std::string(1, '\0') + std::string(prefix));
  EXPECT_EQ(out.unread(), body_size);
  EXPECT_EQ(out.total_appended(), pieces[0].size() + body_size);
  Header header;
  EXPECT_TRUE(ReadHeader(pieces[0].data(), &header));
  return header;
}

TEST(OutgoingBodyTest, TheHeaderOfAPacketCountsItsBody) {
  const absl::StatusOr<Header> header = HeaderOf("prefix", 1000);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->body_bytes, 4u + 6u + 1000u);
  EXPECT_EQ(header->type, static_cast<uint32_t>(Command::kWorkComplete));
}

TEST(OutgoingBodyTest, APacketHasAtMost4GiBLess1) {
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
  const absl::StatusOr<Header> largest = HeaderOf("", kMost - 4);
  ASSERT_TRUE(largest.ok()) << largest.status();
  EXPECT_EQ(largest->body_bytes, kMost);
  for (const uint64_t size :
       {kMost - 3, kMost, kMost + 1, std::numeric_limits<uint64_t>::max()}) {
    const absl::Status status = HeaderOf("", size).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << size;
  }
}

}  // namespace
}  // namespace wire
}  // namespace gearman

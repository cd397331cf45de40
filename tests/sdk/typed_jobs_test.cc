#include "gearman/sdk/typed_jobs.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/plugins/encoding/encoding_plugins.h"
#include "gearman/plugins/encoding/envelope_encoder.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/plugin_registry.h"
#include "gearman/sdk/status.h"
#include "gearman/sdk/worker.h"
#include "gearman/tests/plugins/encoding/encoding_under_test.pb.h"
#include "gearman/tests/sdk/inproc_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gearman {

// A type of the program's own, as "x,y".
struct Point {
  int x = 0;
  int y = 0;
};

template <>
struct DataTraits<Point> {
  static absl::Status Encode(const Point& point, std::string* bytes) {
    if (point.x < 0) return absl::InvalidArgumentError("x is negative");
    *bytes = absl::StrCat(point.x, ",", point.y);
    return absl::OkStatus();
  }
  static absl::StatusOr<Point> Decode(absl::string_view bytes) {
    const std::vector<std::string> parts = absl::StrSplit(bytes, ',');
    Point point;
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &point.x) ||
        !absl::SimpleAtoi(parts[1], &point.y)) {
      return absl::DataLossError(absl::StrCat("no point: ", bytes));
    }
    return point;
  }
};

namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Order;

constexpr char kServer[] = "inproc://typed";

class TypedJobs : public InprocTest {
 protected:
  TypedJobs() : InprocTest(kServer) {}

  // Registers "double", which doubles the cents of an order, and starts.
  void StartDoubling(std::shared_ptr<const DataEncoder> encoder) {
    TypedTaskOptions options;
    options.encoder = std::move(encoder);
    const absl::Status status = Register<Order, Order>(
        *worker_, "double",
        [this](const Order& order) -> absl::StatusOr<Order> {
          ++calls_;
          Order doubled = order;
          doubled.set_cents(2 * order.cents());
          return doubled;
        },
        options);
    ASSERT_TRUE(status.ok()) << status;
    RunWorker();
  }
  absl::StatusOr<Order> Double(int64_t cents,
                               std::shared_ptr<const DataEncoder> encoder) {
    Order order;
    order.set_cents(cents);
    TypedCallOptions options;
    options.encoder = std::move(encoder);
    return gearman::Run<Order>(*client_, "double", order, options);
  }
  static std::shared_ptr<const DataEncoder> EncoderOf(
      const std::string& names) {
    auto encoder =
        CreateDataEncoder(names, PluginRegistry::Default().data_encoders());
    EXPECT_TRUE(encoder.ok()) << encoder.status();
    return *std::move(encoder);
  }

  int calls_ = 0;  // read when the worker has ended, or before it begins
};

TEST_F(TypedJobs, CarryMessagesWithoutAnEncoder) {
  StartDoubling(nullptr);
  const absl::StatusOr<Order> order = Double(21, nullptr);
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(order->cents(), 42);
}

// Peers without encoders send and get Protobuf's bytes.
TEST_F(TypedJobs, AreProtobufsBytesWithoutAnEncoder) {
  StartDoubling(nullptr);
  Order order;
  order.set_cents(3);
  const auto bytes = client_->Run("double", order.SerializeAsString());
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  ASSERT_TRUE(order.ParseFromString(*bytes));
  EXPECT_EQ(order.cents(), 6);
}

TEST_F(TypedJobs, TravelThroughEveryEncoder) {
  const auto encoder = EncoderOf("json+envelope+zlib+zstd");
  StartDoubling(encoder);
  const absl::StatusOr<Order> order = Double(21, encoder);
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(order->cents(), 42);
}

TEST_F(TypedJobs, SayWhatAForeignPeerSent) {
  StartDoubling(EncoderOf("json+zlib"));
  const absl::Status status = client_->Run("double", "hello").status();
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("decode request"), HasSubstr("\"double\""),
                    HasSubstr(kServer), HasSubstr("encoder \"zlib\""),
                    HasSubstr("found 5 bytes that begin with \"hello\"")));
  worker_->Stop();
  thread_.join();
  EXPECT_EQ(calls_, 0);
}

TEST_F(TypedJobs, TakeAForeignPeersRawBytesWhenToldTo) {
  EnvelopeOptions options;
  options.accept_raw = true;
  TypedTaskOptions task;
  task.encoder = std::make_shared<EnvelopeEncoder>(options);
  const absl::Status status = Register<std::string, std::string>(
      *worker_, "greet",
      [](const std::string& name) { return absl::StrCat("hello ", name); },
      task);
  ASSERT_TRUE(status.ok()) << status;
  RunWorker();
  // The reply has an envelope all the same.
  const auto reply = client_->Run("greet", "raw");
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(*reply, std::string("\xf7GE\x01\0\0hello raw", 15));
}

TEST_F(TypedJobs, NameTaskAndServerOfAReplyThatIsNone) {
  ASSERT_TRUE(worker_
                  ->Register("double",
                             [](JobContext&) -> absl::StatusOr<std::string> {
                               return std::string("no order");
                             })
                  .ok());
  RunWorker();
  const absl::Status status = Double(1, EncoderOf("json")).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("decode reply"), HasSubstr("\"double\""),
                    HasSubstr(kServer),
                    HasSubstr("JSON of a message gearman.testing.Order"),
                    HasSubstr("8 bytes that begin with \"no order\"")));
  EXPECT_EQ(GetStatusFacts(status).server, kServer);
  EXPECT_EQ(GetStatusFacts(status).task, "double");
}

TEST_F(TypedJobs, NoticeThatThePeerHasAnotherFormat) {
  StartDoubling(EncoderOf("json+envelope"));
  const absl::Status status =
      Double(1, EncoderOf("protobuf+envelope")).status();
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("the envelope holds data of the type "
                        "\"application/x-protobuf\", and this side reads "
                        "\"application/json\""));
}

TEST_F(TypedJobs, PassHeadersToTheHandler) {
  const auto encoder = EncoderOf("protobuf+envelope");
  absl::Mutex mutex;
  DataHeaders seen;
  TypedTaskOptions task;
  task.encoder = encoder;
  ASSERT_TRUE(
      (Register<Order, std::string>(
           *worker_, "wrong", [](const Order&) { return "text"; }, task))
          .code() == absl::StatusCode::kInvalidArgument);
  const absl::Status status = Register<Order, Order>(
      *worker_, "note",
      [&](const Order& order, JobContext& job,
          const DataHeaders& headers) -> absl::StatusOr<Order> {
        absl::MutexLock lock(&mutex);
        seen = headers;
        EXPECT_EQ(job.job().task(), "note");
        return order;
      },
      task);
  ASSERT_TRUE(status.ok()) << status;
  RunWorker();
  TypedCallOptions options;
  options.encoder = encoder;
  options.headers.attempt = 2;
  options.headers.traceparent = "00-1-2-03";
  options.headers.others = {{"tenant", "blue"}};
  const auto order = gearman::Run<Order>(*client_, "note", Order(), options);
  ASSERT_TRUE(order.ok()) << order.status();
  absl::MutexLock lock(&mutex);
  EXPECT_EQ(seen.attempt, 2);
  EXPECT_EQ(seen.traceparent, "00-1-2-03");
  EXPECT_EQ(seen.content_type, "application/x-protobuf");
  EXPECT_THAT(seen.others, ElementsAre(::testing::Pair("tenant", "blue")));
}

TEST_F(TypedJobs, CarryTypesWithTraits) {
  const auto encoder = EncoderOf("zlib");
  TypedTaskOptions task;
  task.encoder = encoder;
  // A handler that can't be copied.
  auto offset = std::make_unique<Point>(Point{1, 1});
  const absl::Status status = Register<Point, Point>(
      *worker_, "move",
      [offset = std::move(offset)](Point point,
                                   JobContext&) -> absl::StatusOr<Point> {
        return Point{point.x + offset->x, point.y + offset->y};
      },
      task);
  ASSERT_TRUE(status.ok()) << status;
  RunWorker();
  TypedCallOptions options;
  options.encoder = encoder;
  const auto moved =
      gearman::Run<Point>(*client_, "move", Point{4, -5}, options);
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->x, 5);
  EXPECT_EQ(moved->y, -4);
}

TEST_F(TypedJobs, PassTheErrorsOfTraitsOn) {
  ASSERT_TRUE(
      (Register<Point, Point>(*worker_, "mirror", [](const Point& point) {
        return Point{-point.x, point.y};
      })).ok());
  RunWorker();
  // Nothing is sent.
  const absl::Status request =
      gearman::Run<Point>(*client_, "mirror", Point{-1, 0}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(request));
  EXPECT_THAT(std::string(request.message()),
              AllOf(HasSubstr("encode request"), HasSubstr("\"mirror\""),
                    HasSubstr("x is negative")));
  // The handler's value can't be sent.
  const absl::Status reply =
      gearman::Run<Point>(*client_, "mirror", Point{1, 0}).status();
  EXPECT_TRUE(absl::IsAborted(reply)) << reply;
  EXPECT_THAT(std::string(reply.message()),
              AllOf(HasSubstr("encode reply"), HasSubstr(kServer),
                    HasSubstr("x is negative")));
  const absl::Status bytes = client_->Run("mirror", "1;2").status();
  EXPECT_THAT(std::string(bytes.message()), HasSubstr("no point: 1;2"));
}

TEST_F(TypedJobs, FailAsTheirHandlersSay) {
  ASSERT_TRUE((Register<std::string, std::string>(
                   *worker_, "fail",
                   [](const std::string&) -> absl::StatusOr<std::string> {
                     return JobException("why");
                   }))
                  .ok());
  RunWorker();
  const absl::Status status =
      gearman::Run<std::string>(*client_, "fail", std::string()).status();
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("why"));
}

TEST_F(TypedJobs, MayBeSubmittedInEveryWay) {
  const auto encoder = EncoderOf("json+zstd");
  StartDoubling(encoder);
  TypedCallOptions options;
  options.encoder = encoder;
  std::vector<JobSpec> specs;
  for (int cents = 0; cents < 10; ++cents) {
    Order order;
    order.set_cents(cents);
    auto spec = MakeJob("double", order, options);
    ASSERT_TRUE(spec.ok()) << spec.status();
    specs.push_back(*std::move(spec));
  }
  const std::vector<JobRequest> requests =
      client_->SubmitMultipleJobs(std::move(specs));
  ASSERT_TRUE(client_->WaitUntilJobsCompleted(requests).ok());
  for (int cents = 0; cents < 10; ++cents) {
    const auto order = TakeReply<Order>(requests[cents], encoder.get());
    ASSERT_TRUE(order.ok()) << order.status();
    EXPECT_EQ(order->cents(), 2 * cents);
  }
}

TEST_F(TypedJobs, HaveNoReplyBeforeTheirEnd) {
  const JobRequest never(JobSpec("double", ""));
  EXPECT_TRUE(absl::IsFailedPrecondition(TakeReply<Order>(never).status()));
  const JobRequest job = client_->SubmitJob("double", "");
  EXPECT_TRUE(absl::IsFailedPrecondition(TakeReply<Order>(job).status()));
  job.Cancel();
  EXPECT_TRUE(absl::IsCancelled(TakeReply<Order>(job).status()));
}

TEST_F(TypedJobs, RefuseEncodersThatDoNotFit) {
  const auto zlib = EncoderOf("zlib");
  const auto json = EncoderOf("json+zlib");
  const absl::Status bytes = Double(1, zlib).status();
  EXPECT_TRUE(absl::IsInvalidArgument(bytes));
  EXPECT_THAT(std::string(bytes.message()),
              HasSubstr("as in \"protobuf+zlib\""));
  TypedCallOptions options;
  options.encoder = json;
  const absl::Status messages =
      gearman::Run<Point>(*client_, "move", Point(), options).status();
  EXPECT_TRUE(absl::IsInvalidArgument(messages));
  EXPECT_THAT(std::string(messages.message()),
              HasSubstr("\"json+zlib\" takes Protobuf messages"));
  TypedTaskOptions task;
  task.encoder = zlib;
  EXPECT_TRUE(absl::IsInvalidArgument((Register<Order, Order>(
      *worker_, "double", [](const Order& order) { return order; }, task))));
  task.encoder = json;
  EXPECT_TRUE(absl::IsInvalidArgument((Register<Point, Point>(
      *worker_, "move", [](const Point& point) { return point; }, task))));
  EXPECT_THAT(worker_->tasks(), ElementsAre());
}

TEST_F(TypedJobs, RefuseCallsThatCanNotWait) {
  TypedCallOptions options;
  options.call.run_at = absl::Now();
  EXPECT_TRUE(absl::IsInvalidArgument(
      gearman::Run<Order>(*client_, "double", Order(), options).status()));
}

TEST_F(TypedJobs, RunMakesTheFactsOfARequestKnown) {
  StartDoubling(nullptr);
  const JobRequest request(JobSpec("double", ""));
  const auto result = client_->Run(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(request.connection(), kServer);
  EXPECT_NE(request.handle(), "");
  EXPECT_EQ(request.connection_attempts(), 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(client_->Run(request).status()));
  JobSpec background("double", "");
  background.background = true;
  EXPECT_TRUE(absl::IsInvalidArgument(
      client_->Run(JobRequest(std::move(background))).status()));
}

}  // namespace
}  // namespace gearman

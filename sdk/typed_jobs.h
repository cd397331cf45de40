// Typed jobs: a client sends a value and gets a value, and a handler takes and
// returns them. Values are Protobuf messages, std::string, or types of the
// program's own.
//
//   // The worker:
//   gearman::Register<Order, Receipt>(
//       *worker, "pay",
//       [](const Order& order) -> absl::StatusOr<Receipt> {...});
//   // The client:
//   absl::StatusOr<Receipt> receipt =
//       gearman::Run<Receipt>(*client, "pay", order);
//
// An encoder (plugins/encoding/data_encoder.h) says how a value travels, such
// as "json+zlib". Client and worker have equal encoders. Without one a message
// travels in Protobuf's binary format, and other values as the bytes that their
// DataTraits make. docs/guide/encoding.md has the bytes, for peers in other
// languages.
//
// A type of your own:
//
//   template <>
//   struct gearman::DataTraits<Point> {
//     static absl::Status Encode(const Point& point, std::string* bytes);
//     static absl::StatusOr<Point> Decode(std::string_view bytes);
//   };
//
// Errors: those of Client and Worker, and those of encoders, which name the
// task, the server, the direction ("decode request") and what was found in the
// place of what was expected:
//   INVALID_ARGUMENT    the value can't be encoded, or the encoder does not fit
//                       the type; nothing was sent
//   DATA_LOSS           the bytes are no value: the peer sends raw data, or has
//                       another encoder, or the bytes were changed
//   RESOURCE_EXHAUSTED  the value is larger than the encoder's limit
//   NOT_FOUND, UNIMPLEMENTED  a key, or a version of a format, is missing here
// A handler is not called with a request that can't be decoded: its job fails
// with the text of the error.
//
// Threads: those of Client and Worker. Ownership: encoders are shared.
#ifndef GEARMAN_SDK_TYPED_JOBS_H_
#define GEARMAN_SDK_TYPED_JOBS_H_

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gearman/base/string_view.h"
#include "gearman/plugins/encoding/data_encoder.h"
#include "gearman/sdk/client.h"
#include "gearman/sdk/job_context.h"
#include "gearman/sdk/job_request.h"
#include "gearman/sdk/worker.h"
#include "google/protobuf/message.h"

namespace gearman {

namespace internal {

template <typename T>
inline constexpr bool kIsMessage =
    std::is_base_of_v<google::protobuf::Message, T>;
template <typename T>
inline constexpr bool kIsKnown = false;

}  // namespace internal

// Says how a value becomes bytes and back. Specialize it for a type of your
// own: both functions are called without a lock, by several threads at once.
// A bad value is INVALID_ARGUMENT, and bad bytes are DATA_LOSS. An exception
// passes through Run, and fails the job of a handler. Decode takes a
// std::string_view or an absl::string_view. Protobuf messages need no
// DataTraits.
template <typename T, typename Enable = void>
struct DataTraits {
  static_assert(internal::kIsKnown<T>,
                "This type is no Protobuf message: specialize "
                "gearman::DataTraits for it (gearman/sdk/typed_jobs.h)");
};

// Bytes, as they are.
template <>
struct DataTraits<std::string> {
  // Copy the bytes. They never fail.
  static absl::Status Encode(const std::string& value, std::string* bytes) {
    *bytes = value;
    return absl::OkStatus();
  }
  static absl::StatusOr<std::string> Decode(StringView bytes) {
    return std::string(bytes);
  }
};

// The options of a typed call.
struct TypedCallOptions {
  // The encoder of the request and the reply. Null means none.
  std::shared_ptr<const DataEncoder> encoder;
  // Headers of the request, for an encoder with an `envelope`.
  DataHeaders headers;
  // The options of every call.
  CallOptions call;
};

// The options of a typed task.
struct TypedTaskOptions {
  // The encoder of the request and the reply. Null means none.
  std::shared_ptr<const DataEncoder> encoder;
  // The options of every task.
  TaskOptions task;
};

namespace internal {

// Whether an encoder, or none, takes messages or else bytes.
absl::Status CheckEncoder(const DataEncoder* encoder, bool messages);
// Each function takes a null encoder, too. `context` has headers. Messages
// travel in Protobuf's binary format unless the encoder has another one.
absl::Status EncodeMessage(const DataEncoder* encoder,
                           const DataContext& context,
                           const google::protobuf::Message& message,
                           std::string* bytes);
absl::Status EncodeBytes(const DataEncoder* encoder, const DataContext& context,
                         std::string* bytes);
absl::Status DecodeMessage(const DataEncoder* encoder,
                           const DataContext& context, absl::string_view bytes,
                           google::protobuf::Message* message);
absl::StatusOr<absl::string_view> DecodeBytes(const DataEncoder* encoder,
                                              const DataContext& context,
                                              absl::string_view bytes,
                                              std::string* buffer);
// Returns the error with what was done, the task and the server before it.
absl::Status AboutData(const absl::Status& status, absl::string_view verb,
                       const DataContext& context, absl::string_view server);

}  // namespace internal

// Returns the bytes of a value, for what has no typed function of its own, such
// as PendingJob. `context.headers` may be null.
template <typename T>
absl::StatusOr<std::string> EncodeValue(const T& value,
                                        const DataEncoder* encoder,
                                        DataContext context) {
  DataHeaders headers;
  if (context.headers == nullptr) context.headers = &headers;
  std::string bytes;
  absl::Status status;
  if constexpr (internal::kIsMessage<T>) {
    status = internal::EncodeMessage(encoder, context, value, &bytes);
  } else {
    status = internal::CheckEncoder(encoder, /*messages=*/false);
    if (status.ok()) status = DataTraits<T>::Encode(value, &bytes);
    if (status.ok()) status = internal::EncodeBytes(encoder, context, &bytes);
  }
  if (!status.ok()) return status;
  return bytes;
}

// Returns the value that EncodeValue made these bytes of.
template <typename T>
absl::StatusOr<T> DecodeValue(StringView bytes, const DataEncoder* encoder,
                              DataContext context) {
  DataHeaders headers;
  if (context.headers == nullptr) context.headers = &headers;
  if constexpr (internal::kIsMessage<T>) {
    T message;
    absl::Status status =
        internal::DecodeMessage(encoder, context, bytes, &message);
    if (!status.ok()) return status;
    return message;
  } else {
    absl::Status status = internal::CheckEncoder(encoder, /*messages=*/false);
    if (!status.ok()) return status;
    std::string buffer;
    absl::StatusOr<absl::string_view> data =
        internal::DecodeBytes(encoder, context, bytes, &buffer);
    if (!data.ok()) return data.status();
    return DataTraits<T>::Decode(StringView(*data));
  }
}

// Returns a job with this request, to be submitted in any way. The encoder in
// `options` is also that of its reply (TakeReply).
template <typename Request>
absl::StatusOr<JobSpec> MakeJob(StringView task, const Request& request,
                                TypedCallOptions options = {}) {
  DataContext context;
  context.task = task;
  context.headers = &options.headers;
  absl::StatusOr<std::string> bytes =
      EncodeValue(request, options.encoder.get(), context);
  if (!bytes.ok()) {
    return internal::AboutData(bytes.status(), "encode", context, "");
  }
  JobSpec spec(std::string(task), *std::move(bytes));
  spec.options = std::move(options.call);
  return spec;
}

namespace internal {

template <typename Reply>
absl::StatusOr<Reply> DecodeReply(const JobRequest& request,
                                  absl::string_view bytes,
                                  const DataEncoder* encoder) {
  DataContext context;
  context.task = request.task();
  context.direction = DataDirection::kReply;
  absl::StatusOr<Reply> reply = DecodeValue<Reply>(bytes, encoder, context);
  if (reply.ok()) return reply;
  return AboutData(reply.status(), "decode", context, request.connection());
}

}  // namespace internal

// Moves the result out of a finished request and returns its value. Returns the
// request's status() if it has none, and FAILED_PRECONDITION if the request
// goes on, or is for a background job.
template <typename Reply>
absl::StatusOr<Reply> TakeReply(const JobRequest& request,
                                const DataEncoder* encoder = nullptr) {
  const std::optional<std::string> result = request.TakeResult();
  if (result.has_value()) {
    return internal::DecodeReply<Reply>(request, *result, encoder);
  }
  absl::Status status = request.status();
  if (!status.ok()) return status;
  return absl::FailedPreconditionError(
      "the request has no result: it goes on, or it is for a background job");
}

// Submits a foreground job with this request, waits for it and returns the
// value of its result (Client::Run).
template <typename Reply, typename Request>
absl::StatusOr<Reply> Run(Client& client, StringView task,
                          const Request& request,
                          TypedCallOptions options = {}) {
  const std::shared_ptr<const DataEncoder> encoder = options.encoder;
  // Before the job is on its way.
  absl::Status fits =
      internal::CheckEncoder(encoder.get(), internal::kIsMessage<Reply>);
  if (!fits.ok()) return fits;
  absl::StatusOr<JobSpec> spec = MakeJob(task, request, std::move(options));
  if (!spec.ok()) return spec.status();
  const JobRequest job(*std::move(spec));
  const absl::StatusOr<std::string> result = client.Run(job);
  if (!result.ok()) return result.status();
  return internal::DecodeReply<Reply>(job, *result, encoder.get());
}

// Returns a handler of bytes for a handler of values, for what has no typed
// function of its own, such as JobRetry. The handler returns
// absl::StatusOr<Reply>, or a type that converts to it, and takes one of:
//   (const Request&)
//   (const Request&, JobContext&)
//   (const Request&, JobContext&, const DataHeaders&)  // of the request
// Like Worker::Handler, up to `concurrency` threads call it at once. Returns
// INVALID_ARGUMENT if the encoder, which may be null, does not fit the types.
template <typename Request, typename Reply, typename Handler>
absl::StatusOr<Worker::Handler> TypedHandler(
    Handler handler, std::shared_ptr<const DataEncoder> encoder = nullptr) {
  constexpr bool kWithHeaders =
      std::is_invocable_v<Handler&, Request, JobContext&, const DataHeaders&>;
  constexpr bool kWithContext =
      std::is_invocable_v<Handler&, Request, JobContext&>;
  static_assert(
      kWithHeaders || kWithContext || std::is_invocable_v<Handler&, Request>,
      "The handler takes (const Request&), (const Request&, "
      "JobContext&) or (const Request&, JobContext&, const "
      "DataHeaders&)");
  absl::Status fits =
      internal::CheckEncoder(encoder.get(), internal::kIsMessage<Request>);
  fits.Update(
      internal::CheckEncoder(encoder.get(), internal::kIsMessage<Reply>));
  if (!fits.ok()) return fits;
  return Worker::Handler(
      [handler = std::move(handler), encoder = std::move(encoder)](
          JobContext& job) mutable -> absl::StatusOr<std::string> {
        DataHeaders headers;
        DataContext context;
        context.task = job.job().task();
        context.headers = &headers;
        absl::StatusOr<Request> request =
            DecodeValue<Request>(job.job().data(), encoder.get(), context);
        if (!request.ok()) {
          return internal::AboutData(request.status(), "decode", context,
                                     job.job().connection());
        }
        absl::StatusOr<Reply> reply = absl::UnknownError("");
        if constexpr (kWithHeaders) {
          reply = handler(*std::move(request), job, std::as_const(headers));
        } else if constexpr (kWithContext) {
          reply = handler(*std::move(request), job);
        } else {
          reply = handler(*std::move(request));
        }
        if (!reply.ok()) return reply.status();
        context.direction = DataDirection::kReply;
        context.headers = nullptr;
        absl::StatusOr<std::string> bytes =
            EncodeValue(*reply, encoder.get(), context);
        if (bytes.ok()) return bytes;
        return internal::AboutData(bytes.status(), "encode", context,
                                   job.job().connection());
      });
}

// Registers a task (Worker::Register) with a handler that TypedHandler takes,
// and returns the errors of both.
template <typename Request, typename Reply, typename Handler>
absl::Status Register(Worker& worker, StringView task, Handler handler,
                      TypedTaskOptions options = {}) {
  absl::StatusOr<Worker::Handler> typed = TypedHandler<Request, Reply>(
      std::move(handler), std::move(options.encoder));
  if (!typed.ok()) return typed.status();
  return worker.Register(task, *std::move(typed), std::move(options.task));
}

}  // namespace gearman

#endif  // GEARMAN_SDK_TYPED_JOBS_H_

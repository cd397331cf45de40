#include "gearman/sdk/embedded/peer_link.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "gearman/sdk/embedded/counted_payload.h"
#include "gearman/sdk/embedded/work_meter.h"
#include "gearman/sdk/values/hand_over.h"
#include "gearman/transports/inproc/inproc_stream.h"

namespace gearman {
namespace embedded {
namespace {

// Bytes written to one stream before the others get their turn.
constexpr size_t kWriteBudget = 1 << 20;
// The most pieces in one write.
constexpr size_t kMaxPieces = 64;
// The peer's address for the text command `workers`, whose columns end at
// spaces: "tcp://127.0.0.1:4567" -> "127.0.0.1". A peer in the same process has
// no address and gets the listener's name: "inproc://jobs (client)" ->
// "inproc://jobs".
std::string PeerName(absl::string_view description) {
  absl::string_view name = description;
  if (absl::ConsumeSuffix(&name, kInprocClientSuffix)) {
    const bool fits = std::none_of(name.begin(), name.end(), [](char c) {
      return absl::ascii_isspace(static_cast<unsigned char>(c)) ||
             absl::ascii_iscntrl(static_cast<unsigned char>(c));
    });
    return fits ? std::string(name) : "inproc";
  }
  const size_t scheme_end = description.find("://");
  if (scheme_end == absl::string_view::npos) {
    return std::string(description.substr(0, description.find(' ')));
  }
  absl::string_view host = description.substr(scheme_end + 3);
  host = host.substr(0, host.find(' '));
  const size_t colon = host.rfind(':');
  if (colon == absl::string_view::npos) {
    return std::string(description.substr(0, scheme_end));
  }
  host = host.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  return std::string(host);
}

}  // namespace

PeerLink::PeerLink(std::unique_ptr<Transport> transport, Poller* poller,
                   Poller::Key key, const LinkLimits& limits,
                   ServerEngine* engine)
    : transport_(std::move(transport)),
      poller_(poller),
      key_(key),
      limits_(limits),
      engine_(engine),
      connection_(engine->OnConnect(key, PeerName(transport_->Describe()))),
      codec_(limits.decoder),
      in_line_(key),
      input_stall_(key),
      output_stall_(key) {}

PeerLink::~PeerLink() {
  poller_->Forget(key_);
  transport_->Close();
  engine_->OnDisconnect(connection_);
}

bool PeerLink::Connect() {
  const IoResult result = transport_->Connect();
  connected_ = result.done();
  if (connected_) stream_ = transport_->pieces();
  return connected_ || result.would_block();
}

PeerLink::Progress PeerLink::Read() {
  WorkMeter& meter = engine_->meter();
  for (;;) {
    // First handle the rest of an earlier turn.
    if (!Dispatch()) return Progress::kEnded;
    if (paused_) return Progress::kWaits;
    if (more_to_handle_) return Progress::kMore;
    const size_t handed = internal::TakeWantedPayload(
        stream_, &codec_, [](absl::string_view /*payload*/) {});
    if (handed > 0) {
      bytes_read_ += handed;
      meter.Spend(cost::kRead);
      continue;
    }
    const absl::Span<char> memory = codec_.Prepare();
    Weigh();
    const IoResult result = transport_->Read(memory);
    if (result.would_block()) return Progress::kWaits;
    if (!result.done()) return Progress::kEnded;
    codec_.Commit(result.bytes);
    bytes_read_ += result.bytes;
    meter.Spend(cost::kRead + cost::Bytes(result.bytes));
  }
}

void PeerLink::Weigh() {
  connection_->SetInputBytes(codec_.capacity());
  engine_->Weigh(*connection_);
}

bool PeerLink::Dispatch() {
  WorkMeter& meter = engine_->meter();
  paused_ = false;
  more_to_handle_ = false;
  do {
    if (!connection_->failure().ok()) return false;
    if (Paused()) {
      paused_ = true;
      break;
    }
    if (connection_->busy()) {
      engine_->Continue(connection_);
      continue;
    }
    if (!offer_again_) {
      const wire::DecodeResult result = codec_.Next(&event_);
      if (result == wire::DecodeResult::kNeedMore) break;
      if (result == wire::DecodeResult::kError) return false;
    }
    auto* const packet = std::get_if<wire::ToServer>(&event_);
    offer_again_ = packet != nullptr
                       ? !engine_->OnEvent(connection_, *packet)
                       : !engine_->OnTextLine(
                             connection_, std::get<admin::CommandLine>(event_));
  } while (!meter.UsedUp());
  // The rest may be in the decoder or in the stream.
  more_to_handle_ = meter.UsedUp();
  // A payload that the engine has not taken must not stay until the next
  // packet.
  if (!offer_again_) event_ = PortEvent();
  return connection_->failure().ok();
}

void PeerLink::Write(size_t max_bytes) {
  std::array<absl::string_view, kMaxPieces> pieces;
  more_to_write_ = false;
  while (connected_ && !deaf_ && connection_->NextOutput()) {
    if (max_bytes == 0) {
      more_to_write_ = true;
      return;
    }
    wire::OutputBuffer& output = connection_->output();
    if (const Payload* payload = internal::PayloadToGive(stream_, output)) {
      const size_t size = payload->size();
      internal::Give(stream_, Uncounted(output.TakeFrontPayload()));
      bytes_written_ += size;
      max_bytes -= std::min(max_bytes, size);
      continue;
    }
    const size_t count = output.Gather(absl::MakeSpan(pieces),
                                       /*stop_at_payload=*/stream_ != nullptr);
    const IoResult result =
        transport_->Write(absl::MakeConstSpan(pieces.data(), count));
    if (result.would_block()) break;
    if (!result.done()) {
      deaf_ = true;
      break;
    }
    output.Consume(result.bytes);
    bytes_written_ += result.bytes;
    max_bytes -= std::min(max_bytes, result.bytes);
    engine_->meter().Spend(cost::Bytes(result.bytes));
  }
  while (deaf_ && connection_->NextOutput()) connection_->output().Clear();
  Weigh();
}

bool PeerLink::Flush() {
  Write(kWriteBudget);
  return connection_->failure().ok() &&
         connection_->output_bytes() <= limits_.max_output_bytes;
}

void PeerLink::FlushAll() { Write(std::numeric_limits<size_t>::max()); }

bool PeerLink::ShouldResume() const {
  // Reading resumes when the peer has caught up, not at the first byte that it
  // takes.
  return more_to_write_ ||
         (paused_ && connection_->output_bytes() <= limits_.output_mark / 2);
}

absl::Status PeerLink::UpdateInterest() {
  Interest interest =
      transport_->interest(!deaf_ && connection_->output_bytes() > 0);
  if (paused_ || awaits_connect_) {
    interest.read = false;
    interest.ready_now = false;
  }
  if (awaits_connect_) {
    interest.write = false;
    interest.deadline = absl::InfiniteFuture();
  }
  return poller_->Watch(key_, interest);
}

}  // namespace embedded
}  // namespace gearman

#include "gearman/sdk/embedded/server_link.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "gearman/transports/inproc/inproc_stream.h"

namespace gearman {
namespace embedded {
namespace {

// Bytes read from one stream before the others get their turn.
constexpr size_t kReadBudget = 1 << 20;
// More pieces than this go into the next write.
constexpr size_t kMaxPieces = 64;
// Where a connection is from, for the text command `workers`, whose columns end
// at spaces: "tcp://127.0.0.1:4567" -> "127.0.0.1". Who is in the same process
// has no address: "inproc://jobs (client)" -> "inproc://jobs", the listener's
// name.
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

ServerLink::ServerLink(std::unique_ptr<Transport> transport, Poller* poller,
                       Poller::Key key, const LinkLimits& limits,
                       ServerEngine* engine)
    : transport_(std::move(transport)),
      poller_(poller),
      key_(key),
      limits_(limits),
      engine_(engine),
      connection_(engine->OnConnect(key, PeerName(transport_->Describe()))),
      codec_(limits.decoder),
      input_stall_(key),
      output_stall_(key) {}

ServerLink::~ServerLink() {
  poller_->Forget(key_);
  transport_->Close();
  engine_->OnDisconnect(connection_);
}

bool ServerLink::Connect() {
  const IoResult result = transport_->Connect();
  connected_ = result.done();
  return connected_ || result.would_block();
}

ServerLink::Progress ServerLink::Read() {
  size_t budget = kReadBudget;
  for (;;) {
    // First what is left from before a pause.
    if (!Dispatch()) return Progress::kEnded;
    if (paused_) return Progress::kWaits;
    if (budget == 0) return Progress::kMore;
    const absl::Span<char> memory = codec_.Prepare();
    Weigh();
    const IoResult result = transport_->Read(memory);
    if (result.would_block()) return Progress::kWaits;
    if (!result.done()) return Progress::kEnded;
    codec_.Commit(result.bytes);
    bytes_read_ += result.bytes;
    budget -= std::min(budget, result.bytes);
  }
}

void ServerLink::Weigh() {
  connection_->SetInputBytes(codec_.capacity());
  engine_->Weigh(*connection_);
}

bool ServerLink::Dispatch() {
  paused_ = false;
  for (;;) {
    if (!connection_->failure().ok()) return false;
    if (Paused()) {
      paused_ = true;
      break;
    }
    const wire::DecodeResult result = codec_.Next(&event_);
    if (result == wire::DecodeResult::kNeedMore) break;
    if (result == wire::DecodeResult::kError) return false;
    if (auto* packet = std::get_if<wire::ToServer>(&event_)) {
      engine_->OnEvent(connection_, *packet);
    } else {
      engine_->OnTextLine(connection_, std::get<admin::CommandLine>(event_));
    }
  }
  // A payload that nobody has taken is not to lie there until the next packet.
  event_ = PortEvent();
  return true;
}

bool ServerLink::Flush() {
  wire::OutputBuffer& output = connection_->output();
  std::array<absl::string_view, kMaxPieces> pieces;
  while (connected_ && !deaf_ && !output.empty()) {
    const size_t count = output.Gather(absl::MakeSpan(pieces));
    const IoResult result =
        transport_->Write(absl::MakeConstSpan(pieces.data(), count));
    if (result.would_block()) break;
    if (!result.done()) {
      deaf_ = true;
      break;
    }
    output.Consume(result.bytes);
  }
  if (deaf_) output.Clear();
  Weigh();
  return connection_->failure().ok() &&
         output.size() <= limits_.max_output_bytes;
}

bool ServerLink::ShouldResume() const {
  // Not at the first byte that it takes, but when it has caught up.
  return paused_ && connection_->output().size() <= limits_.output_mark / 2;
}

absl::Status ServerLink::UpdateInterest() {
  Interest interest =
      transport_->interest(!deaf_ && !connection_->output().empty());
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

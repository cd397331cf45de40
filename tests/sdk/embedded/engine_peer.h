// EnginePeer: a connection of a ServerEngine whose other end is the test.
//
//   EnginePeer client(&engine);
//   client.Send(RequestPacket(7, {"f", "u", "data"}));
//   EXPECT_THAT(client.Received(), ElementsAre("JOB_CREATED H:1"));
//
// Not thread-safe. The engine outlives it.
#ifndef GEARMAN_TESTS_SDK_EMBEDDED_ENGINE_PEER_H_
#define GEARMAN_TESTS_SDK_EMBEDDED_ENGINE_PEER_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gearman/codecs/admin/command.h"
#include "gearman/codecs/port_codec.h"
#include "gearman/codecs/wire/command.h"
#include "gearman/codecs/wire/frame_reader.h"
#include "gearman/codecs/wire/message.h"
#include "gearman/codecs/wire/output_buffer.h"
#include "gearman/sdk/embedded/server_engine.h"

namespace gearman {
namespace embedded {

class EnginePeer {
 public:
  explicit EnginePeer(ServerEngine* engine, uint64_t id = 0,
                      absl::string_view from = "test")
      : engine_(engine),
        connection_(engine->OnConnect(id, from)),
        codec_({/*max_packet_bytes=*/1 << 20}) {}
  ~EnginePeer() { Leave(); }
  EnginePeer(const EnginePeer&) = delete;
  EnginePeer& operator=(const EnginePeer&) = delete;

  // The engine gets `bytes` in pieces of at most `chunk`, in as many turns as
  // it takes. False: they are no sound stream, or the engine wants the
  // connection closed.
  bool Send(absl::string_view bytes, size_t chunk = 4096) {
    return Feed(bytes, chunk, /*whole=*/true);
  }
  // Like Send, but only in the turn that the engine's meter measures. If the
  // peer is busy afterwards, its last event is not done and the other events
  // wait.
  bool Begin(absl::string_view bytes) {
    return Feed(bytes, /*chunk=*/1 << 20, /*whole=*/false);
  }
  // Offer and DoStep are like Send, but step by step. Offer lets the engine
  // read some of `bytes` and returns how many. Each DoStep handles one event or
  // a part of one.
  enum class Step { kDone, kNeedsMore, kBroken };
  size_t Offer(absl::string_view bytes) {
    const absl::Span<char> span = codec_.Prepare();
    const size_t size = std::min(span.size(), bytes.size());
    std::memcpy(span.data(), bytes.data(), size);
    codec_.Commit(size);
    return size;
  }
  Step DoStep() {
    if (!connection_->failure().ok()) return Step::kBroken;
    if (!busy()) {
      const wire::DecodeResult result = codec_.Next(&event_);
      if (result == wire::DecodeResult::kNeedMore) return Step::kNeedsMore;
      if (result != wire::DecodeResult::kMessage) return Step::kBroken;
      again_ = true;
    }
    HandleSome();
    return connection_->failure().ok() ? Step::kDone : Step::kBroken;
  }
  // In another turn goes on with what has been sent.
  void Continue() { HandleSome(); }
  bool busy() const { return again_ || connection_->busy(); }

  // The bytes that the engine has for it, which it has read then.
  std::string ReceivedBytes() {
    std::string bytes;
    while (connection_->NextOutput()) {
      wire::OutputBuffer& output = connection_->output();
      std::array<absl::string_view, 8> pieces;
      const size_t count = output.Gather(absl::MakeSpan(pieces));
      size_t size = 0;
      for (size_t i = 0; i < count; ++i) {
        absl::StrAppend(&bytes, pieces[i]);
        size += pieces[i].size();
      }
      output.Consume(size);
    }
    return bytes;
  }

  // Returns the received packets in words: "JOB_ASSIGN H:1|f|data". It does not
  // use the SDK's decoder, so that the real bytes are shown.
  std::vector<std::string> Received() {
    std::vector<std::string> packets;
    const std::string bytes = ReceivedBytes();
    absl::string_view rest = bytes;
    while (rest.size() >= wire::kHeaderBytes &&
           rest.substr(0, 4) == wire::kResponseMagic) {
      const size_t size = std::min<size_t>(Number(rest.substr(8)),
                                           rest.size() - wire::kHeaderBytes);
      std::string body(rest.substr(wire::kHeaderBytes, size));
      std::replace(body.begin(), body.end(), '\0', '|');
      const absl::string_view name = wire::CommandName(Number(rest.substr(4)));
      packets.push_back(body.empty() ? std::string(name)
                                     : absl::StrCat(name, " ", body));
      rest.remove_prefix(wire::kHeaderBytes + size);
    }
    if (!rest.empty()) packets.push_back(absl::StrCat("not a packet: ", rest));
    return packets;
  }

  // Ends the connection.
  void Leave() {
    if (connection_ != nullptr) engine_->OnDisconnect(connection_);
    connection_ = nullptr;
  }

  EngineConnection* connection() { return connection_; }

 private:
  bool Feed(absl::string_view bytes, size_t chunk, bool whole) {
    while (!bytes.empty()) {
      bytes.remove_prefix(Offer(bytes.substr(0, chunk)));
      Step step;
      do {
        if (!whole && busy()) return true;
        step = DoStep();
      } while (step == Step::kDone);
      if (step == Step::kBroken) return false;
    }
    return true;
  }
  // Handles as much of the last event as one turn allows.
  void HandleSome() {
    if (connection_->busy()) return engine_->Continue(connection_);
    auto* const packet = std::get_if<wire::ToServer>(&event_);
    again_ = packet != nullptr
                 ? !engine_->OnEvent(connection_, *packet)
                 : !engine_->OnTextLine(connection_,
                                        std::get<admin::CommandLine>(event_));
  }

  static uint32_t Number(absl::string_view big_endian) {
    uint32_t number = 0;
    for (size_t i = 0; i < 4; ++i) {
      number = number << 8 | static_cast<unsigned char>(big_endian[i]);
    }
    return number;
  }

  ServerEngine* const engine_;
  EngineConnection* connection_;
  PortCodec codec_;
  PortEvent event_;
  // event_ could not be handled in the last turn.
  bool again_ = false;
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_EMBEDDED_ENGINE_PEER_H_

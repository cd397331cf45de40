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

  // The engine gets `bytes` in pieces of at most `chunk`. False: they are no
  // sound stream, or the engine wants the connection closed.
  bool Send(absl::string_view bytes, size_t chunk = 4096) {
    while (!bytes.empty()) {
      const absl::Span<char> span = codec_.Prepare();
      const size_t size = std::min({chunk, span.size(), bytes.size()});
      std::memcpy(span.data(), bytes.data(), size);
      codec_.Commit(size);
      bytes.remove_prefix(size);
      PortEvent event;
      wire::DecodeResult result;
      while ((result = codec_.Next(&event)) == wire::DecodeResult::kMessage) {
        if (auto* packet = std::get_if<wire::ToServer>(&event)) {
          engine_->OnEvent(connection_, *packet);
        } else {
          engine_->OnTextLine(connection_, std::get<admin::CommandLine>(event));
        }
        if (!connection_->failure().ok()) return false;
      }
      if (result != wire::DecodeResult::kNeedMore) return false;
    }
    return true;
  }

  // The bytes that the engine has for it, which it has read then.
  std::string ReceivedBytes() {
    std::string bytes;
    wire::OutputBuffer& output = connection_->output();
    while (!output.empty()) {
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

  // The same as packets in words: "JOB_ASSIGN H:1|f|data". Apart from the SDK's
  // decoder, so that what is really there is shown.
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
};

}  // namespace embedded
}  // namespace gearman

#endif  // GEARMAN_TESTS_SDK_EMBEDDED_ENGINE_PEER_H_

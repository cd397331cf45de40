// Fuzzes a client's reading of a server's text.
#include <algorithm>
#include <cstring>

#include "gearman/codecs/admin/reply.h"
#include "gearman/codecs/admin/reply_decoder.h"
#include "gearman/tests/fuzz/fuzz_target.h"

namespace gearman {
namespace fuzz {

std::vector<std::string> Seeds() {
  return {"f\t1\t0\t2\na\tb\t1\t2\t3\n.\nOK 1.1.20\nOK\r\nOK 77\n",
          "38 127.0.0.1 id with : colons : f g\n35 ::1 - :\n.\nERR X_Y a+b\r\n",
          "ERR UNKNOWN_COMMAND Unknown+server+command\r\nok\n.\n"};
}

}  // namespace fuzz
}  // namespace gearman

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gearman;  // NOLINT
  admin::ReplyDecoderOptions options;
  options.max_reply_bytes = 4096;
  options.max_reply_lines = 512;
  admin::ReplyDecoder decoder(options);
  for (int i = 0; i < 4; ++i) {
    decoder.Expect(admin::ReplyShape::kList);
    decoder.Expect(admin::ReplyShape::kLine);
    decoder.Expect(admin::ReplyShape::kFenced);
  }
  absl::string_view bytes = fuzz::Text(data, size);
  while (!bytes.empty()) {
    const auto span = decoder.Prepare();
    const size_t piece = std::min({span.size(), bytes.size(), size_t{11}});
    std::memcpy(span.data(), bytes.data(), piece);
    decoder.Commit(piece);
    bytes.remove_prefix(piece);
    admin::Reply reply;
    wire::DecodeResult result;
    while ((result = decoder.Next(&reply)) == wire::DecodeResult::kMessage) {
      for (const absl::string_view line : reply.lines) {
        admin::ParseStatusRow(line).status().IgnoreError();
        admin::ParsePriorityStatusRow(line).status().IgnoreError();
        admin::ParseWorkerRow(line).status().IgnoreError();
        admin::ParseJobRow(line).status().IgnoreError();
        admin::ParseLineReply(line);
      }
    }
    if (result == wire::DecodeResult::kError) return 0;
  }
  return 0;
}

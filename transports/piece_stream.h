// PieceStream: a byte stream that passes strings on whole, without a copy.
//
// A piece stands in the order of the stream's bytes. A reader that does not
// take it whole reads its bytes (Transport::Read). Only a stream within one
// process can pass strings on.
#ifndef GEARMAN_TRANSPORTS_PIECE_STREAM_H_
#define GEARMAN_TRANSPORTS_PIECE_STREAM_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "gearman/base/cpp17.h"

namespace gearman {

// A string with one owner, or one that several share (`shared` is set).
struct Piece {
  std::string owned;                          // the string, if it has one owner
  std::shared_ptr<const std::string> shared;  // the string, if it is shared

  // The bytes, and their number. They are valid as long as this object is
  // unchanged.
  absl::string_view view() const {
    const std::string& string = shared != nullptr ? *shared : owned;
    return absl::string_view(string.data(), string.size());
  }
  size_t size() const { return view().size(); }
};

class PieceStream {
 public:
  virtual ~PieceStream() = default;

  // True if Give may be called. False if the stream is full or closed; Write
  // then returns which of the two it is.
  virtual bool CanGive() const = 0;
  // Appends a piece, which must not be empty, behind the bytes written so far.
  // It may be of any size. It is dropped if the peer has closed the stream
  // since CanGive.
  virtual void Give(Piece piece) = 0;
  // Takes the piece that the stream's next bytes are, if it has exactly `bytes`
  // bytes and none of them was read. Returns false otherwise: use Read then.
  virtual bool Take(size_t bytes, Piece* piece) = 0;
};

}  // namespace gearman

#endif  // GEARMAN_TRANSPORTS_PIECE_STREAM_H_

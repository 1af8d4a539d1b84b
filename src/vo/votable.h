// Reads the body of an answer as it arrives, in bounded memory: tells what kind it is and, of a VOTable, how many rows
// it has and how the service says the query went.
//
//   VotableReader reader(options);
//   while (more) { TRY(reader.push(bytes)); }      // an error means: stop the transfer, a limit of ours is reached
//   const VotableSummary summary = reader.finish();
//
// The table that counts is the first one of a RESOURCE of type "results", else the first one of a RESOURCE without a
// type, else the first. Only what cannot be read is a problem; all other breaches of the standard are findings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "vo/votable_summary.h"

namespace parallax::vo {

struct VotableLimits {
  std::uint64_t bytes_max = std::uint64_t{1} << 30;          // as pushed
  std::uint64_t decoded_bytes_max = std::uint64_t{1} << 30;  // after inflating
  std::uint64_t inflate_ratio_max = 200;                     // once over 1 MiB
  std::size_t depth_max = 256;
  std::size_t columns_max = 10'000;
  std::uint64_t rows_max = 100'000'000;
  std::uint64_t cell_bytes_max = std::uint64_t{16} << 20;
};

// What the response header says of the body's coding.
enum class ContentCoding { identity, gzip, deflate };

struct VotableOptions {
  VotableLimits limits;
  ContentCoding coding = ContentCoding::identity;
  std::string content_type;  // tells CSV from text where the bytes do not
};

// Thread safety: one thread.
class VotableReader {
 public:
  explicit VotableReader(VotableOptions options = {});
  ~VotableReader();
  VotableReader(const VotableReader&) = delete;
  VotableReader& operator=(const VotableReader&) = delete;

  // An error (refused) only where one of our limits is reached; everything else is in the summary.
  Result<> push(std::string_view bytes);

  // Call once, after the last push.
  VotableSummary finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The whole of `body` at once.
VotableSummary read_votable(std::string_view body, VotableOptions options = {});

}  // namespace parallax::vo

// Throws mutated bodies at the VOTable reader. The first byte picks the content coding and how the body is cut, so that
// the states between two pushes are reached as well. What must hold beyond "no crash": the reader gives the same answer
// however the body is cut, and its numbers are not absurd.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "vo/describe.h"
#include "vo/verdict.h"
#include "vo/votable.h"

namespace {

using parallax::vo::ContentCoding;
using parallax::vo::VotableOptions;
using parallax::vo::VotableReader;
using parallax::vo::VotableSummary;

VotableSummary read_in_pieces(std::string_view body, const VotableOptions& options, std::size_t piece) {
  VotableReader reader(options);
  for (std::size_t i = 0; i < body.size(); i += piece) {
    if (!reader.push(body.substr(i, piece))) {
      break;
    }
  }
  return reader.finish();
}

// Says what both readings came to before it gives up.
void require(bool condition, const VotableSummary& whole, const VotableSummary& cut) {
  if (!condition) {
    std::cerr << "at once: " << describe(whole).pretty() << "\nin pieces: " << describe(cut).pretty() << '\n';
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  VotableOptions options;
  options.limits.decoded_bytes_max = std::uint64_t{4} << 20;
  options.limits.cell_bytes_max = std::uint64_t{1} << 20;
  constexpr ContentCoding kCodings[] = {ContentCoding::identity, ContentCoding::gzip, ContentCoding::deflate};
  options.coding = kCodings[data[0] % 3];
  const VotableSummary whole = read_in_pieces(body, options, body.size() + 1);
  const VotableSummary cut = read_in_pieces(body, options, 1 + data[0] / 3);
  require(whole.rows >= 0 && whole.columns >= 0, whole, cut);
  require(whole.null_cells <= whole.cells, whole, cut);
  if (whole.problem == parallax::vo::Problem::none) {
    require(whole.rows == cut.rows && whole.columns == cut.columns && whole.status == cut.status, whole, cut);
    require(whole.cells == cut.cells && whole.null_cells == cut.null_cells, whole, cut);
  }
  parallax::vo::ExchangeFacts exchange;
  exchange.http_status = 200;
  require(judge(exchange, whole).verdict == judge(exchange, cut).verdict, whole, cut);
  require(!describe(whole).dump().empty() && !describe_text(whole).empty(), whole, cut);
  return 0;
}

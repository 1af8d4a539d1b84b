#include "vo/votable.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/gzip.h"
#include "codec/xml.h"
#include "vo/other_bodies.h"
#include "vo/problem.h"
#include "vo/sniff.h"
#include "vo/utf8_repair.h"
#include "vo/votable_document.h"

namespace parallax::vo {

namespace {

constexpr int kLayersMax = 3;  // gzip inside a declared gzip is seen; more is an attack

XmlLimits xml_limits(const VotableLimits& limits) {
  XmlLimits xml;
  xml.bytes_max = limits.decoded_bytes_max;
  xml.depth_max = limits.depth_max;
  return xml;
}

InflateLimits inflate_limits(const VotableLimits& limits) {
  InflateLimits inflate;
  inflate.bytes_max = limits.decoded_bytes_max;
  inflate.ratio_max = limits.inflate_ratio_max;
  return inflate;
}

BodyKind kind_of(Sniffed sniffed) {
  switch (sniffed) {
    case Sniffed::xml:
      return BodyKind::xml;
    case Sniffed::html:
      return BodyKind::html;
    case Sniffed::json:
      return BodyKind::json;
    case Sniffed::fits:
      return BodyKind::fits;
    case Sniffed::parquet:
      return BodyKind::parquet;
    case Sniffed::csv:
      return BodyKind::csv;
    case Sniffed::text:
      return BodyKind::text;
    case Sniffed::other:
      return BodyKind::other;
    case Sniffed::undecided:
    case Sniffed::empty:
    case Sniffed::gzip:
      break;
  }
  return BodyKind::empty;
}

bool is_utf8_name(std::string_view encoding) {
  return encoding.empty() || equals_ignore_case(encoding, "utf-8") || equals_ignore_case(encoding, "utf8") ||
         equals_ignore_case(encoding, "us-ascii") || equals_ignore_case(encoding, "ascii");
}

}  // namespace

// One stage of decoding: bytes are inflated for the next stage, or sniffed (and may then turn out to need inflating),
// or are the body itself.
struct Stage {
  std::unique_ptr<Inflater> inflater;  // set: the bytes go through it to `inner`
  std::unique_ptr<Stage> inner;
  bool decided = false;
  std::string head;  // until decided
};

struct VotableReader::State {
  VotableOptions options;
  VotableSummary summary;
  Findings findings;
  std::optional<Error> refused;
  bool ignores_rest = false;  // what it is has been decided and nothing more is to be learned from it

  Stage outer;
  int layers = 0;

  VotableDocument document;
  std::unique_ptr<XmlParser> parser;
  bool repairs = false;
  Utf8Repair repair;
  CsvCounter csv;
  FitsScanner fits;

  explicit State(VotableOptions options_in)
      : options(std::move(options_in)), document(options.limits, summary, findings) {}

  Result<> note(const Error& error);
  Result<> add_layer(Stage& stage, InflateFormat format);
  Result<> take(Stage& stage, std::string_view bytes);
  Result<> take_head(Stage& stage, std::string_view bytes);
  Result<> decide(Stage& stage, Sniffed sniffed);
  Result<> decide_rest(Stage& stage);
  void check_complete(const Stage& stage);
  void finish_parts();
  void start_xml(std::string_view head);
  Result<> take_body(std::string_view bytes);
  Result<> take_xml_result(const Result<>& result);
  void finish_body();
};

VotableReader::VotableReader(VotableOptions options) : state_(std::make_unique<State>(std::move(options))) {
  State& state = *state_;
  if (state.options.coding != ContentCoding::identity) {
    ignore(state.add_layer(state.outer,
                           state.options.coding == ContentCoding::gzip ? InflateFormat::gzip : InflateFormat::deflate),
           "the first layer is always allowed");
  }
}

VotableReader::~VotableReader() = default;

Result<> VotableReader::push(std::string_view bytes) {
  State& state = *state_;
  if (state.refused) {
    return Error(*state.refused);
  }
  state.summary.bytes_in += bytes.size();
  if (state.summary.bytes_in > state.options.limits.bytes_max) {
    Error error =
        make_error(ErrorKind::refused, fmt::format("the body is larger than {} bytes", state.options.limits.bytes_max));
    error.code = "size";
    return state.note(error);
  }
  return state.take(state.outer, bytes);
}

// Notes a problem. Only a refusal is handed to the caller: after anything else the transfer may go on to its end.
Result<> VotableReader::State::note(const Error& error) {
  note_problem(summary, error);
  ignores_rest = true;
  if (error.kind != ErrorKind::refused) {
    return {};
  }
  if (!refused) {
    refused = error;
  }
  return Error(error);
}

Result<> VotableReader::State::add_layer(Stage& stage, InflateFormat format) {
  if (++layers > kLayersMax) {
    Error error = make_error(ErrorKind::refused, fmt::format("compressed more than {} times over", kLayersMax));
    error.code = "inflate-layers";
    return note(error);
  }
  stage.inflater = std::make_unique<Inflater>(format, inflate_limits(options.limits));
  stage.inner = std::make_unique<Stage>();
  return {};
}

Result<> VotableReader::State::take(Stage& stage, std::string_view bytes) {
  if (stage.inflater) {
    if (ignores_rest) {
      return {};
    }
    const Result<> result =
        stage.inflater->push(bytes, [this, &stage](std::string_view piece) { return take(*stage.inner, piece); });
    return result || refused ? result : note(result.error());
  }
  if (stage.decided) {
    return take_body(bytes);
  }
  if (stage.head.empty()) {
    // Blanks before the XML declaration are forbidden and common.
    const std::size_t blanks = std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size());
    if (blanks > 0) {
      findings.add("leading-blanks", [] { return "blanks or empty lines stand before the document"; });
      bytes.remove_prefix(blanks);
      summary.bytes_decoded += blanks;
    }
  }
  return bytes.empty() ? Result<>() : take_head(stage, bytes);
}

Result<> VotableReader::State::take_head(Stage& stage, std::string_view bytes) {
  const std::string_view first = bytes.substr(0, kSniffBytes);
  stage.head += first;
  bytes.remove_prefix(first.size());
  TRY(decide(stage, sniff(stage.head, MoreBytes::may_follow, options.content_type)));
  if (bytes.empty()) {
    return {};
  }
  // sniff() decides on kSniffBytes at the latest, so `stage` is past its head now.
  return take(stage, bytes);
}

Result<> VotableReader::State::decide(Stage& stage, Sniffed sniffed) {
  if (sniffed == Sniffed::undecided || sniffed == Sniffed::empty) {
    return {};
  }
  stage.decided = true;
  const std::string held = std::move(stage.head);
  stage.head.clear();
  if (sniffed == Sniffed::gzip) {
    findings.add("undeclared-gzip", [] { return "the body is compressed by gzip and its header does not say so"; });
    TRY(add_layer(stage, InflateFormat::gzip));
    return take(stage, held);
  }
  summary.kind = kind_of(sniffed);
  summary.head = held.substr(0, kHeadMax);
  if (sniffed == Sniffed::xml) {
    start_xml(held);
  }
  return take_body(held);
}

void VotableReader::State::start_xml(std::string_view head) {
  parser = std::make_unique<XmlParser>(document, xml_limits(options.limits));
  document.attach(*parser);
  const std::string_view encoding = declared_encoding(head);
  const bool is_wide = head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF") || head[0] == '\0' ||
                       (head.size() > 1 && head[1] == '\0');
  repairs = !is_wide && is_utf8_name(encoding);
  if (repairs && !encoding.empty()) {
    parser->set_encoding("UTF-8");  // ASCII with other bytes in it is read as what it most often is
  }
}

Result<> VotableReader::State::take_body(std::string_view bytes) {
  summary.bytes_decoded += bytes.size();
  if (ignores_rest) {
    return {};
  }
  switch (summary.kind) {
    case BodyKind::xml:
    case BodyKind::votable:
      return take_xml_result(parser->push(repairs ? repair.repair(bytes) : bytes));
    case BodyKind::csv:
      csv.push(bytes);
      break;
    case BodyKind::fits:
      fits.push(bytes);
      break;
    default:
      break;
  }
  return {};
}

Result<> VotableReader::State::take_xml_result(const Result<>& result) {
  if (result) {
    return {};
  }
  const Error& error = result.error();
  if (document.root_closed() && error.kind == ErrorKind::corrupt) {
    // The table and its status are complete; what follows them is a blemish.
    findings.add("trailing-content", [&] { return error.message; });
    ignores_rest = true;
    return {};
  }
  return note(error);
}

// Decides on a body too short to have been decided on while more could follow.
Result<> VotableReader::State::decide_rest(Stage& stage) {
  if (stage.inflater) {
    return decide_rest(*stage.inner);
  }
  if (stage.decided) {
    return {};
  }
  TRY(decide(stage, sniff(stage.head, MoreBytes::none, options.content_type)));
  return stage.inflater ? decide_rest(*stage.inner) : Result<>();
}

void VotableReader::State::check_complete(const Stage& stage) {
  if (!stage.inflater) {
    return;
  }
  const Result<> complete = stage.inflater->finish();
  if (!complete && !ignores_rest) {
    ignore(note(complete.error()), "the summary has it");
  }
  if (stage.inflater->has_trailing_garbage()) {
    findings.add("trailing-content", [] { return "something follows the compressed data"; });
  }
  check_complete(*stage.inner);
}

// Damage beats an early end: a parser may hold a bad token back until it is told that nothing follows, and the answer
// must not depend on that.
void VotableReader::State::finish_parts() {
  ignore(decide_rest(outer), "the summary has it");
  Result<> result = parser && !ignores_rest ? parser->finish() : Result<>();
  const bool is_early_end = !result && result.error().code == "xml-truncated";
  if (!is_early_end) {
    ignore(take_xml_result(result), "the summary has it");
  }
  check_complete(outer);
  if (is_early_end && !ignores_rest) {
    ignore(take_xml_result(result), "the summary has it");
  }
}

void VotableReader::State::finish_body() {
  switch (summary.kind) {
    case BodyKind::csv:
      csv.finish();
      summary.serialization = "CSV";
      summary.has_table = true;
      summary.rows = csv.rows();
      summary.columns = csv.columns();
      break;
    case BodyKind::fits:
      summary.serialization = "FITS";
      summary.rows = fits.rows();
      summary.columns = fits.columns();
      summary.has_table = summary.columns > 0;
      if (const Result<> result = fits.finish(); !result) {
        note_problem(summary, result.error());
      }
      break;
    case BodyKind::json:
    case BodyKind::parquet:
      summary.serialization = summary.kind == BodyKind::json ? "JSON" : "Parquet";
      summary.rows_counted = false;
      break;
    default:
      break;
  }
}

VotableSummary VotableReader::finish() {
  State& state = *state_;
  state.finish_parts();
  if (state.parser) {
    state.document.finish();
  } else {
    state.finish_body();
  }
  if (state.repair.bad_bytes() > 0) {
    state.findings.add(
        "bad-text", [] { return "bytes that are not UTF-8 or not allowed in XML"; }, state.repair.bad_bytes());
  }
  state.summary.findings = state.findings.list();
  return std::move(state.summary);
}

VotableSummary read_votable(std::string_view body, VotableOptions options) {
  VotableReader reader(std::move(options));
  ignore(reader.push(body), "a refusal is in the summary");
  return reader.finish();
}

}  // namespace parallax::vo

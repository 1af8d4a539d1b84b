#include "vo/votable_document.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "vo/problem.h"

namespace parallax::vo {

namespace {

constexpr std::size_t kTablesRememberedMax = 64;

std::string attribute_text(const XmlAttributes& attributes, std::string_view name) {
  return std::string(attributes.find(name).value_or("").substr(0, kFieldTextMax));
}

}  // namespace

VotableDocument::VotableDocument(const VotableLimits& limits, VotableSummary& summary, Findings& findings)
    : limits_(limits), summary_(summary), findings_(findings) {}

VotableDocument::Element VotableDocument::classify(std::string_view local) const {
  static constexpr std::pair<std::string_view, Element> kNames[] = {
      {"TD", Element::cell},
      {"TR", Element::row},
      {"FIELD", Element::field},
      {"VALUES", Element::values},
      {"INFO", Element::info},
      {"PARAM", Element::param},
      {"RESOURCE", Element::resource},
      {"TABLE", Element::table},
      {"DATA", Element::data},
      {"TABLEDATA", Element::tabledata},
      {"BINARY", Element::binary},
      {"BINARY2", Element::binary2},
      {"FITS", Element::fits},
      {"STREAM", Element::stream},
      {"DEFINITIONS", Element::definitions},
  };
  for (const auto& [name, element] : kNames) {
    if (name == local) {
      return is_at_home(element) ? element : Element::foreign;
    }
  }
  return Element::foreign;
}

// Whether the element means something inside the one that is open.
bool VotableDocument::is_at_home(Element element) const {
  const Element parent = open_.back();
  switch (element) {
    case Element::cell:
      return parent == Element::row;
    case Element::row:
      return parent == Element::tabledata;
    case Element::field:
    case Element::data:
      return parent == Element::table && !data_seen_;
    case Element::values:
      return parent == Element::field;
    case Element::info:
    case Element::param:
      return parent == Element::votable || parent == Element::resource || parent == Element::definitions ||
             parent == Element::table || parent == Element::data;
    case Element::resource:
    case Element::definitions:
      return parent == Element::votable || parent == Element::resource;
    case Element::table:
      return !in_table_ && (parent == Element::votable || parent == Element::resource);
    case Element::tabledata:
    case Element::binary:
    case Element::binary2:
    case Element::fits:
      return parent == Element::data && !data_seen_;
    case Element::stream:
      return !stream_seen_ && (parent == Element::binary || parent == Element::binary2 || parent == Element::fits);
    case Element::votable:
    case Element::foreign:
      break;
  }
  return false;
}

void VotableDocument::start_element(XmlName name, const XmlAttributes& attributes) {
  if (open_.empty()) {
    start_root(name, attributes);
    return;
  }
  const Element element = open_.back() == Element::foreign ? Element::foreign : classify(name.local);
  open_.push_back(element);
  switch (element) {
    case Element::cell:
      start_cell();
      break;
    case Element::row:
      cells_in_row_ = 0;
      break;
    case Element::resource:
      start_resource(attributes);
      break;
    case Element::info:
    case Element::param:
      start_mark(element, attributes);
      break;
    case Element::table:
      start_table(attributes);
      break;
    case Element::field:
      start_field(attributes);
      break;
    case Element::values:
      if (const auto null_value = attributes.find("null"); null_value && !fields_.empty()) {
        fields_.back().null_value = null_value->substr(0, kFieldTextMax);
        fields_.back().has_null_value = true;
      }
      break;
    case Element::tabledata:
    case Element::binary:
    case Element::binary2:
    case Element::fits:
      start_data(name.local, attributes);
      break;
    case Element::stream:
      start_stream(attributes);
      break;
    default:
      break;
  }
}

void VotableDocument::start_root(XmlName name, const XmlAttributes& attributes) {
  if (name.local != "VOTABLE") {
    summary_.kind = equals_ignore_case(name.local, "html") ? BodyKind::html : BodyKind::xml;
    Error error = make_error(ErrorKind::corrupt, fmt::format("the document is not a VOTable: its root element is '{}'",
                                                             terminal_safe(name.local, 80)));
    error.code = summary_.kind == BodyKind::html ? "html" : "xml";
    parser_->stop(std::move(error));
    return;
  }
  root_seen_ = true;
  open_.push_back(Element::votable);
  summary_.kind = BodyKind::votable;
  summary_.version = attribute_text(attributes, "version");
  const std::string declaration = name.prefix.empty() ? "xmlns" : fmt::format("xmlns:{}", name.prefix);
  const std::size_t count = attributes.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (attributes.name(i) == declaration) {
      summary_.xml_namespace = attributes.value(i).substr(0, kFieldTextMax);
    }
  }
  if (summary_.xml_namespace.empty()) {
    findings_.add("no-namespace", [] { return "the document has no VOTable namespace"; });
  }
}

void VotableDocument::start_resource(const XmlAttributes& attributes) {
  const auto type = attributes.find("type");
  Rank rank = resource_ranks_.empty() ? Rank::untyped_resource : resource_ranks_.back();
  if (type) {
    rank = equals_ignore_case(trim(*type), "results") ? Rank::results_resource : Rank::anywhere;
  }
  resource_ranks_.push_back(rank);
}

void VotableDocument::start_mark(Element element, const XmlAttributes& attributes) {
  // Some answers have the word in ID alone.
  const std::string_view name = attributes.find("name").value_or(attributes.find("ID").value_or(""));
  // A table's own PARAM of that name is a quantity of the table: its positional error, as a rule.
  const Element parent = open_[open_.size() - 2];
  const bool is_quantity = element == Element::param && (parent == Element::table || parent == Element::data);
  in_mark_ = StatusMarks::is_mark(name) && !is_quantity;
  if (in_mark_) {
    mark_name_ = name;
    mark_value_ = attributes.find("value").value_or("").substr(0, kMessageMax);
    mark_content_.clear();
  }
}

void VotableDocument::end_mark() {
  if (!in_mark_) {
    return;
  }
  in_mark_ = false;
  MarkPlace place = MarkPlace::elsewhere;
  if (open_.back() == Element::votable) {
    place = MarkPlace::root;
  } else if (open_.back() == Element::resource) {
    place = MarkPlace::resource;
  } else if (open_.back() == Element::table || open_.back() == Element::data) {
    place = MarkPlace::table;
  }
  marks_.add(mark_name_, mark_value_, mark_content_, place, summary_.rows, findings_);
}

void VotableDocument::start_table(const XmlAttributes& attributes) {
  in_table_ = true;
  rows_known_ = true;
  data_seen_ = false;
  stream_seen_ = false;
  fields_.clear();
  rules_.clear();
  table_id_ = attribute_text(attributes, "ID");
  table_reference_ = attribute_text(attributes, "ref");
  rows_announced_.reset();
  const std::string_view announced = trim(attributes.find("nrows").value_or(""));
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(announced.data(), announced.data() + announced.size(), value);
  if (!announced.empty() && parsed.ec == std::errc()) {
    rows_announced_ = value;
  }
  const Rank rank = resource_ranks_.empty() ? Rank::anywhere : resource_ranks_.back();
  counting_ = rank > best_rank_;
  if (!counting_) {
    findings_.add("more-tables", [] { return "there is more than one table; one of them is counted"; });
    return;
  }
  best_rank_ = rank;
  marks_.restart_rows();
  summary_.has_table = true;
  summary_.rows = summary_.columns = 0;
  summary_.cells = summary_.null_cells = summary_.bad_cells = 0;
  summary_.serialization.clear();
  summary_.rows_counted = true;
  summary_.fields.clear();
}

void VotableDocument::start_field(const XmlAttributes& attributes) {
  if (fields_.size() == limits_.columns_max) {
    refuse("columns", fmt::format("a table has more than {} columns", limits_.columns_max));
    return;
  }
  Field field;
  field.name = attribute_text(attributes, "name");
  field.id = attribute_text(attributes, "ID");
  field.datatype = attribute_text(attributes, "datatype");
  field.arraysize = attribute_text(attributes, "arraysize");
  field.ucd = attribute_text(attributes, "ucd");
  field.unit = attribute_text(attributes, "unit");
  field.xtype = attribute_text(attributes, "xtype");
  const ArrayShape shape = parse_arraysize(field.arraysize);
  if (parse_datatype(field.datatype) == Datatype::unknown) {
    findings_.add("unknown-datatype", [&] {
      return fmt::format("field '{}' has the datatype '{}'", terminal_safe(field.name, 80),
                         terminal_safe(field.datatype, 40));
    });
  }
  if (!shape.valid) {
    findings_.add("bad-arraysize", [&] {
      return fmt::format("field '{}' has the arraysize '{}'", terminal_safe(field.name, 80),
                         terminal_safe(field.arraysize, 40));
    });
  } else if (!shape.is_variable && fixed_bytes(parse_datatype(field.datatype), shape.count) > limits_.cell_bytes_max) {
    refuse("cell-size",
           fmt::format("field '{}' has the arraysize '{}': more than {} bytes a cell", terminal_safe(field.name, 80),
                       terminal_safe(field.arraysize, 40), limits_.cell_bytes_max));
    return;
  }
  fields_.push_back(std::move(field));
}

void VotableDocument::start_data(std::string_view serialization, const XmlAttributes& attributes) {
  data_seen_ = true;
  if (fields_.empty() && !table_reference_.empty()) {
    if (const auto found = fields_by_table_.find(table_reference_); found != fields_by_table_.end()) {
      fields_ = found->second;
    }
  }
  if (!counting_) {
    return;
  }
  summary_.serialization = serialization;
  summary_.columns = static_cast<std::int64_t>(fields_.size());
  for (const Field& field : fields_) {
    rules_.emplace_back(field);
  }
  if (serialization == "FITS") {
    rows_known_ = false;  // until there is a stream
    const std::string_view extension = trim(attributes.find("extnum").value_or(""));
    fits_extension_ = 0;
    std::from_chars(extension.data(), extension.data() + extension.size(), fits_extension_);
  }
}

void VotableDocument::start_stream(const XmlAttributes& attributes) {
  stream_seen_ = true;
  if (!counting_) {
    return;
  }
  if (attributes.find("href")) {
    rows_known_ = false;
    findings_.add("remote-stream", [&] {
      return fmt::format("the rows are elsewhere and were not fetched: {}",
                         terminal_safe(attributes.find("href").value_or(""), 300));
    });
    return;
  }
  if (fields_.empty() && summary_.serialization != "FITS") {
    return;
  }
  auto content = make_content();
  if (!content) {
    take_stream_result(std::move(content).error());
    return;
  }
  rows_known_ = true;
  const std::string_view encoding = attributes.find("encoding").value_or("base64");
  if (encoding.find("base64") == std::string_view::npos) {
    findings_.add("stream-encoding", [&] {
      return fmt::format("STREAM has the encoding '{}'; its text is read as base64", terminal_safe(encoding, 40));
    });
  }
  const bool is_gzip = encoding.find("gzip") != std::string_view::npos;
  InflateLimits inflate_limits;
  inflate_limits.bytes_max = limits_.decoded_bytes_max;
  inflate_limits.ratio_max = limits_.inflate_ratio_max;
  stream_.emplace(std::move(content).value(), is_gzip ? StreamPacking::gzip : StreamPacking::plain, inflate_limits);
}

Result<TableStream::Content> VotableDocument::make_content() const {
  if (summary_.serialization == "FITS") {
    return TableStream::Content(FitsScanner(fits_extension_));
  }
  const NullMask mask = summary_.serialization == "BINARY2" ? NullMask::before_each_row : NullMask::none;
  auto rows = BinaryRows::make(fields_, mask, {limits_.cell_bytes_max, limits_.rows_max});
  if (!rows) {
    return std::move(rows).error();
  }
  return TableStream::Content(std::move(rows).value());
}

// What the stream has told so far. Cells inside FITS are not looked at.
void VotableDocument::take_counts() {
  if (const auto* rows = std::get_if<BinaryRows>(&stream_->content())) {
    summary_.rows = static_cast<std::int64_t>(rows->rows());
    summary_.cells = rows->cells();
    summary_.null_cells = rows->null_cells();
    return;
  }
  const auto& fits = std::get<FitsScanner>(stream_->content());
  summary_.rows = fits.rows();
  if (static_cast<std::uint64_t>(summary_.rows) > limits_.rows_max) {
    refuse("rows", fmt::format("more than {} rows", limits_.rows_max));
  }
}

// Keeps what has been counted, and the problem if there is one. The document is read on after a broken stream: a status
// may follow.
void VotableDocument::take_stream_result(const Result<>& result) {
  if (stream_) {
    take_counts();
  }
  if (result) {
    return;
  }
  stream_.reset();
  rows_known_ = false;
  if (result.error().kind == ErrorKind::refused) {
    parser_->stop(Error(result.error()));
  } else {
    note_problem(summary_, result.error());
  }
}

void VotableDocument::end_stream() {
  if (stream_) {
    take_stream_result(stream_->finish());
    if (const auto* fits = stream_ ? std::get_if<FitsScanner>(&stream_->content()) : nullptr) {
      const std::int64_t columns = fits->columns();
      const auto fields = static_cast<std::int64_t>(fields_.size());
      if (columns != fields) {
        findings_.add("fits-fields", [&] {
          return fmt::format("the FITS table has {} columns for {} fields of the document", columns, fields);
        });
      }
    }
    stream_.reset();
  }
}

void VotableDocument::start_cell() {
  cell_.clear();
}

void VotableDocument::end_cell() {
  if (counting_ && cells_in_row_ < rules_.size()) {
    const CellState state = judge_cell(rules_[cells_in_row_], cell_);
    ++summary_.cells;
    summary_.null_cells += state == CellState::null ? 1 : 0;
    summary_.bad_cells += state == CellState::bad ? 1 : 0;
  }
  ++cells_in_row_;
}

void VotableDocument::end_row() {
  if (!counting_) {
    return;
  }
  if (rules_.empty()) {
    findings_.add("rows-without-fields", [] { return "the table has rows but no FIELD; they are not counted"; });
    return;
  }
  ++summary_.rows;
  if (cells_in_row_ != rules_.size()) {
    findings_.add("cell-count", [&] {
      return fmt::format("row {} has {} cells for {} fields", summary_.rows, cells_in_row_, rules_.size());
    });
  }
  if (static_cast<std::uint64_t>(summary_.rows) > limits_.rows_max) {
    refuse("rows", fmt::format("more than {} rows", limits_.rows_max));
  }
}

void VotableDocument::end_element(XmlName /*name*/) {
  const Element element = open_.back();
  open_.pop_back();
  switch (element) {
    case Element::cell:
      end_cell();
      break;
    case Element::row:
      end_row();
      break;
    case Element::resource:
      resource_ranks_.pop_back();
      break;
    case Element::info:
    case Element::param:
      end_mark();
      break;
    case Element::table:
      end_table();
      break;
    case Element::stream:
      end_stream();
      break;
    default:
      break;
  }
}

void VotableDocument::end_table() {
  in_table_ = false;
  if (fields_.empty() && !table_reference_.empty()) {
    if (const auto found = fields_by_table_.find(table_reference_); found != fields_by_table_.end()) {
      fields_ = found->second;
    }
  }
  if (!table_id_.empty() && fields_by_table_.size() < kTablesRememberedMax &&
      fields_remembered_ + fields_.size() <= limits_.columns_max) {
    fields_remembered_ += fields_.size();
    fields_by_table_.emplace(table_id_, fields_);
  }
  if (!counting_) {
    return;
  }
  counting_ = false;
  if (summary_.serialization == "FITS" && !stream_seen_) {
    findings_.add("fits-not-counted", [] { return "the rows are said to be in FITS form, and no STREAM has them"; });
  }
  summary_.rows_counted = rows_known_;
  summary_.columns = static_cast<std::int64_t>(fields_.size());
  if (rows_known_ && rows_announced_ && *rows_announced_ != static_cast<std::uint64_t>(summary_.rows)) {
    findings_.add("nrows", [&] {
      return fmt::format("the table says nrows={} and has {} rows", *rows_announced_, summary_.rows);
    });
  }
  summary_.fields = std::move(fields_);
}

void VotableDocument::text(std::string_view piece) {
  if (open_.empty()) {
    return;
  }
  switch (open_.back()) {
    case Element::cell:
      if (counting_) {
        cell_ += piece;
        if (cell_.size() > limits_.cell_bytes_max) {
          refuse("cell-size", fmt::format("a cell is longer than {} bytes", limits_.cell_bytes_max));
        }
      }
      break;
    case Element::stream:
      if (stream_) {
        take_stream_result(stream_->push(piece));
      }
      break;
    case Element::info:
    case Element::param:
      if (in_mark_ && mark_content_.size() < kMessageMax) {
        mark_content_ += piece.substr(0, kMessageMax);
      }
      break;
    default:
      break;
  }
}

void VotableDocument::refuse(std::string code, std::string message) {
  Error error = make_error(ErrorKind::refused, std::move(message));
  error.code = std::move(code);
  parser_->stop(std::move(error));
}

void VotableDocument::finish() {
  if (in_table_ && counting_) {  // the document broke off inside it
    if (stream_) {
      take_stream_result({});
    }
    rows_announced_.reset();
    end_table();
  }
  if (in_mark_) {
    marks_.add(mark_name_, mark_value_, mark_content_, MarkPlace::elsewhere, summary_.rows, findings_);
  }
  if (summary_.bad_cells > 0) {
    findings_.add(
        "bad-cell", [] { return "cells are no value of their type"; }, summary_.bad_cells);
  }
  std::move(marks_).conclude(summary_, findings_);
}

}  // namespace parallax::vo

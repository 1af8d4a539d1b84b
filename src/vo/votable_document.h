// The structure of a VOTable document, as the XML parser tells it: finds the table that counts, its fields and rows,
// and the status marks. Elements are matched by local name in the places where they mean something; everything else is
// skipped with all that is in it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/xml.h"
#include "vo/cell_text.h"
#include "vo/status_marks.h"
#include "vo/table_stream.h"
#include "vo/votable.h"
#include "vo/votable_summary.h"

namespace parallax::vo {

// Thread safety: one thread.
class VotableDocument : public XmlHandler {
 public:
  VotableDocument(const VotableLimits& limits, VotableSummary& summary, Findings& findings);

  // The parser that calls this handler, for giving up. Must outlive the parsing.
  void attach(XmlParser& parser) { parser_ = &parser; }

  void start_element(XmlName name, const XmlAttributes& attributes) override;
  void end_element(XmlName name) override;
  void text(std::string_view piece) override;

  bool root_seen() const { return root_seen_; }

  bool root_closed() const { return root_seen_ && open_.empty(); }

  // Completes the summary; also after a document that broke off.
  void finish();

 private:
  // A table's standing: a higher one displaces what has been counted.
  enum class Rank : std::uint8_t { none, anywhere, untyped_resource, results_resource };

  // clang-format off
  enum class Element : std::uint8_t {
    foreign, votable, resource, definitions, info, param, table, field, values, data, tabledata, row, cell,
    binary, binary2, fits, stream,
  };
  // clang-format on

  Element classify(std::string_view local) const;
  bool is_at_home(Element element) const;
  void start_root(XmlName name, const XmlAttributes& attributes);
  void start_resource(const XmlAttributes& attributes);
  void start_mark(Element element, const XmlAttributes& attributes);
  void end_mark();
  void start_table(const XmlAttributes& attributes);
  void end_table();
  void start_field(const XmlAttributes& attributes);
  void start_data(std::string_view serialization, const XmlAttributes& attributes);
  void start_stream(const XmlAttributes& attributes);
  Result<TableStream::Content> make_content() const;
  void take_counts();
  void end_stream();
  void take_stream_result(const Result<>& result);
  void start_cell();
  void end_cell();
  void end_row();
  void refuse(std::string code, std::string message);

  const VotableLimits& limits_;
  VotableSummary& summary_;
  Findings& findings_;
  XmlParser* parser_ = nullptr;

  std::vector<Element> open_;
  std::vector<Rank> resource_ranks_;  // of the open RESOURCEs
  bool root_seen_ = false;
  StatusMarks marks_;

  // The INFO or PARAM that is open, if it is a mark.
  bool in_mark_ = false;
  std::string mark_name_;
  std::string mark_value_;
  std::string mark_content_;

  // The TABLE that is open.
  bool in_table_ = false;
  bool counting_ = false;  // its rows are the ones that count, so far
  Rank best_rank_ = Rank::none;
  std::string table_id_;
  std::string table_reference_;
  std::optional<std::uint64_t> rows_announced_;
  std::vector<Field> fields_;
  std::map<std::string, std::vector<Field>, std::less<>> fields_by_table_;
  std::size_t fields_remembered_ = 0;

  // Its data.
  bool rows_known_ = true;  // false: remote, broken, or FITS without a stream
  bool data_seen_ = false;  // one DATA counts, with one form in it; fields after it do not
  bool stream_seen_ = false;
  std::uint64_t fits_extension_ = 0;
  std::vector<CellRule> rules_;  // they look into fields_, which stays as it is while there are rules
  std::size_t cells_in_row_ = 0;
  std::string cell_;
  std::optional<TableStream> stream_;
};

}  // namespace parallax::vo

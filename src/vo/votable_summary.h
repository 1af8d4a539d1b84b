// What is found in the body of an answer: the nouns shared by the VOTable reader and whoever judges or shows its
// result.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parallax::vo {

// Told by the bytes of the body, never by its Content-Type.
enum class BodyKind { empty, votable, xml, html, json, text, csv, fits, parquet, other };
std::string_view to_string(BodyKind kind);  // "votable", "html", ...

// A remark on the answer: a breach of a rule that did not keep us from reading it. Codes are stable words; each appears
// once, with how often it was met and a message for the first time.
struct Finding {
  std::string code;
  std::string message;
  std::uint64_t count = 1;
};

class Findings {
 public:
  // `message` is a callable that makes the text; it is called only for the first finding of its code.
  template <typename Message>
  void add(std::string_view code, Message message, std::uint64_t count = 1) {
    for (Finding& finding : list_) {
      if (finding.code == code) {
        finding.count += count;
        return;
      }
    }
    list_.push_back({std::string(code), message(), count});
  }

  bool has(std::string_view code) const;

  const std::vector<Finding>& list() const { return list_; }

 private:
  std::vector<Finding> list_;  // few: codes are constants of ours
};

// One FIELD; texts are cut to kFieldTextMax.
struct Field {
  std::string name;
  std::string id;
  std::string datatype;
  std::string arraysize;
  std::string ucd;
  std::string unit;
  std::string xtype;
  std::string null_value;  // VALUES null=
  bool has_null_value = false;
};

inline constexpr std::size_t kFieldTextMax = 256;

// An INFO or PARAM that says how the query went.
struct StatusMark {
  std::string value;    // as written for QUERY_STATUS; "Error" for the mark of Simple Cone Search
  std::string message;  // the text that came with it, cut to kMessageMax
  std::int64_t rows_before = 0;
  bool is_cone_error = false;
};

inline constexpr std::size_t kMessageMax = 8192;

// Why the body could not be read to its end.
enum class Problem {
  none,
  not_votable,  // not a VOTable at all, or damaged in the middle
  truncated,    // it ends early
  refused,      // one of our limits
};
std::string_view to_string(Problem problem);

struct VotableSummary {
  BodyKind kind = BodyKind::empty;
  bool has_table = false;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  bool rows_counted = true;   // false: JSON, Parquet, remote or FITS streams; rows is 0 then
  std::string serialization;  // "TABLEDATA", "BINARY", "BINARY2", "FITS", "CSV"; "" without data

  std::string status;             // "OK", "OVERFLOW", "ERROR", "" where nothing is said
  std::string message;            // what came with the status
  std::vector<StatusMark> marks;  // all, in document order

  std::string version;
  std::string xml_namespace;
  std::vector<Field> fields;

  std::uint64_t cells = 0;
  std::uint64_t null_cells = 0;  // null, empty, or NaN
  std::uint64_t bad_cells = 0;   // TABLEDATA cells that are no value of their type

  std::uint64_t bytes_in = 0;       // as pushed
  std::uint64_t bytes_decoded = 0;  // after content coding and undeclared gzip
  std::string head;                 // the first decoded bytes, at most kHeadMax

  std::vector<Finding> findings;
  Problem problem = Problem::none;
  std::string problem_code;
  std::string problem_text;
};

inline constexpr std::size_t kHeadMax = 1024;

}  // namespace parallax::vo

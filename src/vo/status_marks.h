// How a service says that a query went: INFO or PARAM elements named QUERY_STATUS (DALI 1.1, section 5.4) or "Error"
// (Simple Cone Search 1.03, section 2), in all the places and spellings that services use.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "vo/votable_summary.h"

namespace parallax::vo {

enum class MarkPlace { root, resource, table, elsewhere };

class StatusMarks {
 public:
  // Whether an INFO or PARAM of this name is a mark.
  static bool is_mark(std::string_view name);

  // `value` is the attribute, `content` the text of the element; `rows` how many have been counted so far.
  void add(std::string_view name, std::string_view value, std::string_view content, MarkPlace place, std::int64_t rows,
           Findings& findings);

  // Another table is counted from now on: what has been said so far came before its first row.
  void restart_rows();

  // Sets status, message and marks. The last QUERY_STATUS wins; an Error mark of a cone search beats every OK unless
  // rows follow it.
  void conclude(VotableSummary& summary, Findings& findings) &&;

 private:
  std::vector<StatusMark> marks_;
};

}  // namespace parallax::vo

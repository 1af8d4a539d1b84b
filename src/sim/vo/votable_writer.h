// Writes a VOTable 1.4 for the sample services. It shares nothing with any reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace parallax::sim {

enum class Serialization { tabledata, binary, binary2 };

std::string_view to_string(Serialization serialization);  // "TABLEDATA", "BINARY", "BINARY2"

// NULL is an absent value.
using TableCell = std::variant<std::monostate, std::int32_t, double, std::string>;

struct TableColumn {
  enum class Type { integer, real, text };

  std::string name;
  Type type = Type::text;
  std::string unit, ucd, description;
};

struct TableDocument {
  std::vector<TableColumn> columns;
  std::vector<std::vector<TableCell>> rows;
  Serialization serialization = Serialization::tabledata;
  bool overflow = false;  // says so after the table, as DALI asks
};

std::string write_table(const TableDocument& document);

// A document that reports an error: INFO name="Error" (simple cone search) or QUERY_STATUS=ERROR (DALI).
enum class ErrorForm { cone_search, dali };
std::string write_error(ErrorForm form, std::string_view message);

}  // namespace parallax::sim

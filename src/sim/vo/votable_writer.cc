#include "sim/vo/votable_writer.h"

#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "base/check.h"
#include "codec/base64.h"

namespace parallax::sim {

namespace {

constexpr std::string_view kHead =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n";
constexpr std::size_t kBase64Line = 76;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // A control character cannot be in XML 1.0 at all.
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string_view datatype(TableColumn::Type type) {
  switch (type) {
    case TableColumn::Type::integer:
      return "datatype=\"int\"";
    case TableColumn::Type::real:
      return "datatype=\"double\"";
    case TableColumn::Type::text:
      break;
  }
  return "datatype=\"char\" arraysize=\"*\"";
}

std::string write_field(const TableColumn& column) {
  std::string field = fmt::format("<FIELD name=\"{}\" {}", escaped(column.name), datatype(column.type));
  if (!column.unit.empty()) {
    field += fmt::format(" unit=\"{}\"", escaped(column.unit));
  }
  if (!column.ucd.empty()) {
    field += fmt::format(" ucd=\"{}\"", escaped(column.ucd));
  }
  return field + fmt::format("><DESCRIPTION>{}</DESCRIPTION></FIELD>\n", escaped(column.description));
}

std::string cell_text(const TableCell& cell) {
  if (const auto* integer = std::get_if<std::int32_t>(&cell)) {
    return std::to_string(*integer);
  }
  if (const auto* real = std::get_if<double>(&cell)) {
    return fmt::format("{}", *real);
  }
  const auto* text = std::get_if<std::string>(&cell);
  return text == nullptr ? "" : escaped(*text);
}

void append_big_endian(std::string& bytes, std::uint64_t value, unsigned size) {
  for (unsigned i = size; i > 0; --i) {
    bytes += static_cast<char>((value >> (8 * (i - 1))) & 0xFFU);
  }
}

void append_cell(std::string& bytes, const TableColumn& column, const TableCell& cell) {
  if (column.type == TableColumn::Type::integer) {
    const auto* integer = std::get_if<std::int32_t>(&cell);
    append_big_endian(bytes, integer == nullptr ? 0 : static_cast<std::uint32_t>(*integer), 4);
  } else if (column.type == TableColumn::Type::real) {
    const auto* real = std::get_if<double>(&cell);
    append_big_endian(bytes, std::bit_cast<std::uint64_t>(real == nullptr ? std::nan("") : *real), 8);
  } else {
    const auto* text = std::get_if<std::string>(&cell);
    const std::string_view value = text == nullptr ? std::string_view() : *text;
    append_big_endian(bytes, value.size(), 4);
    bytes += value;
  }
}

std::string binary_rows(const TableDocument& document) {
  std::string bytes;
  for (const auto& row : document.rows) {
    CHECK(row.size() == document.columns.size());
    if (document.serialization == Serialization::binary2) {
      // One bit a column, the first column in the highest bit: set where the value is NULL.
      std::string mask((row.size() + 7) / 8, '\0');
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (std::holds_alternative<std::monostate>(row[i])) {
          mask[i / 8] = static_cast<char>(static_cast<unsigned char>(mask[i / 8]) | (0x80U >> (i % 8)));
        }
      }
      bytes += mask;
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
      append_cell(bytes, document.columns[i], row[i]);
    }
  }
  return bytes;
}

std::string write_data(const TableDocument& document) {
  if (document.serialization == Serialization::tabledata) {
    std::string data = "<DATA><TABLEDATA>\n";
    for (const auto& row : document.rows) {
      data += "<TR>";
      for (const TableCell& cell : row) {
        data += "<TD>" + cell_text(cell) + "</TD>";
      }
      data += "</TR>\n";
    }
    return data + "</TABLEDATA></DATA>\n";
  }
  const std::string name(to_string(document.serialization));
  const std::string encoded = base64_encode(binary_rows(document));
  std::string data = "<DATA><" + name + "><STREAM encoding=\"base64\">\n";
  for (std::size_t at = 0; at < encoded.size(); at += kBase64Line) {
    data += encoded.substr(at, kBase64Line) + "\n";
  }
  return data + "</STREAM></" + name + "></DATA>\n";
}

}  // namespace

std::string_view to_string(Serialization serialization) {
  switch (serialization) {
    case Serialization::tabledata:
      return "TABLEDATA";
    case Serialization::binary:
      return "BINARY";
    case Serialization::binary2:
      break;
  }
  return "BINARY2";
}

std::string write_table(const TableDocument& document) {
  std::string text(kHead);
  text += "<RESOURCE type=\"results\">\n<INFO name=\"QUERY_STATUS\" value=\"OK\"/>\n<TABLE name=\"stars\">\n";
  for (const TableColumn& column : document.columns) {
    text += write_field(column);
  }
  text += write_data(document) + "</TABLE>\n";
  if (document.overflow) {
    text += "<INFO name=\"QUERY_STATUS\" value=\"OVERFLOW\"/>\n";
  }
  return text + "</RESOURCE>\n</VOTABLE>\n";
}

std::string write_error(ErrorForm form, std::string_view message) {
  std::string text(kHead);
  if (form == ErrorForm::cone_search) {
    return text + fmt::format("<INFO ID=\"Error\" name=\"Error\" value=\"{}\"/>\n</VOTABLE>\n", escaped(message));
  }
  return text + fmt::format(
                    "<RESOURCE type=\"results\">\n<INFO name=\"QUERY_STATUS\" value=\"ERROR\">{}</INFO>\n"
                    "</RESOURCE>\n</VOTABLE>\n",
                    escaped(message));
}

}  // namespace parallax::sim

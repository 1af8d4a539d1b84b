#include "sim/vo/case_documents.h"

#include "base/check.h"

namespace parallax::sim {

std::string stars_document(Serialization serialization, Ucds ucds, int rows) {
  using Type = TableColumn::Type;
  const bool is_old = ucds == Ucds::old_style;
  TableDocument document;
  document.serialization = serialization;
  document.columns = {
      {"id", Type::text, "", is_old ? "ID_MAIN" : "meta.id;meta.main", "Name"},
      {"ra", Type::real, "deg", is_old ? "POS_EQ_RA_MAIN" : "pos.eq.ra;meta.main", "Right ascension"},
      {"dec", Type::real, "deg", is_old ? "POS_EQ_DEC_MAIN" : "pos.eq.dec;meta.main", "Declination"},
      {"note", Type::text, "", "meta.note", "NULL in the second row"},
      {"parts", Type::integer, "", "meta.number", "Stars in the system"},
  };
  document.rows = {
      {std::string("Alpha"), 101.25, -16.5, std::string("bright & blue"), 2},
      {std::string("Beta"), 101.5, -16.25, std::monostate(), 1},
      {std::string("Gamma"), 101.75, -16.125, std::string("far"), 3},
  };
  CHECK(rows >= 0 && rows <= kCaseRows);
  document.rows.resize(static_cast<std::size_t>(rows));
  return write_table(document);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  CHECK(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

std::string votable(std::string_view inside) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n" +
         std::string(inside) + "</VOTABLE>\n";
}

}  // namespace parallax::sim

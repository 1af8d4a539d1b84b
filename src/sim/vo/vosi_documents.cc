#include "sim/vo/vosi_documents.h"

#include <fmt/format.h>

#include "base/text.h"

namespace parallax::sim {

namespace {

// The host of a request is foreign text.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : terminal_safe(text)) {
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '"' ? "&quot;" : std::string(1, c);
  }
  return out;
}

std::string capability(std::string_view id, std::string_view url) {
  return fmt::format(
      "<capability standardID=\"{}\"><interface role=\"std\" xsi:type=\"vs:ParamHTTP\">"
      "<accessURL use=\"full\">{}</accessURL></interface></capability>\n",
      id, url);
}

std::string column(std::string_view name, std::string_view type, std::string_view ucd, std::string_view unit) {
  return fmt::format(
      "<column><name>{}</name><unit>{}</unit><ucd>{}</ucd><dataType "
      "xsi:type=\"vs:VOTableType\"{}>{}</dataType></column>\n",
      name, unit, ucd, type == "char" ? " arraysize=\"*\"" : "", type);
}

}  // namespace

std::string capabilities_document(std::string_view base, std::int64_t rows_max) {
  const std::string url = escaped(base);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<vosi:capabilities xmlns:vosi=\"http://www.ivoa.net/xml/VOSICapabilities/v1.0\" "
         "xmlns:vs=\"http://www.ivoa.net/xml/VODataService/v1.1\" xmlns:tr=\"http://www.ivoa.net/xml/TAPRegExt/v1.0\" "
         "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n" +
         fmt::format(
             "<capability standardID=\"ivo://ivoa.net/std/TAP\" xsi:type=\"tr:TableAccess\">"
             "<interface role=\"std\" version=\"1.1\" xsi:type=\"vs:ParamHTTP\"><accessURL "
             "use=\"base\">{0}</accessURL></interface>\n"
             "<language><name>ADQL</name><version ivo-id=\"ivo://ivoa.net/std/ADQL#v2.0\">2.0</version></language>\n"
             "<outputFormat><mime>application/x-votable+xml</mime></outputFormat>\n"
             "<outputLimit><default unit=\"row\">{1}</default></outputLimit></capability>\n",
             url, rows_max) +
         capability("ivo://ivoa.net/std/VOSI#capabilities", url + "/capabilities") +
         capability("ivo://ivoa.net/std/VOSI#availability", url + "/availability") +
         capability("ivo://ivoa.net/std/VOSI#tables", url + "/tables") + "</vosi:capabilities>\n";
}

std::string availability_document(Instant up_since) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<vosi:availability xmlns:vosi=\"http://www.ivoa.net/xml/VOSIAvailability/v1.0\">\n"
      "<vosi:available>true</vosi:available>\n<vosi:upSince>{}</vosi:upSince>\n</vosi:availability>\n",
      to_iso8601(up_since));
}

std::string tables_document() {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<vosi:tableset xmlns:vosi=\"http://www.ivoa.net/xml/VOSITables/v1.0\" "
         "xmlns:vs=\"http://www.ivoa.net/xml/VODataService/v1.1\" "
         "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n"
         "<schema><name>default</name>\n<table><name>stars</name>"
         "<description>The hundred brightest stars</description>\n" +
         column("id", "char", "meta.id;meta.main", "") + column("ra", "double", "pos.eq.ra;meta.main", "deg") +
         column("dec", "double", "pos.eq.dec;meta.main", "deg") + column("name", "char", "meta.id", "") +
         column("vmag", "double", "phot.mag;em.opt.V", "mag") + column("hip", "int", "meta.id", "") +
         column("bayer", "char", "meta.id", "") + "</table></schema>\n</vosi:tableset>\n";
}

}  // namespace parallax::sim

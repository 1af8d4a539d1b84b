// Throws bytes at the codecs that read what clients and services send. The first byte picks one. What must hold beyond
// "no crash": what was read and written reads the same again, and the two XML readers agree.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "codec/xml.h"
#include "codec/xml_scan.h"
#include "http/url.h"

namespace {

using parallax::Json;
using parallax::Result;
using parallax::XmlAttributes;
using parallax::XmlName;

void require(bool condition, std::string_view what) {
  if (!condition) {
    std::cerr << what << '\n';
    std::abort();
  }
}

void read_json(std::string_view text) {
  const Result<Json> value = parallax::parse_json(text);
  if (value) {
    const Result<Json> again = parallax::parse_json(value->dump());
    require(again.has_value() && *again == *value, "JSON reads differently when written");
    require(parallax::parse_json(value->pretty()).value() == *value, "JSON reads differently when written for people");
  }
}

class Transcript final : public parallax::XmlHandler {
 public:
  void start_element(XmlName name, const XmlAttributes& /*attributes*/) override { add("(", name); }

  void end_element(XmlName name) override { add(")", name); }

  void text(std::string_view piece) override {
    out += in_text_ ? "" : "'";
    out += piece;
    in_text_ = true;
  }

  std::string out;
  bool stop = false;

 private:
  void add(std::string_view what, XmlName name) {
    out.append(what).append(name.prefix).append(":").append(name.local).append("|");
    in_text_ = false;
  }

  bool in_text_ = false;
};

void read_xml(std::string_view text) {
  Transcript fast, slow;
  const parallax::XmlLimits limits;
  const parallax::XmlScan scanned = parallax::scan_xml(text, fast, limits, fast.stop);
  parallax::XmlParser parser(slow, limits);
  Result<> parsed = parser.push(text);
  if (parsed) {
    parsed = parser.finish();
  }
  require(scanned != parallax::XmlScan::stopped, "nobody stopped it");
  if (scanned == parallax::XmlScan::done) {
    require(parsed.has_value(), "the fast reader took what the general one refuses");
    require(fast.out == slow.out, "the two readers tell different things");
  }
  parallax::ignore(parallax::parse_xml(text), "only whether it survives");
}

void read_form(std::string_view text) {
  const auto fields = parallax::http::form_decode(text, 1000);
  if (fields) {
    const auto again = parallax::http::form_decode(parallax::http::form_encode(*fields), 1000);
    require(fields->empty() || (again.has_value() && *again == *fields), "a form reads differently when written");
  }
}

void read_url(std::string_view text) {
  const auto url = parallax::http::parse_url(text);
  if (url) {
    const auto again = parallax::http::parse_url(url->text());
    require(again.has_value() && again->target() == url->target(), "a URL reads differently when written");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  constexpr void (*kReaders[])(std::string_view) = {read_json, read_xml, read_form, read_url};
  kReaders[data[0] % 4](std::string_view(reinterpret_cast<const char*>(data + 1), size - 1));
  return 0;
}

#include "sim/vo/case_script.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "codec/gzip.h"
#include "codec/toml.h"
#include "sim/vo/case_documents.h"

namespace parallax::sim {

namespace {

constexpr Micros kWaitMax = Seconds(3600);
constexpr std::int64_t kBytesMax = std::int64_t{1} << 30;
constexpr std::size_t kNameBytesMax = 100;

using ReadFile = std::function<Result<std::string>(const std::string&)>;

// The document that says `words` as an error at one of the places that are in use; none of that name: nothing.
std::optional<std::string> error_document(std::string_view at, const std::string& words) {
  const std::string mark = write_error(ErrorForm::cone_search, words);
  if (at == "root") {
    return mark;
  }
  if (at == "query-status") {
    return write_error(ErrorForm::dali, words);
  }
  const std::size_t begin = mark.find("<INFO");
  const std::string info = mark.substr(begin, mark.find("</VOTABLE>") - begin);
  if (at == "resource") {
    return votable("<RESOURCE>\n" + info + "</RESOURCE>\n");
  }
  const std::string param = replaced(info, "<INFO ID=\"Error\"", "<PARAM datatype=\"char\" arraysize=\"*\"");
  if (at == "param") {
    return votable("<RESOURCE>\n" + param + "</RESOURCE>\n");
  }
  if (at == "definitions") {
    return votable("<DEFINITIONS>\n" + param + "</DEFINITIONS>\n");
  }
  if (at == "trailing") {
    const std::string dali = write_error(ErrorForm::dali, words);
    const std::size_t status = dali.find("<INFO");
    return replaced(stars_document(Serialization::tabledata, Ucds::plus), "</TABLE>\n",
                    "</TABLE>\n" + dali.substr(status, dali.find("</RESOURCE>") - status));
  }
  return std::nullopt;
}

bool is_token(std::string_view name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
                              std::string_view::npos;
}

class Reader {
 public:
  Reader(std::string_view file, std::string_view text, const ReadFile& read) : file_(file), text_(text), read_(read) {}

  Result<std::vector<VoCase>> read(const TomlValue& root) {
    std::vector<VoCase> cases;
    for (const LocatedMember& member : *root.table()) {
      if (member.name != "case") {
        return unknown(member, {"case"});
      }
      const LocatedValue::List* list = member.value.list();
      if (list == nullptr) {
        return error(member.place, "cases are written [[case]], with two brackets");
      }
      if (list->size() > kScriptCasesMax) {
        return error(member.place, fmt::format("more than {} cases", kScriptCasesMax));
      }
      for (const LocatedValue& item : *list) {
        VoCase one = TRY(read_case(item));
        if (std::ranges::find(cases, one.name, &VoCase::name) != cases.end()) {
          return error(item.place, fmt::format("a second case '{}'", one.name));
        }
        cases.push_back(std::move(one));
      }
    }
    return cases;
  }

 private:
  Error error(const Place& place, std::string_view message) const {
    return make_error(ErrorKind::invalid, point_at(file_, text_, place.line, place.column, message));
  }

  Error unknown(const LocatedMember& member, const std::vector<std::string_view>& known) const {
    const std::string_view near = suggest(member.name, known);
    return error(member.place, fmt::format("unknown key '{}'{}", member.name,
                                           near.empty() ? fmt::format("; known are {}", fmt::join(known, ", "))
                                                        : fmt::format("; did you mean '{}'?", near)));
  }

  Result<VoCase> read_case(const LocatedValue& value) const {
    if (value.table() == nullptr) {
      return error(value.place, "a case is a table");
    }
    VoCase one;
    for (const LocatedMember& member : *value.table()) {
      TRY(read_case_key(one, member));
    }
    if (one.name.empty()) {
      return error(value.place, "this case has no 'name'");
    }
    if (one.answers.empty()) {
      return error(value.place, fmt::format("the case '{}' has no [[case.answer]] without 'at'", one.name));
    }
    return one;
  }

  Result<> read_case_key(VoCase& one, const LocatedMember& member) const {
    const std::string_view key = member.name;
    if (key == "name") {
      one.name = TRY(read_text(member));
      if (!is_token(one.name) || one.name.size() > kNameBytesMax) {
        return error(member.value.place,
                     fmt::format("a case's name has letters, digits, - and _, at most {}", kNameBytesMax));
      }
    } else if (key == "type") {
      const std::string type = TRY(read_text(member));
      if (type != "cone" && type != "tap") {
        return error(member.value.place, "'type' must be \"cone\" or \"tap\"");
      }
      one.kind = type == "tap" ? CaseKind::tap : CaseKind::cone;
    } else if (key == "serves") {
      one.serves = TRY(read_text(member));
    } else if (key == "verdict") {
      one.expected.verdict = TRY(read_text(member));
    } else if (key == "code") {
      one.expected.code = TRY(read_text(member));
    } else if (key == "finding") {
      one.expected.finding = TRY(read_text(member));
    } else if (key == "entry") {
      one.entry = TRY(read_text(member));
    } else if (key == "rows") {
      one.expected.rows = static_cast<int>(TRY(read_count(member, 1'000'000'000)));
    } else if (key == "answer") {
      return read_answers(one, member);
    } else {
      return unknown(member, {"name", "type", "serves", "verdict", "code", "finding", "entry", "rows", "answer"});
    }
    return {};
  }

  Result<> read_answers(VoCase& one, const LocatedMember& member) const {
    const LocatedValue::List* list = member.value.list();
    if (list == nullptr) {
      return error(member.place, "answers are written [[case.answer]], with two brackets");
    }
    if (list->size() > kScriptAnswersMax) {
      return error(member.place, fmt::format("more than {} answers", kScriptAnswersMax));
    }
    for (const LocatedValue& item : *list) {
      if (item.table() == nullptr) {
        return error(item.place, "an answer is a table");
      }
      std::string at;
      CaseAnswer answer = TRY(read_answer(item, at));
      if (at.empty()) {
        one.answers.push_back(std::move(answer));
      } else {
        one.places.insert_or_assign(std::move(at), std::move(answer));
      }
    }
    return {};
  }

  Result<CaseAnswer> read_answer(const LocatedValue& value, std::string& at) const {
    CaseAnswer answer;
    std::string type;
    bool is_packed = false;
    TRY(read_body(value, answer, type));
    for (const LocatedMember& member : *value.table()) {
      if (member.name == "at") {
        at = TRY(read_text(member));
        if (!at.starts_with('/')) {
          return error(member.value.place, "'at' is a path below the case's, such as \"/next\"");
        }
      } else if (member.name == "type") {
        type = TRY(read_text(member));
      } else if (member.name == "gzip") {
        is_packed = TRY(read_flag(member));
      } else if (!is_body_key(member.name)) {
        TRY(read_wire_key(answer, member));
      }
    }
    if (is_packed) {
      answer.body = gzip_compress(answer.body);
    }
    const auto is_type = [](const auto& header) { return equals_ignore_case(header.first, "Content-Type"); };
    if (!type.empty() && std::ranges::none_of(answer.headers, is_type)) {
      answer.headers.emplace_back("Content-Type", type);
    }
    return answer;
  }

  static bool is_body_key(std::string_view key) {
    return key == "body" || key == "body_file" || key == "table" || key == "error" || key == "error_at";
  }

  // At most one of the keys that make a body.
  Result<> read_body(const LocatedValue& value, CaseAnswer& answer, std::string& type) const {
    const LocatedMember* made_by = nullptr;
    for (const LocatedMember& member : *value.table()) {
      if (!is_body_key(member.name) || member.name == "error_at") {
        continue;
      }
      if (made_by != nullptr) {
        return error(member.place, fmt::format("'{}' and '{}' exclude each other", made_by->name, member.name));
      }
      made_by = &member;
    }
    const LocatedMember* at = value.find("error_at");
    if (at != nullptr && (made_by == nullptr || made_by->name != "error")) {
      return error(at->place, "'error_at' goes with 'error'");
    }
    if (made_by == nullptr) {
      return {};
    }
    const std::string text = TRY(read_text(*made_by));
    type = made_by->name == "body" ? "text/plain" : "application/x-votable+xml";
    if (made_by->name == "body") {
      answer.body = text;
    } else if (made_by->name == "body_file") {
      Result<std::string> body = read_(text);
      if (!body) {
        return error(made_by->value.place, body.error().message);
      }
      answer.body = std::move(*body);
    } else if (made_by->name == "table") {
      return read_table(*made_by, text, answer);
    } else {
      return read_error(*made_by, at, text, answer);
    }
    return {};
  }

  Result<> read_table(const LocatedMember& member, const std::string& text, CaseAnswer& answer) const {
    for (const Serialization serialization :
         {Serialization::tabledata, Serialization::binary, Serialization::binary2}) {
      if (equals_ignore_case(text, to_string(serialization))) {
        answer.body = stars_document(serialization, Ucds::plus);
        return {};
      }
    }
    return error(member.value.place, "'table' must be \"tabledata\", \"binary\" or \"binary2\"");
  }

  Result<> read_error(const LocatedMember& member, const LocatedMember* at, const std::string& words,
                      CaseAnswer& answer) const {
    const std::string place = at == nullptr ? "query-status" : TRY(read_text(*at));
    std::optional<std::string> document = error_document(place, words);
    if (!document) {
      return error((at == nullptr ? member : *at).value.place,
                   "'error_at' must be one of root, resource, param, definitions, query-status, trailing");
    }
    answer.body = std::move(*document);
    return {};
  }

  Result<> read_wire_key(CaseAnswer& answer, const LocatedMember& member) const {
    const std::string_view key = member.name;
    if (key == "status") {
      const std::int64_t* status = member.value.integer();
      if (status == nullptr || *status < 200 || *status > 599) {
        return error(member.value.place, "'status' must be from 200 to 599");
      }
      answer.status = static_cast<int>(*status);
    } else if (key == "headers") {
      return read_headers(answer, member);
    } else if (key == "raw") {
      answer.raw = TRY(read_text(member));
    } else if (key == "framing" || key == "end") {
      return read_word(answer, member);
    } else if (key == "announced") {
      answer.announced = TRY(read_count(member, kBytesMax));
    } else if (key == "cut_after") {
      answer.cut_after = static_cast<std::size_t>(TRY(read_count(member, kBytesMax)));
    } else if (key == "bad_chunk") {
      answer.breaks_chunk = TRY(read_flag(member));
      answer.framing = Framing::chunked;
    } else {
      return read_time_key(answer, member);
    }
    return {};
  }

  Result<> read_time_key(CaseAnswer& answer, const LocatedMember& member) const {
    const std::string_view key = member.name;
    if (key == "delay") {
      answer.delay = TRY(read_duration(member));
    } else if (key == "drip_bytes") {
      answer.drip_bytes = static_cast<std::size_t>(TRY(read_count(member, kBytesMax)));
    } else if (key == "drip_every") {
      answer.drip_every = TRY(read_duration(member));
    } else if (key == "stall_after") {
      answer.stall_after = static_cast<std::size_t>(TRY(read_count(member, kBytesMax)));
    } else if (key == "stall") {
      answer.stall = TRY(read_duration(member));
    } else {
      return unknown(member,
                     {"at",        "status",    "headers", "type",       "body",       "body_file",   "table",
                      "error",     "error_at",  "gzip",    "raw",        "framing",    "end",         "announced",
                      "cut_after", "bad_chunk", "delay",   "drip_bytes", "drip_every", "stall_after", "stall"});
    }
    return {};
  }

  Result<> read_headers(CaseAnswer& answer, const LocatedMember& member) const {
    if (member.value.table() == nullptr) {
      return error(member.value.place, "'headers' is a table such as { \"Retry-After\" = \"30\" }");
    }
    for (const LocatedMember& header : *member.value.table()) {
      const std::string* text = header.value.string();
      const auto breaks = [](std::string_view part) {
        return part.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
      };
      if (text == nullptr || breaks(*text) || breaks(header.name)) {
        return error(header.value.place, fmt::format("the header '{}' must be a string of one line", header.name));
      }
      answer.headers.emplace_back(header.name, *text);
    }
    return {};
  }

  Result<> read_word(CaseAnswer& answer, const LocatedMember& member) const {
    const std::string word = TRY(read_text(member));
    if (member.name == "framing") {
      if (word != "length" && word != "chunked" && word != "close") {
        return error(member.value.place, "'framing' must be \"length\", \"chunked\" or \"close\"");
      }
      answer.framing = word == "length" ? Framing::length : word == "chunked" ? Framing::chunked : Framing::close;
      return {};
    }
    using End = http::RawAnswer::End;
    if (word != "close" && word != "reset" && word != "hold") {
      return error(member.value.place, "'end' must be \"close\", \"reset\" or \"hold\"");
    }
    answer.end = word == "close" ? End::close : word == "reset" ? End::reset : End::hold;
    return {};
  }

  Result<std::string> read_text(const LocatedMember& member) const {
    const std::string* text = member.value.string();
    if (text == nullptr) {
      return error(member.value.place, fmt::format("'{}' must be a string", member.name));
    }
    return *text;
  }

  Result<bool> read_flag(const LocatedMember& member) const {
    const bool* flag = member.value.boolean();
    if (flag == nullptr) {
      return error(member.value.place, fmt::format("'{}' must be true or false", member.name));
    }
    return *flag;
  }

  Result<std::int64_t> read_count(const LocatedMember& member, std::int64_t most) const {
    const std::int64_t* number = member.value.integer();
    if (number == nullptr || *number < 0 || *number > most) {
      return error(member.value.place, fmt::format("'{}' must be an integer from 0 to {}", member.name, most));
    }
    return *number;
  }

  Result<Micros> read_duration(const LocatedMember& member) const {
    const std::string* text = member.value.string();
    const Result<Micros> duration = parse_duration(text == nullptr ? "" : *text);
    if (!duration || *duration < Micros(0) || *duration > kWaitMax) {
      return error(member.value.place,
                   fmt::format("'{}' must be a duration up to an hour: \"5s\", \"200ms\"", member.name));
    }
    return *duration;
  }

  std::string_view file_, text_;
  const ReadFile& read_;
};

}  // namespace

Result<std::vector<VoCase>> parse_case_script(std::string_view file_name, std::string_view text, const ReadFile& read) {
  const TomlValue root = TRY(parse_toml(file_name, text));
  return Reader(file_name, text, read).read(root);
}

}  // namespace parallax::sim

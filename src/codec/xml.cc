#include "codec/xml.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include <expat.h>
#include <fmt/format.h>
#include <malloc.h>

#include "base/check.h"
#include "base/text.h"

namespace parallax {

namespace {

// Big pushes are cut, so that limits act before much has been read.
constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;

// expat's allocator takes no context, so the budget of the parser at work is found here. Nothing waits while expat is
// on the stack; therefore a fiber cannot change under it.
struct MemoryBudget {
  std::size_t used = 0;
  std::size_t bytes_max = 0;
  bool exceeded = false;
};

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): expat's allocator has no context argument
thread_local MemoryBudget* active_budget = nullptr;

class BudgetScope {
 public:
  explicit BudgetScope(MemoryBudget& budget) : previous_(active_budget) { active_budget = &budget; }

  ~BudgetScope() { active_budget = previous_; }

  BudgetScope(const BudgetScope&) = delete;
  BudgetScope& operator=(const BudgetScope&) = delete;

 private:
  MemoryBudget* previous_;
};

void* budget_realloc(void* old, std::size_t size) {
  const std::size_t old_size = old == nullptr ? 0 : malloc_usable_size(old);
  MemoryBudget* budget = active_budget;
  if (budget != nullptr && budget->used - std::min(budget->used, old_size) + size > budget->bytes_max) {
    budget->exceeded = true;
    return nullptr;
  }
  void* memory = std::realloc(old, size);  // NOLINT(cppcoreguidelines-no-malloc): expat's contract
  if (memory != nullptr && budget != nullptr) {
    budget->used = budget->used - std::min(budget->used, old_size) + malloc_usable_size(memory);
  }
  return memory;
}

void* budget_malloc(std::size_t size) {
  return budget_realloc(nullptr, std::max<std::size_t>(size, 1));
}

void budget_free(void* memory) {
  if (memory != nullptr && active_budget != nullptr) {
    active_budget->used -= std::min(active_budget->used, malloc_usable_size(memory));
  }
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): expat's contract
}

constexpr XML_Memory_Handling_Suite kMemory = {budget_malloc, budget_realloc, budget_free};

Error xml_error(ErrorKind kind, std::string code, std::string message) {
  Error error = make_error(kind, std::move(message));
  error.code = std::move(code);
  return error;
}

// windows-1252 where it differs from ISO-8859-1; 0 is unassigned, taken as the control character of that value.
constexpr std::array<int, 32> kWindows1252 = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                              0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                              0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                              0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

int XMLCALL fill_unknown_encoding(void* /*data*/, const XML_Char* name, XML_Encoding* info) {
  const bool windows = equals_ignore_case(name, "windows-1252") || equals_ignore_case(name, "cp1252");
  const bool latin = equals_ignore_case(name, "latin1") || equals_ignore_case(name, "latin-1");
  if (!windows && !latin) {
    return XML_STATUS_ERROR;
  }
  for (int i = 0; i < 256; ++i) {
    info->map[i] = i;
  }
  for (std::size_t i = 0; windows && i < kWindows1252.size(); ++i) {
    info->map[0x80 + i] = kWindows1252[i] != 0 ? kWindows1252[i] : static_cast<int>(0x80 + i);
  }
  info->data = nullptr;
  info->convert = nullptr;
  info->release = nullptr;
  return XML_STATUS_OK;
}

}  // namespace

std::optional<std::string_view> XmlAttributes::find(std::string_view local) const {
  for (const char* const* pair = pairs_; *pair != nullptr; pair += 2) {
    if (XmlName(*pair).local == local) {
      return pair[1];
    }
  }
  return std::nullopt;
}

std::size_t XmlAttributes::size() const {
  std::size_t count = 0;
  while (pairs_[2 * count] != nullptr) {
    ++count;
  }
  return count;
}

struct XmlParser::State {
  XmlHandler& handler;
  XmlLimits limits;
  MemoryBudget budget;
  XML_Parser parser = nullptr;
  std::size_t depth = 0;
  std::uint64_t pushed = 0;
  std::optional<Error> stopped;  // by a limit or by stop()
  std::optional<Error> failed;   // what push() or finish() has returned

  State(XmlHandler& handler_in, XmlLimits limits_in) : handler(handler_in), limits(limits_in) {}

  void stop(Error error) {
    if (!stopped) {
      stopped = std::move(error);
      XML_StopParser(parser, XML_FALSE);
    }
  }

  void refuse(std::string_view code, std::string_view what) {
    stop(xml_error(ErrorKind::refused, std::string(code),
                   fmt::format("XML line {}: {}", XML_GetCurrentLineNumber(parser), what)));
  }

  Result<> parse(std::string_view bytes, bool final);
  Error parse_error();
  bool check_attributes(const XML_Char** attributes);

  static void XMLCALL on_start(void* data, const XML_Char* name, const XML_Char** attributes);
  static void XMLCALL on_end(void* data, const XML_Char* name);
  static void XMLCALL on_text(void* data, const XML_Char* text, int length);
  static void XMLCALL on_entity(void* data, const XML_Char* name, int is_parameter, const XML_Char* value, int length,
                                const XML_Char* base, const XML_Char* system_id, const XML_Char* public_id,
                                const XML_Char* notation);
};

void XMLCALL XmlParser::State::on_start(void* data, const XML_Char* name, const XML_Char** attributes) {
  State& state = *static_cast<State*>(data);
  if (state.stopped) {
    return;
  }
  if (++state.depth > state.limits.depth_max) {
    state.refuse("xml-depth", fmt::format("elements are nested deeper than {}", state.limits.depth_max));
    return;
  }
  if (std::strlen(name) > state.limits.name_bytes_max) {
    state.refuse("xml-name", fmt::format("a name is longer than {} bytes", state.limits.name_bytes_max));
    return;
  }
  if (state.check_attributes(attributes)) {
    state.handler.start_element(XmlName(name), XmlAttributes(attributes));
  }
}

bool XmlParser::State::check_attributes(const XML_Char** attributes) {
  std::size_t count = 0;
  for (; attributes[2 * count] != nullptr; ++count) {
    if (count == limits.attributes_max) {
      refuse("xml-attributes", fmt::format("an element has more than {} attributes", limits.attributes_max));
      return false;
    }
    if (std::strlen(attributes[2 * count]) > limits.name_bytes_max ||
        std::strlen(attributes[2 * count + 1]) > limits.attribute_bytes_max) {
      refuse("xml-attribute-size", fmt::format("an attribute is longer than {} bytes", limits.attribute_bytes_max));
      return false;
    }
  }
  return true;
}

void XMLCALL XmlParser::State::on_end(void* data, const XML_Char* name) {
  State& state = *static_cast<State*>(data);
  if (!state.stopped) {
    --state.depth;
    state.handler.end_element(XmlName(name));
  }
}

void XMLCALL XmlParser::State::on_text(void* data, const XML_Char* text, int length) {
  State& state = *static_cast<State*>(data);
  if (!state.stopped) {
    state.handler.text(std::string_view(text, static_cast<std::size_t>(length)));
  }
}

// Entities serve no purpose in what services answer, but they do serve attacks (files read, text multiplied).
void XMLCALL XmlParser::State::on_entity(void* data, const XML_Char* name, int /*is_parameter*/,
                                         const XML_Char* /*value*/, int /*length*/, const XML_Char* /*base*/,
                                         const XML_Char* /*system_id*/, const XML_Char* /*public_id*/,
                                         const XML_Char* /*notation*/) {
  State& state = *static_cast<State*>(data);
  state.refuse("xml-entity", fmt::format("the document declares an entity ('{}')", terminal_safe(name, 40)));
}

XmlParser::XmlParser(XmlHandler& handler, XmlLimits limits) : state_(std::make_unique<State>(handler, limits)) {
  state_->budget.bytes_max = limits.memory_bytes_max;
  const BudgetScope scope(state_->budget);
  state_->parser = XML_ParserCreate_MM(nullptr, &kMemory, nullptr);
  CHECK(state_->parser != nullptr, "expat cannot start");
  XML_SetUserData(state_->parser, state_.get());
  XML_SetElementHandler(state_->parser, State::on_start, State::on_end);
  XML_SetCharacterDataHandler(state_->parser, State::on_text);
  XML_SetEntityDeclHandler(state_->parser, State::on_entity);
  XML_SetUnknownEncodingHandler(state_->parser, fill_unknown_encoding, nullptr);
  XML_SetParamEntityParsing(state_->parser, XML_PARAM_ENTITY_PARSING_NEVER);
}

XmlParser::~XmlParser() {
  const BudgetScope scope(state_->budget);
  XML_ParserFree(state_->parser);
}

void XmlParser::set_encoding(const std::string& name) {
  const BudgetScope scope(state_->budget);
  CHECK(XML_SetEncoding(state_->parser, name.c_str()) == XML_STATUS_OK, "encoding set after the first push");
}

void XmlParser::stop(Error error) {
  state_->stop(std::move(error));
}

std::size_t XmlParser::line() const {
  return XML_GetCurrentLineNumber(state_->parser);
}

std::size_t XmlParser::column() const {
  return XML_GetCurrentColumnNumber(state_->parser) + 1;
}

Result<> XmlParser::push(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPieceBytes);
    bytes.remove_prefix(piece.size());
    TRY(state_->parse(piece, false));
  }
  return {};
}

Result<> XmlParser::finish() {
  return state_->parse({}, true);
}

Result<> XmlParser::State::parse(std::string_view bytes, bool final) {
  if (failed) {
    return Error(*failed);
  }
  pushed += bytes.size();
  if (pushed > limits.bytes_max) {
    failed = xml_error(ErrorKind::refused, "xml-size", fmt::format("XML: more than {} bytes", limits.bytes_max));
    return Error(*failed);
  }
  const BudgetScope scope(budget);
  const XML_Status status = XML_Parse(parser, bytes.data(), static_cast<int>(bytes.size()), final ? 1 : 0);
  if (status != XML_STATUS_OK) {
    failed = stopped ? *stopped : parse_error();
    return Error(*failed);
  }
  // What expat has not consumed is one unfinished token, which it keeps in memory.
  const XML_Index consumed = std::max<XML_Index>(XML_GetCurrentByteIndex(parser), 0);
  if (pushed - std::min(pushed, static_cast<std::uint64_t>(consumed)) > limits.token_bytes_max + kPieceBytes) {
    failed = xml_error(ErrorKind::refused, "xml-token",
                       fmt::format("XML line {}: a tag or comment is longer than {} bytes",
                                   XML_GetCurrentLineNumber(parser), limits.token_bytes_max));
    return Error(*failed);
  }
  return {};
}

Error XmlParser::State::parse_error() {
  const XML_Error code = XML_GetErrorCode(parser);
  const std::string where =
      fmt::format("XML line {}, column {}", XML_GetCurrentLineNumber(parser), XML_GetCurrentColumnNumber(parser) + 1);
  switch (code) {
    case XML_ERROR_NO_MEMORY:
      return xml_error(
          ErrorKind::refused, "xml-memory",
          fmt::format("{}: the document needs more than {} bytes of memory", where, limits.memory_bytes_max));
    case XML_ERROR_AMPLIFICATION_LIMIT_BREACH:
      return xml_error(ErrorKind::refused, "xml-entity", fmt::format("{}: entities multiply the text", where));
    case XML_ERROR_NO_ELEMENTS:
    case XML_ERROR_UNCLOSED_TOKEN:
    case XML_ERROR_PARTIAL_CHAR:
    case XML_ERROR_UNCLOSED_CDATA_SECTION:
      return xml_error(ErrorKind::corrupt, "xml-truncated", fmt::format("{}: the document ends early", where));
    case XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
      return xml_error(ErrorKind::corrupt, "xml-trailing",
                       fmt::format("{}: something follows the root element", where));
    default:
      return xml_error(ErrorKind::corrupt, "xml-malformed", fmt::format("{}: {}", where, XML_ErrorString(code)));
  }
}

}  // namespace parallax

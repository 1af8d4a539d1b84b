#include "record/measurement.h"

#include <array>
#include <limits>

#include <fmt/format.h>

#include "base/ids.h"
#include "record/fields.h"

namespace parallax {

namespace {

using record::FieldReader;
using record::instant_or_null;
using record::text_or_null;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kListMax = 1000;

struct NamedPhase {
  std::string_view name;
  std::optional<std::int64_t> PhaseTimes::*value;
};

constexpr std::array<NamedPhase, 6> kPhases = {{{"resolve_us", &PhaseTimes::resolve_us},
                                                {"connect_us", &PhaseTimes::connect_us},
                                                {"tls_us", &PhaseTimes::tls_us},
                                                {"send_us", &PhaseTimes::send_us},
                                                {"first_byte_us", &PhaseTimes::first_byte_us},
                                                {"transfer_us", &PhaseTimes::transfer_us}}};

struct NamedFact {
  std::string_view name;
  std::string ConnectionFacts::*value;
};

constexpr std::array<NamedFact, 5> kFacts = {{{"http_version", &ConnectionFacts::http_version},
                                              {"tls_version", &ConnectionFacts::tls_version},
                                              {"tls_cipher", &ConnectionFacts::tls_cipher},
                                              {"address_family", &ConnectionFacts::address_family},
                                              {"dns", &ConnectionFacts::dns}}};

struct NamedText {
  std::string_view name;
  std::string Measurement::*value;
};

// The members that are plain text, in the contract's order; the others stand in to_json and measurement_from_json.
constexpr std::array<NamedText, 12> kTextsBefore = {{{"round_id", &Measurement::round_id},
                                                     {"fleet", &Measurement::fleet},
                                                     {"vantage", &Measurement::vantage},
                                                     {"provider", &Measurement::provider},
                                                     {"service", &Measurement::service},
                                                     {"type", &Measurement::type},
                                                     {"mode", &Measurement::mode},
                                                     {"connection", &Measurement::connection},
                                                     {"definition", &Measurement::definition},
                                                     {"query", &Measurement::query},
                                                     {"url", &Measurement::url},
                                                     {"failed_phase", &Measurement::failed_phase}}};
constexpr std::array<NamedText, 10> kTextsAfter = {{{"http_version", &Measurement::http_version},
                                                    {"tls_version", &Measurement::tls_version},
                                                    {"peer", &Measurement::peer},
                                                    {"path", &Measurement::path},
                                                    {"code", &Measurement::code},
                                                    {"message", &Measurement::message},
                                                    {"evidence", &Measurement::evidence},
                                                    {"instance_id", &Measurement::instance_id},
                                                    {"instance_type", &Measurement::instance_type},
                                                    {"build", &Measurement::build}}};

// Members of later additions, each kind in the contract's order.
struct NamedInteger {
  std::string_view name;
  std::optional<std::int64_t> Measurement::*value;
  std::int64_t low;
};

constexpr std::array<NamedInteger, 11> kIntegers = {{{"retry_after_us", &Measurement::retry_after_us, 0},
                                                     {"late_us", &Measurement::late_us, -kMax},
                                                     {"submit_us", &Measurement::submit_us, 0},
                                                     {"run_us", &Measurement::run_us, 0},
                                                     {"wait_us", &Measurement::wait_us, 0},
                                                     {"fetch_us", &Measurement::fetch_us, 0},
                                                     {"delete_us", &Measurement::delete_us, 0},
                                                     {"polls", &Measurement::polls, 0},
                                                     {"poll_gap_us", &Measurement::poll_gap_us, 0},
                                                     {"rows_outside", &Measurement::rows_outside, 0},
                                                     {"clock_offset_us", &Measurement::clock_offset_us, -kMax}}};

struct NamedNumber {
  std::string_view name;
  std::optional<double> Measurement::*value;
  double low, high;
};

constexpr std::array<NamedNumber, 7> kNumbers = {{{"ra_min", &Measurement::ra_min, 0, 360},
                                                  {"ra_max", &Measurement::ra_max, 0, 360},
                                                  {"dec_min", &Measurement::dec_min, -90, 90},
                                                  {"dec_max", &Measurement::dec_max, -90, 90},
                                                  {"load_1m", &Measurement::load_1m, 0, 1e6},
                                                  {"cpu_steal", &Measurement::cpu_steal, 0, 1},
                                                  {"cpu_credits", &Measurement::cpu_credits, 0, 1e9}}};

struct NamedInstant {
  std::string_view name;
  std::optional<Instant> Measurement::*value;
};

constexpr std::array<NamedInstant, 4> kInstants = {{{"job_created_at", &Measurement::job_created_at},
                                                    {"job_started_at", &Measurement::job_started_at},
                                                    {"job_ended_at", &Measurement::job_ended_at},
                                                    {"certificate_expires_at", &Measurement::certificate_expires_at}}};

constexpr std::array<NamedText, 9> kFurtherTexts = {{{"job_url", &Measurement::job_url},
                                                     {"job_phase", &Measurement::job_phase},
                                                     {"content_checksum", &Measurement::content_checksum},
                                                     {"address_family", &Measurement::address_family},
                                                     {"dns", &Measurement::dns},
                                                     {"tls_cipher", &Measurement::tls_cipher},
                                                     {"server", &Measurement::server},
                                                     {"content_type", &Measurement::content_type},
                                                     {"availability_zone", &Measurement::availability_zone}}};

void set_further(JsonObject& object, const Measurement& m) {
  const auto set = [&](std::string_view name, Json value) { object.append(std::string(name), std::move(value)); };
  for (const NamedInteger& integer : kIntegers) {
    set(integer.name, m.*integer.value);
  }
  for (const NamedNumber& number : kNumbers) {
    set(number.name, m.*number.value);
  }
  for (const NamedInstant& instant : kInstants) {
    set(instant.name, instant_or_null(m.*instant.value));
  }
  for (const NamedText& text : kFurtherTexts) {
    set(text.name, text_or_null(m.*text.value));
  }
  set("connection_reused", m.connection_reused ? Json(*m.connection_reused) : Json());
}

void read_further(FieldReader& reader, Measurement& m) {
  for (const NamedInteger& integer : kIntegers) {
    reader.integer(integer.name, m.*integer.value, integer.low, kMax);
  }
  for (const NamedNumber& number : kNumbers) {
    reader.number(number.name, m.*number.value, number.low, number.high);
  }
  for (const NamedInstant& instant : kInstants) {
    reader.instant(instant.name, m.*instant.value);
  }
  for (const NamedText& text : kFurtherTexts) {
    reader.text(text.name, m.*text.value);
  }
  reader.boolean("connection_reused", m.connection_reused);
}

void set_phases(Json& json, const PhaseTimes& times) {
  for (const NamedPhase& phase : kPhases) {
    json.set(std::string(phase.name), times.*phase.value);
  }
}

void read_phases(FieldReader& reader, PhaseTimes& times) {
  for (const NamedPhase& phase : kPhases) {
    reader.integer(phase.name, times.*phase.value, 0, kMax);
  }
}

Json hop_to_json(const HopRecord& hop) {
  Json json;
  json.set("url", hop.url);
  json.set("http_status", hop.http_status);
  set_phases(json, hop.times);
  json.set("total_us", hop.total_us);
  json.set("peer", text_or_null(hop.peer));
  for (const NamedFact& fact : kFacts) {
    json.set(std::string(fact.name), text_or_null(hop.connection.*fact.value));
  }
  json.set("certificate_expires_at", instant_or_null(hop.connection.certificate_expires_at));
  json.set("connection_reused", hop.connection.reused ? Json(*hop.connection.reused) : Json());
  return json;
}

Result<HopRecord> hop_from_json(const Json& json) {
  HopRecord hop;
  FieldReader reader(json, "hop record");
  reader.text("url", hop.url);
  reader.integer("http_status", hop.http_status, 0, 999);
  read_phases(reader, hop.times);
  reader.integer("total_us", hop.total_us, 0, kMax);
  reader.text("peer", hop.peer);
  for (const NamedFact& fact : kFacts) {
    reader.text(fact.name, hop.connection.*fact.value);
  }
  reader.instant("certificate_expires_at", hop.connection.certificate_expires_at);
  reader.boolean("connection_reused", hop.connection.reused);
  if (reader.error()) {
    return *reader.error();
  }
  return hop;
}

void read_lists(FieldReader& reader, const Json& json, Measurement& m) {
  const JsonArray& hops = json.list("hop_records");
  const JsonArray& findings = json.list("findings");
  if (hops.size() > kListMax || findings.size() > kListMax) {
    reader.complain("findings", fmt::format("a list of at most {} entries", kListMax));
    return;
  }
  for (const Json& item : hops) {
    Result<HopRecord> hop = hop_from_json(item);
    if (!hop) {
      reader.fail(std::move(hop).error());
      return;
    }
    m.hop_records.push_back(std::move(hop).value());
  }
  for (const Json& item : findings) {
    Finding finding;
    FieldReader inner(item, "finding");
    inner.text("code", finding.code);
    inner.text("message", finding.message);
    if (inner.error()) {
      reader.fail(*inner.error());
      return;
    }
    m.findings.push_back(std::move(finding));
  }
}

// Filled once from a record of ours, so that the list of known names cannot fall behind.
bool is_known(std::string_view name) {
  static const Json kSample = to_json(Measurement());
  return kSample.find(name) != nullptr;
}

}  // namespace

std::string measurement_id(std::string_view run_id, std::int64_t sequence) {
  return fmt::format("{}-{}", run_id, sequence);
}

Json to_json(const Measurement& m) {
  JsonObject o;
  const auto set = [&](std::string_view name, Json value) { o.append(std::string(name), std::move(value)); };
  set("schema", kMeasurementSchema);
  set("id", m.id);
  set("run_id", m.run_id);
  set("sequence", m.sequence);
  set("attempt", m.attempt);
  for (const NamedText& text : kTextsBefore) {
    if (text.name == "query") {
      set("cone_index", m.cone_index);
      set("position", m.position);
      set("ra", m.ra);
      set("dec", m.dec);
      set("radius", m.radius);
    }
    if (text.name == "failed_phase") {
      set("scheduled_at", instant_or_null(m.scheduled_at));
      set("started_at", instant_or_null(m.started_at));
      for (const NamedPhase& phase : kPhases) {
        set(phase.name, m.times.*phase.value);
      }
      set("total_us", m.total_us);
      set("parse_us", m.parse_us);
    }
    set(text.name, text_or_null(m.*text.value));
  }
  set("limit_us", m.limit_us);
  set("hops", m.hops);
  JsonArray hops;
  for (const HopRecord& hop : m.hop_records) {
    hops.push_back(hop_to_json(hop));
  }
  set("hop_records", std::move(hops));
  set("http_status", m.http_status);
  set("bytes_wire", m.bytes_wire);
  set("bytes_decoded", m.bytes_decoded);
  set("rows", m.rows);
  set("columns", m.columns);
  set("verdict", to_string(m.verdict));
  for (const NamedText& text : kTextsAfter) {
    set(text.name, text_or_null(m.*text.value));
  }
  set_further(o, m);
  JsonArray findings;
  for (const Finding& finding : m.findings) {
    findings.push_back(Json::object({{"code", finding.code}, {"message", finding.message}}));
  }
  set("findings", std::move(findings));
  for (const auto& [name, value] : m.extra) {
    o.set(name, value);
  }
  return Json(std::move(o));
}

Result<Measurement> measurement_from_json(const Json& json) {
  Measurement m;
  FieldReader reader(json, "measurement");
  for (const char* name :
       {"schema", "id", "run_id", "sequence", "fleet", "vantage", "service", "verdict", "started_at"}) {
    reader.require(name);
  }
  std::string schema;
  reader.text("schema", schema);
  if (schema != kMeasurementSchema) {
    reader.complain("schema", fmt::format("'{}'", kMeasurementSchema));
  }
  reader.text("id", m.id);
  reader.text("run_id", m.run_id);
  reader.integer("sequence", m.sequence, 0, kMax);
  reader.integer("attempt", m.attempt, 1, 1000);
  for (const NamedText& text : kTextsBefore) {
    reader.text(text.name, m.*text.value);
  }
  reader.integer("cone_index", m.cone_index, 0, kMax);
  reader.integer("position", m.position, 0, 1'000'000);
  reader.number("ra", m.ra, -360, 720);
  reader.number("dec", m.dec, -90, 90);
  reader.number("radius", m.radius, 0, 180);
  reader.instant("scheduled_at", m.scheduled_at);
  reader.instant("started_at", m.started_at);
  read_phases(reader, m.times);
  reader.integer("total_us", m.total_us, 0, kMax);
  reader.integer("parse_us", m.parse_us, 0, kMax);
  reader.integer("limit_us", m.limit_us, 0, kMax);
  reader.integer("hops", m.hops, 0, 1000);
  reader.integer("http_status", m.http_status, 0, 999);
  reader.integer("bytes_wire", m.bytes_wire, 0, kMax);
  reader.integer("bytes_decoded", m.bytes_decoded, 0, kMax);
  reader.integer("rows", m.rows, 0, kMax);
  reader.integer("columns", m.columns, 0, kMax);
  reader.word("verdict", m.verdict, [](std::string_view text) { return parse_verdict(text); });
  for (const NamedText& text : kTextsAfter) {
    reader.text(text.name, m.*text.value);
  }
  read_further(reader, m);
  read_lists(reader, json, m);
  if (m.id != measurement_id(m.run_id, m.sequence)) {
    reader.complain("id", "run_id + \"-\" + sequence");
  }
  if (reader.error()) {
    return *reader.error();
  }
  TRY(ulid_time(m.run_id));
  for (const auto& [name, value] : *json.members()) {
    if (!is_known(name)) {
      m.extra.append(name, value);
    }
  }
  return m;
}

}  // namespace parallax

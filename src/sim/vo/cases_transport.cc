// Cases that break below the document: lost connections, chunks, compression, redirects, slowness.

#include <fmt/format.h>

#include "codec/gzip.h"
#include "sim/vo/case_parts.h"

namespace parallax::sim {

namespace {

CaseAnswer plain_table() {
  return answer_of(stars_document());
}

void add_cuts(std::vector<VoCase>& cases) {
  CaseAnswer half = plain_table();
  half.cut_after = half.body.size() / 2;
  cases.push_back(cone_case(8, "cut-length", "half the body that Content-Length announced",
                            fails("truncated", "xml-truncated"), half));
  CaseAnswer open = half;
  open.framing = Framing::close;
  cases.push_back(
      cone_case(8, "cut-close", "half the body, no Content-Length", fails("truncated", "xml-truncated"), open));
  CaseAnswer reset = half;
  reset.end = http::RawAnswer::End::reset;
  reset.stall_after = half.cut_after;
  reset.stall = Millis(200);
  cases.push_back(cone_case(8, "cut-reset", "the connection is reset in the middle of the body",
                            fails("truncated", "xml-truncated"), reset));
  CaseAnswer chunks = half;
  chunks.framing = Framing::chunked;
  cases.push_back(
      cone_case(8, "cut-chunked", "chunks without the last one", fails("truncated", "xml-truncated"), chunks));
  CaseAnswer broken = plain_table();
  broken.framing = Framing::chunked;
  broken.breaks_chunk = true;
  cases.push_back(
      cone_case(8, "bad-chunk", "a chunk whose size is no number", fails("truncated", "xml-truncated"), broken));
  CaseAnswer tail = answer_of(stars_document() + "<!-- the rest of this comment does not come -->\n");
  tail.announced = static_cast<std::int64_t>(tail.body.size()) + 1000;
  cases.push_back(cone_case(8, "announced-more", "a whole document, but Content-Length announced 1000 bytes more",
                            fails("truncated", "cut"), tail));
  CaseAnswer base64 = answer_of(replaced(stars_document(Serialization::binary), "</STREAM>", "!!</STREAM>"));
  cases.push_back(cone_case(8, "bad-base64", "a stream that is not base64", fails("truncated", "bad-base64"), base64));
  CaseAnswer good = plain_table();
  good.framing = Framing::chunked;
  cases.push_back(cone_case(0, "chunked", "a whole answer in chunks", all_rows(), good));
  CaseAnswer closed = plain_table();
  closed.framing = Framing::close;
  cases.push_back(cone_case(0, "no-length", "a whole answer without Content-Length", all_rows(), closed));
}

void add_compression(std::vector<VoCase>& cases) {
  const std::string packed = gzip_compress(stars_document());
  CaseAnswer declared = answer_of(packed);
  declared.headers.emplace_back("Content-Encoding", "gzip");
  cases.push_back(cone_case(9, "gzip", "gzip, as Content-Encoding says", all_rows(), declared));
  cases.push_back(
      cone_case(9, "gzip-undeclared", "gzip that no header tells of", all_rows("undeclared-gzip"), answer_of(packed)));
  CaseAnswer wrong = plain_table();
  wrong.headers.emplace_back("Content-Encoding", "gzip");
  cases.push_back(cone_case(9, "gzip-untrue", "Content-Encoding gzip, and the body is not",
                            fails("not-votable", "inflate-corrupt"), wrong));
  CaseAnswer bomb = declared;
  bomb.body.clear();
  bomb.make_body = [] {
    return gzip_compress(replaced(stars_document(), "far", std::string(std::size_t{64} << 20U, ' ')), 9);
  };
  cases.push_back(
      cone_case(9, "gzip-bomb", "64 MiB of blanks in 64 KiB of gzip", fails("refused", "inflate-ratio"), bomb));
  CaseAnswer cut = declared;
  cut.body.resize(packed.size() / 2);
  cases.push_back(cone_case(8, "gzip-cut", "gzip that ends in the middle, with a length that agrees",
                            fails("truncated", "inflate-truncated"), cut));
}

CaseAnswer redirect(int status, std::string target) {
  CaseAnswer answer = answer_of("", "text/plain", status);
  answer.headers.emplace_back("Location", std::move(target));
  return answer;
}

void add_redirects(std::vector<VoCase>& cases) {
  VoCase other =
      tap_case(10, "redirect-other-host", "303 of /sync to another host", all_rows(), redirect(303, "{other}/next"));
  other.entry = "private_redirects = true";
  other.places["/next"] = answer_of(stars_document(Serialization::tabledata, Ucds::plus));
  cases.push_back(other);
  other.name = "redirect-private";
  other.serves = "303 to another host with a private address, which the service's entry does not allow";
  other.expected = fails("refused", "address-refused");
  other.entry.clear();
  other.row = 0;
  cases.push_back(other);

  cases.push_back(cone_case(10, "redirect-loop", "302 in a circle", fails("refused", "redirect-loop"),
                            redirect(302, "{base}/next")));
  cases.back().places["/next"] = redirect(302, "{base}/again");
  cases.back().places["/again"] = redirect(302, "{base}/next");
  cases.push_back(tap_case(10, "redirect-post-301", "301 of a POST to https",
                           fails("http-error", "post-redirected", "stale-registration"),
                           redirect(301, "{secure}/tap/sync")));
  cases.push_back(tap_case(10, "redirect-post-302", "302 of a POST",
                           fails("http-error", "post-redirected", "stale-registration"), redirect(302, "{base}/next")));
  cases.push_back(
      tap_case(0, "redirect-post-307", "307 of a POST, which stays one", all_rows(), redirect(307, "{base}/next")));
  cases.back().places["/next"] = answer_of(stars_document(Serialization::tabledata, Ucds::plus));
  cases.push_back(cone_case(0, "redirect-relative", "302 to a relative place", all_rows(), redirect(302, "next")));
  cases.back().places["/next"] = plain_table();
  cases.push_back(cone_case(0, "redirect-endless", "302 to a new place each time", fails("refused", "redirect-limit"),
                            redirect(302, "{base}/1")));
  for (int i = 1; i <= 20; ++i) {
    cases.back().places[fmt::format("/{}", i)] = redirect(302, fmt::format("{{base}}/{}", i + 1));
  }
  cases.push_back(cone_case(0, "redirect-metadata", "302 to the metadata address of cloud machines",
                            fails("refused", "address-refused"),
                            redirect(302, "http://169.254.169.254/latest/meta-data/")));
  cases.push_back(cone_case(0, "redirect-file", "302 to a file: URL", fails("refused", "redirect-target"),
                            redirect(302, "file:///etc/hostname")));
  cases.push_back(cone_case(0, "redirect-nowhere", "302 without Location", fails("not-votable", "text"),
                            answer_of("moved\n", "text/plain", 302)));
}

void add_slowness(std::vector<VoCase>& cases) {
  CaseAnswer silent = plain_table();
  silent.delay = Seconds(600);
  cases.push_back(cone_case(17, "stall-first-byte", "no byte for ten minutes", fails("timeout", "first_byte"), silent));
  CaseAnswer stalled = plain_table();
  stalled.stall_after = stalled.body.size() / 2;
  stalled.stall = Seconds(600);
  cases.push_back(
      cone_case(17, "stall-body", "silence in the middle of the body", fails("timeout", "transfer"), stalled));
  CaseAnswer trickle = plain_table();
  trickle.drip_bytes = 1;
  trickle.drip_every = Millis(200);
  cases.push_back(cone_case(17, "trickle", "five bytes a second", fails("timeout", "transfer"), trickle));
  CaseAnswer slow = plain_table();
  slow.delay = Millis(300);
  slow.drip_bytes = 400;
  slow.drip_every = Millis(50);
  cases.push_back(cone_case(0, "slow", "slow, but it comes", all_rows(), slow));
}

void add_broken_http(std::vector<VoCase>& cases) {
  CaseAnswer words;
  words.raw = "220 mail.example.org ready\r\n";
  cases.push_back(cone_case(0, "not-http", "another protocol", fails("network", "http-malformed"), words));
  CaseAnswer nothing;
  nothing.raw = "";
  cases.push_back(cone_case(0, "no-answer", "the connection is closed without an answer",
                            fails("network", "connection-reset"), nothing));
  nothing.end = http::RawAnswer::End::reset;
  cases.push_back(cone_case(0, "reset", "the connection is reset without an answer",
                            fails("network", "connection-reset"), nothing));
  CaseAnswer large = plain_table();
  large.headers.emplace_back("X-Padding", std::string(300U << 10U, 'x'));
  cases.push_back(cone_case(0, "huge-headers", "300 KiB of headers", fails("refused", "headers-too-large"), large));
}

}  // namespace

std::vector<VoCase> transport_cases() {
  std::vector<VoCase> cases;
  add_cuts(cases);
  add_compression(cases);
  add_redirects(cases);
  add_slowness(cases);
  add_broken_http(cases);
  return cases;
}

}  // namespace parallax::sim

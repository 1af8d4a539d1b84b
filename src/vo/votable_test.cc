#include "vo/votable.h"

#include <bit>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "codec/gzip.h"

namespace parallax::vo {
namespace {

constexpr std::string_view kOk = "<INFO name='QUERY_STATUS' value='OK'/>";

// A VOTable with `inside` in it, in a namespace.
std::string votable(std::string_view inside) {
  return fmt::format(
      "<?xml version='1.0'?><VOTABLE version='1.4' xmlns='http://www.ivoa.net/xml/VOTable/v1.3'>{}</VOTABLE>", inside);
}

std::string results(std::string_view inside) {
  return votable(fmt::format("<RESOURCE type='results'>{}</RESOURCE>", inside));
}

// Two columns, an int and a string, with these rows.
std::string table(int rows, std::string_view attributes = "") {
  std::string text = fmt::format(
      "<TABLE {}><FIELD name='n' datatype='int'/><FIELD name='s' datatype='char' arraysize='*'/><DATA><TABLEDATA>",
      attributes);
  for (int i = 0; i < rows; ++i) {
    text += fmt::format("<TR><TD>{}</TD><TD>row {}</TD></TR>", i, i);
  }
  return text + "</TABLEDATA></DATA></TABLE>";
}

std::string binary_table(std::string_view fields, std::string_view bytes, std::string_view form = "BINARY",
                         std::string_view encoding = "base64") {
  return results(fmt::format("<TABLE>{}<DATA><{}><STREAM encoding='{}'>{}</STREAM></{}></DATA></TABLE>", fields, form,
                             encoding, base64_encode(bytes), form));
}

bool has_finding(const VotableSummary& summary, std::string_view code) {
  for (const Finding& finding : summary.findings) {
    if (finding.code == code) {
      return true;
    }
  }
  return false;
}

std::string big_endian(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (std::size_t i = size; i-- > 0;) {
    bytes += static_cast<char>(static_cast<unsigned char>(value >> (8 * i) & 0xFFU));
  }
  return bytes;
}

TEST(VotableReader, CountsRowsAndCells) {
  const VotableSummary summary = read_votable(results(fmt::format("{}{}", kOk, table(3))));
  EXPECT_EQ(summary.kind, BodyKind::votable);
  EXPECT_EQ(summary.rows, 3);
  EXPECT_EQ(summary.columns, 2);
  EXPECT_EQ(summary.cells, 6U);
  EXPECT_EQ(summary.status, "OK");
  EXPECT_EQ(summary.version, "1.4");
  EXPECT_EQ(summary.xml_namespace, "http://www.ivoa.net/xml/VOTable/v1.3");
  EXPECT_EQ(summary.fields[1].name, "s");
  EXPECT_TRUE(summary.findings.empty());
}

struct BodyCase {
  std::string_view name;
  std::string body;
  BodyKind kind;
  std::string_view serialization;
};

TEST(VotableReader, TellsTheKindOfABodyByItsBytes) {
  const std::string table_text = results(table(1));
  const BodyCase cases[] = {
      {"nothing", "", BodyKind::empty, ""},
      {"blanks only", " \n\r\n", BodyKind::empty, ""},
      {"html", "<html><head><title>Down</title></head></html>", BodyKind::html, ""},
      {"html with doctype", "\n<!DOCTYPE HTML PUBLIC '-//W3C//DTD HTML 4.01//EN'>\n<HTML>", BodyKind::html, ""},
      {"xhtml", "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>", BodyKind::html, ""},
      {"html after a comment", "<!-- page --><html><br></html>", BodyKind::html, ""},
      {"other xml", "<uws:job xmlns:uws='u'/>", BodyKind::xml, ""},
      {"json", "{\"error\": 1}", BodyKind::json, "JSON"},
      {"text", "Internal error, please try later", BodyKind::text, ""},
      {"csv", "a,b\n1,2\n3,\"4\n5\"\n", BodyKind::csv, "CSV"},
      {"parquet", "PAR1....", BodyKind::parquet, "Parquet"},
      {"image", std::string("\x89PNG\0\0\x01", 7), BodyKind::other, ""},
      {"byte order mark", "\xEF\xBB\xBF" + table_text, BodyKind::votable, "TABLEDATA"},
      {"blanks first", "\n\n  " + table_text, BodyKind::votable, "TABLEDATA"},
      {"stylesheet first", "<?xml-stylesheet href='x'?>" + table_text.substr(21), BodyKind::votable, "TABLEDATA"},
  };
  for (const BodyCase& sample : cases) {
    const VotableSummary summary = read_votable(sample.body);
    EXPECT_EQ(to_string(summary.kind), to_string(sample.kind)) << sample.name;
    EXPECT_EQ(summary.serialization, sample.serialization) << sample.name;
  }
}

TEST(VotableReader, CountsRecordsOfCsvWithQuotesInThem) {
  const VotableSummary summary = read_votable("a,b\r\n1,\"x\r\ny\"\r\n\r\n3,4");
  EXPECT_EQ(summary.rows, 2);
  EXPECT_EQ(summary.columns, 2);
  VotableOptions options;
  options.content_type = "text/csv;header=present";
  EXPECT_EQ(read_votable("just one column\n", options).kind, BodyKind::csv);
}

TEST(VotableReader, MatchesPrefixedAndNamelessElements) {
  const std::string body =
      "<v:VOTABLE xmlns:v='http://www.ivoa.net/xml/VOTable/v1.2' version='1.2'><v:RESOURCE><v:TABLE><v:FIELD name='a' "
      "datatype='int'/><v:DATA><v:TABLEDATA><v:TR><v:TD>1</v:TD></v:TR></v:TABLEDATA></v:DATA></v:TABLE></v:RESOURCE>"
      "</v:VOTABLE>";
  const VotableSummary summary = read_votable(body);
  EXPECT_EQ(summary.rows, 1);
  EXPECT_EQ(summary.xml_namespace, "http://www.ivoa.net/xml/VOTable/v1.2");
  EXPECT_FALSE(has_finding(summary, "no-namespace"));
  const VotableSummary bare = read_votable("<VOTABLE><RESOURCE>" + table(2) + "</RESOURCE></VOTABLE>");
  EXPECT_EQ(bare.rows, 2);
  EXPECT_TRUE(has_finding(bare, "no-namespace"));
}

TEST(VotableReader, CountsTheFirstTableOfAResultsResource) {
  const std::string meta = "<RESOURCE type='meta'>" + table(1) + "</RESOURCE>";
  const std::string untyped = "<RESOURCE>" + table(2) + "</RESOURCE>";
  const std::string typed = "<RESOURCE type='results'>" + table(3) + table(4) + "</RESOURCE>";
  const std::string nested = "<RESOURCE type='meta'><RESOURCE type='results'>" + table(5) + "</RESOURCE></RESOURCE>";
  EXPECT_EQ(read_votable(votable(meta)).rows, 1);
  EXPECT_EQ(read_votable(votable(meta + untyped)).rows, 2);
  EXPECT_EQ(read_votable(votable(meta + untyped + typed)).rows, 3);
  EXPECT_EQ(read_votable(votable(typed + untyped + meta)).rows, 3);
  EXPECT_EQ(read_votable(votable(nested + typed)).rows, 5);
  EXPECT_EQ(read_votable(votable(meta + typed)).cells, 6U);
}

TEST(VotableReader, TakesATableWithoutDataOrWithoutFields) {
  const VotableSummary metadata = read_votable(results("<TABLE><FIELD name='a' datatype='int'/></TABLE>"));
  EXPECT_EQ(metadata.rows, 0);
  EXPECT_EQ(metadata.columns, 1);
  EXPECT_EQ(metadata.serialization, "");
  const VotableSummary bare = read_votable(results("<TABLE><DATA><TABLEDATA><TR/><TR/></TABLEDATA></DATA></TABLE>"));
  EXPECT_EQ(bare.rows, 0);
  EXPECT_EQ(bare.columns, 0);
  EXPECT_TRUE(has_finding(bare, "rows-without-fields"));
  EXPECT_EQ(read_votable(results("<TABLE><DATA><BINARY2><STREAM>AAAA</STREAM></BINARY2></DATA></TABLE>")).rows, 0);
}

TEST(VotableReader, CopiesTheFieldsOfATableThatIsReferredTo) {
  const std::string body = votable(
      "<RESOURCE type='meta'><TABLE ID='t'><FIELD name='a' datatype='int'/></TABLE></RESOURCE><RESOURCE "
      "type='results'><TABLE ref='t'><DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE>");
  EXPECT_EQ(read_votable(body).rows, 1);
  EXPECT_EQ(read_votable(body).columns, 1);
}

TEST(VotableReader, RemarksOnWrongRowAndCellCounts) {
  const VotableSummary wrong = read_votable(results(table(3, "nrows='4'")));
  EXPECT_EQ(wrong.rows, 3);
  EXPECT_TRUE(has_finding(wrong, "nrows"));
  EXPECT_FALSE(has_finding(read_votable(results(table(3, "nrows='3'"))), "nrows"));
  const VotableSummary uneven = read_votable(
      results("<TABLE><FIELD datatype='int'/><DATA><TABLEDATA><TR><TD>1</TD><TD>2</TD></TR><TR></TR></TABLEDATA></DATA>"
              "</TABLE>"));
  EXPECT_EQ(uneven.rows, 2);
  ASSERT_EQ(uneven.findings.size(), 1U);
  EXPECT_EQ(uneven.findings[0].code, "cell-count");
  EXPECT_EQ(uneven.findings[0].count, 2U);
  EXPECT_EQ(uneven.findings[0].message, "row 1 has 2 cells for 1 fields");
}

TEST(VotableReader, JudgesCellsByTheirDatatype) {
  const std::string fields =
      "<FIELD datatype='int'><VALUES null='-9'/></FIELD><FIELD datatype='double'/><FIELD datatype='boolean'/>"
      "<FIELD datatype='char' arraysize='*'><VALUES null='none'/></FIELD>";
  const auto row = [](std::string_view a, std::string_view b, std::string_view c, std::string_view d) {
    return fmt::format("<TR><TD>{}</TD><TD>{}</TD><TD>{}</TD><TD>{}</TD></TR>", a, b, c, d);
  };
  const std::string rows = row("0xFF", " 1.5e-3 ", "T", "x") + row("-9", "NaN", "?", "none") + row("", "", "", "") +
                           row("1.5", "1,5", "maybe", "<![CDATA[<a>]]>&amp;") + row("+1", "-Inf", "false", " ");
  const VotableSummary summary =
      read_votable(results("<TABLE>" + fields + "<DATA><TABLEDATA>" + rows + "</TABLEDATA></DATA></TABLE>"));
  EXPECT_EQ(summary.cells, 20U);
  EXPECT_EQ(summary.null_cells, 8U);
  EXPECT_EQ(summary.bad_cells, 3U);
  EXPECT_TRUE(has_finding(summary, "bad-cell"));
}

TEST(VotableReader, KeepsADocumentWithBadTextInIt) {
  const VotableSummary summary = read_votable(results("<INFO name='x' value='caf\xe9 \x01'/>" + table(2)));
  EXPECT_EQ(summary.rows, 2);
  EXPECT_EQ(summary.problem, Problem::none);
  EXPECT_TRUE(has_finding(summary, "bad-text"));
  EXPECT_FALSE(has_finding(read_votable(results("<INFO name='x' value='caf\xc3\xa9'/>")), "bad-text"));
}

TEST(VotableReader, ReadsOtherEncodings) {
  const std::string body = results("<INFO name='QUERY_STATUS' value='ERROR'>caf\xe9</INFO>").substr(21);
  EXPECT_EQ(read_votable("<?xml version='1.0' encoding='ISO-8859-1'?>" + body).message, "caf\xc3\xa9");
  EXPECT_EQ(read_votable("<?xml version='1.0' encoding='us-ascii'?>" + results(table(1)).substr(21)).rows, 1);
  std::string wide = "\xFF\xFE";
  for (const char c : results(table(3)).substr(21)) {
    wide += c;
    wide += '\0';
  }
  EXPECT_EQ(read_votable(wide).rows, 3);
}

TEST(VotableReader, SkipsForeignElementsWithAllThatIsInThem) {
  const std::string foreign =
      "<m:VODML xmlns:m='m'><TABLE><FIELD datatype='int'/></TABLE><INFO name='Error'/></m:VODML>";
  const VotableSummary summary = read_votable(results(foreign + table(2)));
  EXPECT_EQ(summary.rows, 2);
  EXPECT_EQ(summary.status, "");
}

TEST(VotableReader, RecordsWhatItDoesNotFetchOrCount) {
  const VotableSummary remote = read_votable(results(
      "<TABLE><FIELD datatype='int'/><DATA><BINARY><STREAM href='file:///etc/passwd'/></BINARY></DATA></TABLE>"));
  EXPECT_FALSE(remote.rows_counted);
  EXPECT_TRUE(has_finding(remote, "remote-stream"));
  const VotableSummary fits = read_votable(results("<TABLE><FIELD datatype='int'/><DATA><FITS/></DATA></TABLE>"));
  EXPECT_EQ(fits.serialization, "FITS");
  EXPECT_FALSE(fits.rows_counted);
  EXPECT_TRUE(has_finding(fits, "fits-not-counted"));
  EXPECT_EQ(fits.problem, Problem::none);
}

TEST(VotableReader, WalksEveryDatatypeAndArrayInBinary) {
  struct Case {
    std::string_view field;
    std::string cell;
  };

  const Case cases[] = {
      {"datatype='boolean'", "T"},
      {"datatype='bit'", "\x01"},
      {"datatype='bit' arraysize='17'", "abc"},
      {"datatype='bit' arraysize='*'", big_endian(9, 4) + "ab"},
      {"datatype='unsignedByte'", "x"},
      {"datatype='short'", "xx"},
      {"datatype='int'", "xxxx"},
      {"datatype='long'", "xxxxxxxx"},
      {"datatype='char'", "c"},
      {"datatype='char' arraysize='5'", "hello"},
      {"datatype='char' arraysize='*'", big_endian(5, 4) + "hello"},
      {"datatype='char' arraysize='10*'", big_endian(2, 4) + "ab"},
      {"datatype='unicodeChar' arraysize='*'", big_endian(2, 4) + std::string("\0a\0b", 4)},
      {"datatype='unicodeChar'", std::string("\0a", 2)},
      {"datatype='float' arraysize='3'", std::string(12, 'f')},
      {"datatype='float' arraysize='2x3'", std::string(24, 'f')},
      {"datatype='double' arraysize='2x*'", big_endian(4, 4) + std::string(32, 'f')},
      {"datatype='double' arraysize='2x5*'", big_endian(2, 4) + std::string(16, 'f')},
      {"datatype='floatComplex'", "xxxxxxxx"},
      {"datatype='doubleComplex'", "xxxxxxxxxxxxxxxx"},
      {"datatype='short' arraysize='0'", ""},
  };
  std::string fields;
  std::string row;
  for (const Case& one : cases) {
    fields += fmt::format("<FIELD {}/>", one.field);
    row += one.cell;
    const VotableSummary alone = read_votable(binary_table(fmt::format("<FIELD datatype='int'/><FIELD {}/>", one.field),
                                                           "1234" + one.cell + "5678" + one.cell));
    EXPECT_EQ(alone.rows, 2) << one.field;
    EXPECT_EQ(alone.problem, Problem::none) << one.field << ": " << alone.problem_text;
  }
  EXPECT_EQ(read_votable(binary_table(fields, row + row + row)).rows, 3);
  const std::string mask(3, '\0');
  EXPECT_EQ(read_votable(binary_table(fields, mask + row + mask + row, "BINARY2")).rows, 2);
  EXPECT_EQ(read_votable(binary_table(fields, gzip_compress(row + row), "BINARY", "gzip")).rows, 2);
}

TEST(VotableReader, FindsNullsInBinary) {
  const std::string fields =
      "<FIELD datatype='short'><VALUES null='-1'/></FIELD><FIELD datatype='double'/><FIELD datatype='boolean'/><FIELD "
      "datatype='char' arraysize='3'><VALUES null='n/a'/></FIELD>";
  const std::string nan = big_endian(0x7FF8000000000000U, 8);
  const std::string one = big_endian(std::bit_cast<std::uint64_t>(1.0), 8);
  const std::string infinite = big_endian(0x7FF0000000000000U, 8);
  const std::string nulls = "\xFF\xFF" + nan + "?n/a";
  const std::string values = big_endian(1, 2) + one + "Tabc";
  const std::string more = big_endian(0xFFFE, 2) + infinite + "F" + std::string("n\0\0", 3);
  EXPECT_EQ(read_votable(binary_table(fields, nulls + values + more)).null_cells, 4U);
  EXPECT_EQ(read_votable(binary_table(fields, "\xA0" + values + std::string(1, '\0') + values, "BINARY2")).null_cells,
            2U);
}

TEST(VotableReader, SeesAStreamThatWasCut) {
  const std::string fields = "<FIELD datatype='int'/>";
  const VotableSummary partial = read_votable(binary_table(fields, "aaaabbbbcc"));
  EXPECT_EQ(partial.problem, Problem::truncated);
  EXPECT_EQ(partial.problem_code, "partial-row");
  EXPECT_EQ(partial.rows, 2);
  std::string damaged = binary_table(fields, "aaaabbbbcccc");
  damaged[damaged.find("YWFh")] = '%';
  const VotableSummary bad = read_votable(damaged);
  EXPECT_EQ(bad.problem, Problem::truncated);
  EXPECT_EQ(bad.problem_code, "bad-base64");
  const std::string small = gzip_compress("aaaabbbbcccc");
  EXPECT_EQ(read_votable(binary_table(fields, small.substr(0, small.size() - 9), "BINARY", "gzip")).problem,
            Problem::truncated);
}

TEST(VotableReader, ReadsTheStatusBehindABrokenStream) {
  const std::string body = results(
      "<TABLE><FIELD datatype='int'/><DATA><BINARY><STREAM>YWFh*</STREAM></BINARY></DATA></TABLE><INFO "
      "name='QUERY_STATUS' value='ERROR'>disk full</INFO>");
  EXPECT_EQ(read_votable(body).status, "ERROR");
  EXPECT_EQ(read_votable(body).message, "disk full");
}

TEST(VotableReader, TellsTruncatedFromDamaged) {
  const std::string body = results(table(10));
  EXPECT_EQ(read_votable(body.substr(0, body.size() / 2)).problem, Problem::truncated);
  std::string damaged = body;
  damaged.replace(body.find("row 5"), 3, "<<<");
  EXPECT_EQ(read_votable(damaged).problem, Problem::not_votable);
  EXPECT_EQ(read_votable(damaged).problem_code, "xml-malformed");
  const VotableSummary trailing = read_votable(body + "<!-- fine --> <oops>");
  EXPECT_EQ(trailing.problem, Problem::none);
  EXPECT_EQ(trailing.rows, 10);
  EXPECT_TRUE(has_finding(trailing, "trailing-content"));
}

// The hostile rows of the conformance matrix.

TEST(VotableReader, RefusesACountOfABillionWithoutAllocating) {
  const std::string variable =
      binary_table("<FIELD datatype='int' arraysize='*'/>", big_endian(1'000'000'000, 4) + "abcd");
  const VotableSummary summary = read_votable(variable);
  EXPECT_EQ(summary.problem, Problem::refused);
  EXPECT_EQ(summary.problem_code, "cell-size");
  const VotableSummary fixed = read_votable(binary_table("<FIELD datatype='int' arraysize='1000000000'/>", "abcd"));
  EXPECT_EQ(fixed.problem, Problem::refused);
  EXPECT_EQ(
      read_votable(binary_table("<FIELD datatype='double' arraysize='9999999999x9999999999x9999999999'/>", "abcd"))
          .problem,
      Problem::refused);
  EXPECT_EQ(read_votable(binary_table("<FIELD datatype='int' arraysize='*'/>", big_endian(0xFFFFFFFF, 4))).problem_code,
            "binary-count");
}

TEST(VotableReader, RefusesEntitiesAndDeepNesting) {
  const std::string entity = "<!DOCTYPE VOTABLE [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><VOTABLE>&x;</VOTABLE>";
  EXPECT_EQ(read_votable(entity).problem, Problem::refused);
  std::string deep = "<VOTABLE>";
  for (int i = 0; i < 300; ++i) {
    deep += "<RESOURCE>";
  }
  EXPECT_EQ(read_votable(deep).problem_code, "xml-depth");
  EXPECT_EQ(
      read_votable("<!DOCTYPE VOTABLE SYSTEM 'http://us-vo.org/xml/VOTable.dtd'>" + votable("").substr(21)).problem,
      Problem::none);
}

TEST(VotableReader, TellsTheCallerToStopAtALimit) {
  VotableOptions options;
  options.limits.bytes_max = 100;
  VotableReader reader(options);
  EXPECT_TRUE(reader.push(std::string(100, ' ')).has_value());
  const auto result = reader.push(" ");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::refused);
  EXPECT_FALSE(reader.push(" ").has_value());
  EXPECT_EQ(reader.finish().problem, Problem::refused);
}

TEST(VotableReader, RefusesLongCellsManyColumnsAndManyRows) {
  VotableOptions options;
  options.limits.cell_bytes_max = 10;
  options.limits.columns_max = 2;
  options.limits.rows_max = 3;
  EXPECT_EQ(read_votable(results(table(3)), options).problem, Problem::none);
  EXPECT_EQ(read_votable(results(table(4)), options).problem_code, "rows");
  const std::string fields = "<FIELD datatype='char' arraysize='*'/>";
  const std::string cell = "<DATA><TABLEDATA><TR><TD>12345678901</TD></TR></TABLEDATA></DATA>";
  EXPECT_EQ(read_votable(results("<TABLE>" + fields + cell + "</TABLE>"), options).problem_code, "cell-size");
  EXPECT_EQ(read_votable(results("<TABLE>" + fields + fields + fields + "</TABLE>"), options).problem_code, "columns");
  EXPECT_EQ(read_votable(binary_table("<FIELD datatype='unsignedByte'/>", "1234"), options).problem_code, "rows");
}

TEST(VotableReader, RefusesRowsThatTakeNoBytes) {
  const VotableSummary summary = read_votable(binary_table("<FIELD datatype='int' arraysize='0'/>", "abcd"));
  EXPECT_EQ(summary.problem, Problem::not_votable);
  EXPECT_EQ(summary.problem_code, "empty-rows");
}

TEST(VotableReader, CannotCountRowsOfAnUnknownDatatype) {
  const VotableSummary summary = read_votable(binary_table("<FIELD name='f' datatype='quad'/>", "abcd"));
  EXPECT_EQ(summary.problem, Problem::not_votable);
  EXPECT_EQ(summary.problem_code, "unknown-datatype");
  EXPECT_FALSE(summary.rows_counted);
}

// Compression, declared and not.

TEST(VotableReader, InflatesWhatIsDeclaredAndWhatIsNot) {
  const std::string body = results(table(3));
  VotableOptions declared;
  declared.coding = ContentCoding::gzip;
  const VotableSummary plain = read_votable(gzip_compress(body), declared);
  EXPECT_EQ(plain.rows, 3);
  EXPECT_TRUE(plain.findings.empty());
  EXPECT_EQ(plain.bytes_decoded, body.size());
  const VotableSummary undeclared = read_votable(gzip_compress(body));
  EXPECT_EQ(undeclared.rows, 3);
  EXPECT_TRUE(has_finding(undeclared, "undeclared-gzip"));
  EXPECT_EQ(undeclared.bytes_decoded, body.size());
  EXPECT_EQ(read_votable(gzip_compress(gzip_compress(body)), declared).rows, 3);
  EXPECT_EQ(read_votable(gzip_compress(gzip_compress(gzip_compress(gzip_compress(body)))), declared).problem_code,
            "inflate-layers");
}

TEST(VotableReader, RefusesABombAndRejectsWhatIsNotGzip) {
  VotableOptions declared;
  declared.coding = ContentCoding::gzip;
  const std::string not_gzip = results(table(1));
  EXPECT_EQ(read_votable(not_gzip, declared).problem, Problem::not_votable);
  const std::string bomb = gzip_compress("<VOTABLE>" + std::string(std::size_t{30} << 20, ' '), 9);
  EXPECT_EQ(read_votable(bomb, declared).problem, Problem::refused);
  EXPECT_EQ(read_votable(bomb).problem, Problem::refused);
  EXPECT_EQ(read_votable(binary_table("<FIELD datatype='int'/>",
                                      gzip_compress(std::string(std::size_t{30} << 20, ' '), 9), "BINARY", "gzip"))
                .problem,
            Problem::refused);
}

}  // namespace
}  // namespace parallax::vo

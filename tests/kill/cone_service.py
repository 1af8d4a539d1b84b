"""A cone search service that remembers what it was asked and what it answered."""
import dataclasses
import hashlib
import threading
import urllib.parse

import wire

HEADER = ('<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
          '<RESOURCE type="results">')


@dataclasses.dataclass
class Query:
    """One query that reached the service. What it is answered follows from its position alone."""
    place: tuple  # RA, DEC, SR as numbers
    status: int
    verdict: str
    rows: int
    body: bytes
    whole: bool = False  # the answer went out to its last byte


def make_query(place):
    digest = hashlib.sha256(repr(place).encode()).digest()
    if digest[0] < 13:
        return Query(place, 500, "http-error", 0, b"out of order")
    if digest[0] < 26:
        text = HEADER + '<INFO name="Error" value="no such place"/></RESOURCE></VOTABLE>'
        return Query(place, 200, "service-error", 0, text.encode())
    rows = digest[1] % 6
    text = (HEADER + '<TABLE><FIELD name="id" datatype="int" ucd="meta.id;meta.main"/>'
            '<FIELD name="mag" datatype="double"/><DATA><TABLEDATA>'
            + "".join(f"<TR><TD>{digest[2 + i]}</TD><TD>{i}.5</TD></TR>" for i in range(rows))
            + "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>")
    return Query(place, 200, "ok", rows, text.encode())


class ConeService:
    """`watch(lane, moment)` is called for each query at the moments "asked", "half" and "whole" of its answer; the
    lane is the last part of the URL's path."""

    def __init__(self, watch):
        self.watch = watch
        self.lock = threading.Lock()
        self.queries = []
        self.listener = wire.Listener(self.serve)

    def url(self, lane):
        return f"http://127.0.0.1:{self.listener.port}/{lane}"

    def serve(self, connection):
        head, _ = wire.read_message(connection)
        target = urllib.parse.urlsplit(head.split()[1].decode())
        fields = dict(urllib.parse.parse_qsl(target.query))
        query = make_query(tuple(float(fields[name]) for name in ("RA", "DEC", "SR")))
        lane = target.path.strip("/")
        with self.lock:
            self.queries.append(query)
        self.watch(lane, "asked")
        content_type = "text/plain" if query.status == 500 else "application/x-votable+xml"
        head, body = wire.answer(query.status, query.body, content_type)
        half = len(body) // 2
        connection.sendall(head + body[:half])
        self.watch(lane, "half")
        connection.sendall(body[half:])
        with self.lock:
            query.whole = True
        self.watch(lane, "whole")

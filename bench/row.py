"""A line of the table that bench/run prints."""
import dataclasses


@dataclasses.dataclass
class Row:
    measure: str
    ours: str
    peer: str
    ratio: float
    aim: str = ""
    is_met: bool = None  # None: there is no aim

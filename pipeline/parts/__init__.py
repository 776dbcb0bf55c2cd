"""Parts: what was read of some consecutive opinions, as one file; whoever has the file need not read them again.

A part is a Parquet file of plain columns, their pages with checksums: nothing in it can run, and it can be read without the
texts. It holds masked text and is its owner's alone. Parts of one run lie in one folder inside the result folder until the run
has ended; the same run, begun again after a kill, takes over those that are whole.
"""

from pipeline.parts.files import PartError, read_part, write_part
from pipeline.parts.folder import PART, PARTS, Parts, end_parts

__all__ = ["PART", "PARTS", "PartError", "Parts", "end_parts", "read_part", "write_part"]

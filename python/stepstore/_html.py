"""The text of a page that was stored as bytes."""

from __future__ import annotations

import codecs
import re

_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)

# Python's name of a declared encoding, and the superset of it that browsers read it as. Other
# encodings of Python's are none of pages: some are no encodings of text at all.
_DECLARED = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_AS_DECLARED = {
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *(f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
    *("koi8-r", "koi8-u", "cp866", "cp874", "mac-roman", "mac-cyrillic"),
    *("gb18030", "big5hkscs", "cp932", "euc_jp", "iso2022_jp", "cp949"),
}


def _declared(page: bytes) -> str | None:
    match = _CHARSET.search(page[:1024])
    if match is None:
        return None
    try:
        name = codecs.lookup(match[1].decode("ascii")).name
    except LookupError:
        return None
    return _DECLARED.get(name) or (name if name in _AS_DECLARED else None)


def decode(page: bytes) -> str:
    """The text: by a UTF-16 mark, else as UTF-8, else by its <meta charset>. Never fails.

    UTF-8 goes before what the page declares, so that a page given as str is the same str again.
    """
    for mark, encoding in _MARKS:
        if page.startswith(mark):
            return page[len(mark) :].decode(encoding, "replace")
    try:
        return page.decode()
    except UnicodeDecodeError:
        return page.decode(_declared(page) or "utf-8", "replace")

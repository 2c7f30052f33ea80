"""A page comes back as the same text, and bytes in any encoding have a text."""

import asyncio
import random
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stepstore import StorageManager, _html, aio


@pytest.mark.parametrize(
    "page",
    [
        '<meta charset="iso-8859-1"><p>ä€',
        "<meta charset=shift_jis>日本",
        "<meta charset=utf-7>+AGE-",
        "\ufeff<p>ä",
        "\x00\r\n\ufffe",
        "",
    ],
)
def test_a_page_of_str_is_the_same_str(store: StorageManager, page: str) -> None:
    store.store_step_data("s", "1", page)
    assert store.retrieve_step_data("s", "1").html_content == page


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (b"\xef\xbb\xbf<p>\xc3\xa4", "\ufeff<p>ä"),
        (b'<meta charset="iso-8859-1"><p>\xe4', '<meta charset="iso-8859-1"><p>ä'),
        (b"<meta charset=nonsense>\xc3\xa4", "<meta charset=nonsense>ä"),
        ("<p>ä".encode("utf-16"), "<p>ä"),
        (b"<p>\xff", "<p>\ufffd"),
        (b"<meta charset=utf-16><p>", "<meta charset=utf-16><p>"),
        (b"<meta charset=base64>x", "<meta charset=base64>x"),
        (b"<meta charset=iso-8859-1>\x80", "<meta charset=iso-8859-1>\u20ac"),
        (b"<meta charset=shift_jis>\x93\xfa", "<meta charset=shift_jis>\u65e5"),
        (b"<meta charset=unicode_escape>\\u0041\xff", "<meta charset=unicode_escape>\\u0041\ufffd"),
        (b"<meta charset=rot13>a\xff", "<meta charset=rot13>a\ufffd"),
        (b"<meta charset=idna>a\xff", "<meta charset=idna>a\ufffd"),
    ],
)
def test_pages_of_bytes_are_text_too(store: StorageManager, html: bytes, text: str) -> None:
    store.store_step_data("s", "1", html)
    step = store.retrieve_step_data("s", "1")
    assert step.html_content == text
    assert step.html_bytes == html


# Long ones become UTF-8 in the library, in blocks of 32 characters; the letters take from one byte to four.
@pytest.mark.parametrize("length", [4095, 4096, 4159, 4160, 70_001])
@pytest.mark.parametrize(
    "letters", ["a\x7f", "\0\x80", "a\x80\xff", "\u07ff\u0800\ud7ff\ue000\uffff", "aé€\U00010000\U0010ffff"]
)
@pytest.mark.parametrize("rarely", [1, 1000])
def test_long_text_is_the_same_text(store: StorageManager, length: int, letters: str, rarely: int) -> None:
    rng = random.Random(f"{length} {letters} {rarely}")
    page = "".join(rng.choices(letters, [rarely] + [1] * (len(letters) - 1), k=length))
    store.store_step_data("s", "1", page, components={"a": b"-", "t": page[::-1], "b": page[1:]})
    step = store.retrieve_step_data("s", "1")
    assert step.html_content == page
    assert step.html_bytes == page.encode()
    assert step.components["t"] == page[::-1].encode()
    assert step.components["b"] == page[1:].encode()


def check_text(store: StorageManager, html: bytes) -> None:
    """What is UTF-8 is told apart as Python does it; the str is the one that Python makes, down to its width."""
    store.store_step_data("s", "1", html)
    found = store.retrieve_step_data("s", "1").html_content
    try:
        expected = html.decode()
    except UnicodeDecodeError:
        expected = _html.decode(html)
    assert found is not None
    assert (found, hash(found), sys.getsizeof(found)) == (expected, hash(expected), sys.getsizeof(expected))


# The first and the last character of each size, and of each width in which Python keeps text.
@pytest.mark.parametrize("largest", "\x7f\x80\xff\u0100\u013f\u0140\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff")
@pytest.mark.parametrize("before", [0, 1, 31, 32, 33])
def test_bytes_have_text_of_any_width(store: StorageManager, largest: str, before: int) -> None:
    check_text(store, ("a" * before + largest + "b" * 40).encode())


@pytest.mark.parametrize(
    "odd",
    [
        *(b"\x80", b"\xbf", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98"),  # alone, or cut off
        *(b"\xc0\x80", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf"),  # longer than they need be
        *(b"\xed\xa0\x80", b"\xed\xbf\xbf"),  # surrogates
        *(
            b"\xf4\x90\x80\x80",
            b"\xf4\x90\x80\x81",
            b"\xf4\xbf\xbf\xbf",
            b"\xf5\x80\x80\x80",
            b"\xff",
        ),  # beyond Unicode
        *(b"\xe2\x41\x82", b"\xe2\x82\x41", b"\xf0\x9f\x41\x80"),  # not gone on with
    ],
)
@pytest.mark.parametrize("before", [0, 30, 31, 32])
@pytest.mark.parametrize("after", [b"", b"b" * 40, "\u20ac".encode() * 20])
def test_bytes_that_are_no_utf_8_are_not_taken_for_it(
    store: StorageManager, odd: bytes, before: int, after: bytes
) -> None:
    html = b"a" * before + odd + after
    with pytest.raises(UnicodeDecodeError):
        html.decode()
    check_text(store, html)


# Blocks of ASCII around any text, and at times a byte that does not belong there.
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.integers(0, 70),
    text=st.text(max_size=70),
    after=st.integers(0, 70),
    odd=st.none() | st.tuples(st.integers(0, 400), st.integers(0x80, 0xFD)),
)
def test_bytes_have_the_text_that_python_gives_them(
    store: StorageManager, before: int, text: str, after: int, odd: tuple[int, int] | None
) -> None:
    html = bytearray(("a" * before + text + "b" * after).encode())
    if odd and html:
        html[odd[0] % len(html)] = odd[1]
    check_text(store, bytes(html))


def test_long_text_waits_beside_other_calls() -> None:
    pages = [f"{i}€" * 5000 for i in range(40)]

    async def main() -> None:
        async with aio.StorageManager("memory:") as store:
            await asyncio.gather(*(store.store_step_data("s", str(i), page) for i, page in enumerate(pages)))
            found = await asyncio.gather(*(store.retrieve_step_data("s", str(i)) for i in range(len(pages))))
            assert [step.html_content for step in found] == pages

    asyncio.run(main())


@pytest.mark.parametrize("lone", ["\ud800", "\udfff\U00010000"])
def test_lone_surrogates_in_long_text_are_replaced_and_noted(
    store: StorageManager, caplog: pytest.LogCaptureFixture, lone: str
) -> None:
    page = "a" * 5000 + lone + "b" * 100
    store.store_step_data("s", "1", page)
    assert store.retrieve_step_data("s", "1").html_content == page.encode(errors="replace").decode()
    assert "surrogates" in caplog.text


def test_lone_surrogates_in_a_page_are_replaced_and_noted(
    store: StorageManager, caplog: pytest.LogCaptureFixture
) -> None:
    store.store_step_data("s", "1", "<p>\ud800</p>")
    assert store.retrieve_step_data("s", "1").html_content == "<p>?</p>"
    assert "surrogates" in caplog.text

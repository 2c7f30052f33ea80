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
@pytest.mark.parametrize("letters", ["a\x7f", "a\x80\xff", "\u07ff\u0800\ud7ff\ue000\uffff", "aé€\U00010000\U0010ffff"])
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


# Blocks of ASCII around the text, and at times a byte that does not belong there: what is UTF-8 is told apart as Python
# does it, and the str is the one that Python would have made, down to its width.
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
    store.store_step_data("s", "1", bytes(html))
    found = store.retrieve_step_data("s", "1").html_content
    try:
        expected = bytes(html).decode()
    except UnicodeDecodeError:
        expected = _html.decode(bytes(html))
    assert found is not None
    assert (found, hash(found), sys.getsizeof(found)) == (expected, hash(expected), sys.getsizeof(expected))


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

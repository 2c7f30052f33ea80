"""A page comes back as the same text, and bytes in any encoding have a text."""

import pytest
from stepstore import StorageManager


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


def test_lone_surrogates_in_a_page_are_replaced_and_noted(
    store: StorageManager, caplog: pytest.LogCaptureFixture
) -> None:
    store.store_step_data("s", "1", "<p>\ud800</p>")
    assert store.retrieve_step_data("s", "1").html_content == "<p>?</p>"
    assert "surrogates" in caplog.text

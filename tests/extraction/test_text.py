import codecs

import pytest

from bowerbird.extraction.text import clean, decode

RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 5
JAPANESE = "これは日本語の文章です。文字コードを推定できるかを確かめます。"
CHINESE = "这是一个用来检查字符集识别的中文句子，应当被正确地解码。"
KOREAN = "이것은 한국어 문장입니다. 문자 집합을 올바르게 알아내는지 확인합니다."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Grüße aus Zürich", "utf-8"),
        ("Grüße aus Zürich – bis später", "cp1252"),
        ("plain words without a mark", "utf-16-le"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (CHINESE, "gb18030"),
        (KOREAN, "euc_kr"),
    ],
)
def test_character_sets_are_recognised(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_decides(mark: bytes, encoding: str) -> None:
    assert decode(mark + "naïve 文字".encode(encoding)) == "naïve 文字"


def test_a_declared_character_set_is_believed() -> None:
    page = '<meta charset="iso-8859-2"><p>Příliš žluťoučký kůň</p>'
    assert decode(page.encode("iso-8859-2")) == page


def test_a_cut_off_character_at_the_end_is_dropped() -> None:
    assert decode("Ende gut, alles gü".encode()[:-1]) == "Ende gut, alles g"


@pytest.mark.parametrize("data", [bytes(range(256)) * 20, b"\x00\x01\x02\x03" * 50, b"\x7fELF\x02\x01\x01\x00\x00\x00"])
def test_binary_is_not_text(data: bytes) -> None:
    assert decode(data) is None


def test_clean_text_holds_nothing_that_breaks_others() -> None:
    assert clean("a\x00b\x07\ufeff\ud800c\u00ad d \r\ne\x0cf\x85g") == "abc d\ne\nf\ng"
    assert clean("e\u0301") == "é"
    assert clean("tab\tstays") == "tab\tstays"

"""Terms: the same word in another form, script or spelling is the same term, and phrases keep their order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.index.analysis import WORD, document_terms, phrase_terms, query_terms, word_terms
from bowerbird.index.languages import CODES, language_of, languages_of

LANGUAGES = st.sampled_from(sorted(CODES))
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            ["Häuser", "東京都", "ภาษาไทย", "PRJ-123", "maxTokens", "한국어", "C++", " ", "كتاب", "किताबें", "ﬁ", "."]
        ),
        max_size=12,
    ).map("".join),
)


def found(text: str, query: str, language: str) -> bool:
    """Whether a text of a language has all terms of a query in it."""
    return set(query_terms(query, [language])) <= set(document_terms(text, language).split())


@pytest.mark.parametrize(
    ("language", "text", "query"),
    [
        ("en", "the migrations were planned", "plan migration"),
        ("de", "Die Häuser der Kündigungen", "haus kündigung"),
        ("de", "Straße nach Köln", "strasse koln"),
        ("es", "las reuniones", "reunión"),
        ("fr", "l'année dernière", "annee"),
        ("ro", "ședințele echipei", "ședință"),
        ("tr", "evlerimizden", "evler"),
        ("ru", "отчёты за квартал", "отчет"),
        ("el", "οι εκθέσεις", "έκθεση"),
        ("hi", "किताबों में", "किताब"),
        ("ar", "المدارس الجديدة", "مدارس"),
        ("vi", "báo cáo tài chính", "tai chinh"),
        ("th", "การประชุมงบประมาณ", "งบประมาณ"),
        ("zh", "东京都的年度预算", "预算"),
        ("zh", "一只猫", "猫"),
        ("ja", "東京タワーのレポート", "レポート"),
        ("ko", "한국어를 배우다", "한국어"),
        ("en", "ｆｕｌｌ ｗｉｄｔｈ ﬁle", "full width file"),
        ("en", "calls maxTokens twice", "max tokens"),
        ("en", "calls maxTokens twice", "maxtokens"),
        ("en", "HTTPServer", "server"),
        ("en", "set max_tokens here", "max_tokens"),
        ("en", "see PRJ-123", "PRJ123"),
        ("en", "see PRJ-123", "prj-123"),
        ("en", "os.path.join fails", "os.path.join"),
        ("en", "std::vector", "vector"),
        ("en", "an e-mail", "email"),
        ("en", "an email", "email"),
        ("en", "written in C++ and C#", "c++"),
        ("de", "der отчёт auf Russisch", "отчёты"),
    ],
)
def test_a_word_is_found_in_its_other_forms(language: str, text: str, query: str) -> None:
    assert found(text, query, language)


@pytest.mark.parametrize(
    ("language", "text", "query"),
    [
        ("zh", "东京都的年度预算", "北京"),
        ("th", "การประชุมงบประมาณ", "ตลาด"),
        ("en", "see PRJ-123", "PRJ-124"),
        ("en", "C++", "c#"),
    ],
)
def test_another_word_is_not(language: str, text: str, query: str) -> None:
    assert not found(text, query, language)


@given(TEXTS, TEXTS, TEXTS, LANGUAGES)
def test_a_phrase_of_whole_words_stands_in_every_text_around_it(left: str, phrase: str, right: str, code: str) -> None:
    terms, wanted = document_terms(f"{left} {phrase} {right}", code), phrase_terms(phrase, code)
    assert f" {wanted} " in f" {terms} " or not wanted


@given(st.text("東京都年度的预算報告", min_size=1, max_size=9), st.integers(0, 8), st.integers(1, 9))
def test_a_phrase_is_found_inside_a_run_without_spaces(run: str, start: int, length: int) -> None:
    part = run[start : start + length]
    if part:
        assert f" {phrase_terms(part, 'zh')} " in f" {document_terms(run, 'zh')} "


@given(TEXTS, LANGUAGES)
def test_terms_are_words_and_stand_where_they_say(text: str, code: str) -> None:
    for word in WORD.findall(text):
        for term in word_terms(word, code):
            assert term.text and not term.text.isspace() and " " not in term.text
            assert 0 <= term.start < term.end <= len(word)
    assert all(document_terms(text, code).split()) and query_terms(text, [code]) is not None


def test_words_of_grammar_are_asked_for_only_alone_or_in_capitals() -> None:
    assert query_terms("Wer hat den Plan?", ["de"]) == ["plan"]
    assert query_terms("who is IT", ["en"]) == ["it"]
    assert query_terms("the who", ["en"]) == ["the", "who"]
    assert query_terms("plan of the", ["en"], unfinished=True) == ["plan", "the"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Bericht liegt auf dem Tisch und ist fertig", "de"),
        ("The report is on the table", "en"),
        ("El informe está en la mesa y es de la empresa", "es"),
        ("Le rapport est sur la table et il est prêt", "fr"),
        ("Raportul este pe masă și nu are titlu", "ro"),
        ("Rapor masanın üzerinde ve bu bir kopya değil", "tr"),
        ("Báo cáo này là của công ty và được viết trong năm", "vi"),
        ("Отчёт лежит на столе", "ru"),
        ("Η έκθεση είναι στο τραπέζι", "el"),
        ("التقرير على الطاولة", "ar"),
        ("گزارش روی میز است و آن را برای شما", "fa"),
        ("रिपोर्ट मेज पर है", "hi"),
        ("รายงานอยู่บนโต๊ะ", "th"),
        ("报告在桌子上", "zh"),
        ("レポートは机の上にあります", "ja"),
        ("보고서는 책상 위에 있다", "ko"),
        ("Q3 budget", "en"),
        ("", "en"),
    ],
)
def test_languages_are_told(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_query_without_words_of_grammar_is_taken_for_what_is_there() -> None:
    assert languages_of("budget", ["ro", "de"]) == ("en", "ro", "de")
    assert languages_of("Was kostet die Miete im Monat?", ["ro"]) == ("de",)
    assert languages_of("отчёт", ["de"]) == ("ru",)
    assert languages_of("café budget", ["fr", "en"])[:2] == ("en", "fr")


@given(TEXTS, st.lists(LANGUAGES, max_size=3))
def test_any_text_has_a_language(text: str, hints: list[str]) -> None:
    assert language_of(text, *hints[:1]) in CODES
    assert 1 <= len(languages_of(text, hints)) <= 3 and set(languages_of(text, hints)) <= set(CODES)

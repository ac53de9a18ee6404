"""What every Encoder promises. A test class inherits EncoderContract and gives a fixture named `encoder`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bowerbird.understanding.encoder import Encoder

SENTENCES = (
    "The bowerbird decorates its bower with blue things.",
    "A quarterly report lists revenue, costs and the plan for next year.",
    "Ein Satz auf Deutsch mit Umlauten: äöü, und ein Zeichen: 😀",
    "中文 and русский in one line",
    "word " * 2_000,
    "",
    "   \n\t ",
    "-",
)
"""Texts of every sort: ordinary, in several scripts, far too long, empty, blank, one sign."""


class EncoderContract:
    """Tests for any encoder; the fixture `encoder` gives one."""

    def test_vectors_have_length_one_and_the_promised_shape(self, encoder: Encoder) -> None:
        """Passages are float32 [n, dimensions], queries float32 [dimensions]; each of length 1."""
        vectors = encoder.passages(SENTENCES)
        np.testing.assert_equal(vectors.shape, (len(SENTENCES), encoder.dimensions))
        np.testing.assert_equal(vectors.dtype, np.float32)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        for text in SENTENCES:
            query = encoder.query(text)
            np.testing.assert_equal((query.shape, query.dtype), ((encoder.dimensions,), np.dtype(np.float32)))
            np.testing.assert_allclose(np.linalg.norm(query), 1, atol=1e-5)

    def test_no_texts_give_no_vectors(self, encoder: Encoder) -> None:
        """An empty list is an empty array of the right width."""
        np.testing.assert_equal(encoder.passages([]).shape, (0, encoder.dimensions))

    def test_a_vector_does_not_depend_on_its_neighbours(self, encoder: Encoder) -> None:
        """Alone, together and in another order: the very same numbers."""
        together = encoder.passages(SENTENCES)
        np.testing.assert_array_equal(encoder.passages(SENTENCES[::-1]), together[::-1])
        for row, text in enumerate(SENTENCES):
            np.testing.assert_array_equal(encoder.passages([text])[0], together[row])

    def test_threads_do_not_disturb_each_other(self, encoder: Encoder) -> None:
        """Four threads at once see what one thread sees."""
        alone = encoder.passages(SENTENCES)
        with ThreadPoolExecutor(4) as pool:
            for vectors in pool.map(encoder.passages, [SENTENCES] * 8):
                np.testing.assert_array_equal(vectors, alone)

    def test_near_texts_are_nearer(self, encoder: Encoder) -> None:
        """A query finds the passage that says it, not the other."""
        passages = encoder.passages(SENTENCES[:2])
        np.testing.assert_equal(int(np.argmax(passages @ encoder.query("a bowerbird and its blue bower"))), 0)
        np.testing.assert_equal(int(np.argmax(passages @ encoder.query("revenue and costs of next year"))), 1)

    def test_spans_are_the_tokens_that_count_counts(self, encoder: Encoder) -> None:
        """Offsets lie in the text, ascend, do not overlap and leave out nothing but white space."""
        for text in (*SENTENCES, "alpha beta\n" * 12_000):
            spans = encoder.spans(text)
            np.testing.assert_equal(encoder.count(text), len(spans))
            flat = [offset for span in spans for offset in span]
            np.testing.assert_equal(flat, sorted(flat))
            np.testing.assert_equal(all(0 <= start < end <= len(text) for start, end in spans), True)
            covered = "".join(text[start:end] for start, end in spans)
            np.testing.assert_equal(covered, "".join(text.split()))

    def test_the_id_is_stable_and_fits_a_file_name(self, encoder: Encoder) -> None:
        """Ids are kept in the store and in names of tables."""
        np.testing.assert_equal(encoder.id, encoder.id)
        np.testing.assert_equal(encoder.id.replace("-", "").replace(".", "").isalnum(), True)

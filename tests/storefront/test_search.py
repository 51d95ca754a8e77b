"""Search: BM25 against its formula, ties, words of every column, and vectors that find other words."""

import math
import re

import numpy as np
import pandas as pd
import pytest

from marketsim.core.errors import InputError, ScenarioError
from marketsim.scenario import load_scenario
from marketsim.storefront.catalog import Catalog
from marketsim.storefront.embeddings import Embeddings
from marketsim.storefront.search import SearchIndex
from tests.storefront.shops import catalogue, rows_of, shop

BUILTIN = Catalog.builtin()


def bm25(texts, query, k1=1.5, b=0.75):
    """Lucene's BM25 (Robertson's with idf ln(1 + (N - n + 0.5) / (n + 0.5))), written out."""
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    mean = sum(map(len, words)) / len(words)
    scores = []
    for document in words:
        total = 0.0
        for word in set(re.findall(r"\w+", query.lower())):
            n = sum(word in other for other in words)
            idf = math.log(1 + (len(words) - n + 0.5) / (n + 0.5))
            f = document.count(word)
            total += idf * f / (f + k1 * (1 - b + b * len(document) / mean))
        scores.append(total)
    return np.array(scores)


def test_scores_are_those_of_bm25():
    texts = ["red lamp red", "lamp", "blue chair 4 mm", "red chair tall tall tall", "4 lamp"]
    products = catalogue(1, 5)
    some = products.__class__(
        **{**vars(products), "title": tuple(texts), "category": ("",) * 5, "attributes": ({},) * 5}
    )
    index = SearchIndex(some)
    for query in ("red lamp", "tall", "4 mm chair", "lamp zebra"):
        np.testing.assert_allclose(index.scores(query), bm25(texts, query), atol=1e-5, err_msg=query)


def test_words_of_every_column_are_found():
    index = SearchIndex(BUILTIN)
    lamp = BUILTIN.product_id.index("desk-lamp-04")
    for query in ("clip-on", "desk lamp", "gooseneck", "Kestwick blue clip", "5 w"):
        assert index.scores(query)[lamp] > 0, query
    assert not index.scores("zeppelin").any()
    assert not index.scores("").any()
    assert not index.scores("the of and").any()


def test_search_does_not_depend_on_the_order_of_the_catalogue():
    turned = np.arange(len(BUILTIN))[::-1]
    other = BUILTIN.__class__(
        **{
            name: value[turned] if isinstance(value, np.ndarray) else tuple(value[i] for i in turned)
            for name, value in vars(BUILTIN).items()
            if name != "filled"
        }
    )
    one, two = SearchIndex(BUILTIN), SearchIndex(other)
    for query in ("quiet coffee grinder", "black steel", "yoga"):
        assert (one.scores(query)[turned] == two.scores(query)).all()


def test_products_that_read_alike_score_alike():
    products = catalogue(1, 6)
    same = products.__class__(**{**vars(products), "title": ("lamp",) * 6, "attributes": ({},) * 6})
    assert len(set(SearchIndex(same).scores("lamp").tolist())) == 1


class Letters:
    """Counts letters: a model that knows no words."""

    def embed(self, texts):
        return np.array(
            [[text.lower().count(letter) + 0.01 for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]
        )


def test_vectors_find_what_words_do_not():
    plain, index = SearchIndex(BUILTIN), SearchIndex(BUILTIN, Embeddings.of_catalog(BUILTIN, Letters()), least=0.95)
    shoe = BUILTIN.product_id.index("running-shoes-03")
    text = f"{BUILTIN.title[shoe]}{BUILTIN.category[shoe]}{BUILTIN.description[shoe]}"
    query = "".join(one for one in text if one.isalpha())[::-1]  # the same letters, in one word that is nowhere
    assert not plain.scores(query).any()
    scores = index.scores(query)
    assert scores.argmax() == shoe
    assert 0 < (scores > 0).sum() < len(BUILTIN)


def test_the_score_is_the_weighted_sum_of_both():
    vectors = Embeddings.of_catalog(BUILTIN, Letters())
    words = SearchIndex(BUILTIN).scores("yoga mat")
    cosine = vectors.similarity("yoga mat")
    for weight in (0.0, 0.3, 1.0):
        scores = SearchIndex(BUILTIN, vectors, weight=weight, least=1.0).scores("yoga mat")
        expected = (1 - weight) * words / words.max() + weight * np.maximum(cosine, 0)
        np.testing.assert_allclose(scores, np.where(words > 0, expected, 0.0), atol=2e-6)


def vector_file(products, path, *keys):
    numbers = np.random.default_rng(0).normal(size=(len(products) + len(keys), 3))
    numbers[-1] = numbers[2]  # the last search means product 2
    table = pd.DataFrame(numbers, columns=["x", "y", "z"]).assign(key=[*products.product_id, *keys])
    table.to_parquet(path) if path.suffix == ".parquet" else table.to_csv(path, index=False)
    return table


@pytest.mark.parametrize("name", ["vectors.parquet", "vectors.csv"])
def test_a_shop_ranks_by_the_vectors_of_a_file(tmp_path, name):
    products = catalogue(1, 9)
    vector_file(products, tmp_path / name, "category 0", "zebra")
    venue = shop(
        [{"name": "some", "queries": ["zebra"]}],
        products=products,
        ranking={"embeddings": {"file": tmp_path / name, "weight": 1.0}},
        randomise={"trials": 2},
    )
    assert venue.page(0).offers[0].product == 2
    assert rows_of(venue)["impressions"]["product"].iloc[0] == 2


def test_faults_of_a_file_of_vectors_are_named(tmp_path):
    products = catalogue(1, 3)
    path = tmp_path / "v.csv"
    table = vector_file(products, path, "lamp")

    def message(changed, queries=("lamp",)):
        changed.to_csv(path, index=False)
        with pytest.raises(InputError) as caught:
            Embeddings.load(path, products, queries)
        return str(caught.value)

    assert "v.csv: found no key p001, expected a vector for this product" in message(table.drop(index=1))
    assert message(table, ["chair", "desk"]).count("expected a vector for this search") == 2
    assert "v.csv:3: found a vector of p001, expected finite numbers" in message(table.replace(table["x"][1], "much"))
    assert "v.csv:2: found a vector of p000" in message(table.assign(x=[0, 1, 1, 1], y=0, z=0))
    assert "v.csv:6: found key p000 again" in message(pd.concat([table, table[:1]]))
    assert "expected vectors as CSV or Parquet" in message(table.drop(columns="key"))
    with pytest.raises(InputError, match="no such file"):
        Embeddings.load(tmp_path / "none.csv", products, ())


def test_a_scenario_is_checked_with_its_vectors(tmp_path):
    scenario = tmp_path / "shop.toml"
    scenario.write_text(
        'duration = "1s"\n[storefront]\ncatalog = "shop.csv"\npage = { rows = 1, columns = 1 }\n'
        '[storefront.ranking]\nembeddings = { file = "v.csv" }\n[[storefront.shoppers]]\nqueries = ["zebra"]\n'
    )
    (tmp_path / "shop.csv").write_text("product_id,category,title,price\na,L,A,1\n")
    (tmp_path / "v.csv").write_text("key,x,y\na,1,0\nL,1,1\n")
    with pytest.raises(ScenarioError, match="v.csv: found no key zebra, expected a vector for this search"):
        load_scenario(scenario)
    (tmp_path / "v.csv").write_text("key,x,y\na,1,0\nL,1,1\nzebra,0,1\n")
    assert load_scenario(scenario).storefront.ranking.embeddings.file == tmp_path / "v.csv"


def test_vectors_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="finite vectors that are not zero"):
        Embeddings(np.zeros((2, 2)), Letters())
    with pytest.raises(ValueError, match="expected a vector of 2 numbers"):
        Embeddings(np.eye(2), Letters()).similarity("word")

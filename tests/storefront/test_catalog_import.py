"""Catalogues from CSV and Parquet: every faulty row is named, and what was missing is filled by a stated rule."""

import base64

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.core.errors import InputError
from marketsim.storefront.catalog import Catalog

HEAD = "product_id,category,title,description,price,rating,reviews,quality,cost,image,brand\n"
GOOD = "a1,Lamps,A lamp,Bright.,19.99,4.5,12,0.5,8.00,,Alder\n"


@pytest.fixture
def read(tmp_path):
    """Write a CSV file and read it as a catalogue."""

    def write(text, name="shop.csv", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Catalog.load(path, **options)

    return write


def messages(read, text, **options):
    with pytest.raises(InputError) as caught:
        read(text, **options)
    return str(caught.value).splitlines()


def test_a_whole_row_is_read_exactly(read):
    catalog = read(HEAD + GOOD + 'b2,Lamps,"Lamp, tall","Two\nlines",1.5,5,0,-1,0,,\n')
    assert catalog.product_id == ("a1", "b2")
    assert catalog.title == ("A lamp", "Lamp, tall")
    assert catalog.description == ("Bright.", "Two\nlines")
    assert (catalog.price_minor.tolist(), catalog.cost_minor.tolist()) == ([1999, 150], [800, 0])
    assert (catalog.rating_tenths.tolist(), catalog.reviews.tolist()) == ([45, 50], [12, 0])
    assert catalog.quality.tolist() == [0.5, -1.0]
    assert catalog.attributes == ({"brand": "Alder"}, {})
    assert set(catalog.filled) == {"image"}
    assert len(catalog) == 2
    assert catalog.products_of("Lamps").tolist() == [0, 1]


FAULTS = {
    "a2,Lamps,T,,-3,4,1,,,,": 'price "-3", expected a price above 0 with at most two decimals',
    "a2,Lamps,T,,0,4,1,,,,": 'price "0", expected a price above 0',
    "a2,Lamps,T,,1.999,4,1,,,,": 'price "1.999", expected a price above 0 with at most two decimals',
    'a2,Lamps,T,,"12,50",4,1,,,,': 'price "12,50", expected',
    "a2,Lamps,T,,,4,1,,,,": "price nothing, expected a price above 0",
    "a2,Lamps,T,,nan,4,1,,,,": 'price "nan", expected',
    "a2,Lamps,T,,cheap,4,1,,,,": 'price "cheap", expected',
    "a2,Lamps,T,,3,7,1,,,,": 'rating "7", expected stars from 1 to 5',
    "a2,Lamps,T,,3,0.5,1,,,,": 'rating "0.5", expected stars from 1 to 5',
    "a2,Lamps,T,,3,120%,1,,,,": 'rating "120%", expected stars from 1 to 5',
    "a2,Lamps,T,,3,good,1,,,,": 'rating "good", expected stars from 1 to 5',
    "a2,Lamps,T,,3,4,-1,,,,": 'reviews "-1", expected a whole number of at least 0',
    "a2,Lamps,T,,3,4,1.5,,,,": 'reviews "1.5", expected a whole number',
    "a2,Lamps,T,,3,4,1,inf,,,": 'quality "inf", expected a number from -1000 to 1000',
    "a2,Lamps,T,,3,4,1,,-1,,": 'cost "-1", expected a cost of at least 0',
    "a2,,T,,3,4,1,,,,": "category nothing, expected the name of a category",
    "a2,Lamps,,,3,4,1,,,,": "title nothing, expected a title",
    ",Lamps,T,,3,4,1,,,,": "product_id nothing, expected a text",
    "a1,Lamps,T,,3,4,1,,,,": 'product_id "a1", expected an id of its own; row 2 has this one',
    "a2,Lamps,T,,3,4,1,,,none.png,": 'image "none.png", expected the name of a picture that is there',
    "a2,Lamps,T,,3,4,1,,,https://x.example/a.png,": 'image "https://x.example/a.png", expected SVG text or a file',
    "a2,Lamps,T,,3,4,1,,,shop.csv,": 'image "shop.csv", expected SVG text or a file beside the catalogue',
}


@pytest.mark.parametrize("row", FAULTS)
def test_a_faulty_cell_is_named_with_its_row(read, row):
    (message,) = messages(read, HEAD + GOOD + row + "\n")
    assert "shop.csv:3: found " in message
    assert FAULTS[row] in message


def test_all_faults_come_at_once_in_the_order_of_rows(read):
    found = messages(read, HEAD + "a1,,A,,-1,9,x,,,,\n" + GOOD.replace("a1", "a2") + "a2,Lamps,,,1,4,1,,,,\n")
    assert [line.split(": found ")[0].rsplit(":", 1)[1] for line in found] == ["2", "2", "2", "2", "4", "4"]
    for name in ("category", "price", "rating", "reviews"):
        assert any(f"found {name} " in line for line in found[:4])


def test_faults_of_a_whole_file_are_named(read, tmp_path):
    assert "expected a column price" in messages(read, "product_id,category,title\na,b,c\n")[0]
    assert len(messages(read, "a,b\n1,2\n")) == 4
    assert "found an empty file" in messages(read, "")[0]
    assert "found no products, expected one row per product" in messages(read, HEAD)[0]
    assert ":3: found bytes that are not UTF-8" in messages(read, (HEAD + GOOD).encode() + b"\xff\xfe,b\n")[0]
    assert "found more than one column brand" in messages(read, HEAD[:-1] + ",brand\n" + GOOD[:-1] + ",x\n")[0]
    ragged = messages(read, HEAD + GOOD + "a,b\n" + GOOD + "a,b,c\n")
    assert ragged[0].endswith("shop.csv:3: found 2 cells, expected 11, as in the head")
    assert ragged[1].endswith("shop.csv:5: found 3 cells, expected 11, as in the head")
    with pytest.raises(InputError, match="none.csv: found no such file"):
        Catalog.load(tmp_path / "none.csv")
    assert "expected a catalogue as CSV in UTF-8 or Parquet" in messages(read, b"PAR1 no", name="x.parquet")[0]


def test_missing_columns_and_cells_are_filled_and_said(read):
    text = "product_id,category,title,price,rating\na,L,A,10,4.6\nb,L,B,20,\nc,M,C,30.01,\nd,L,D,1,4.9\n"
    catalog = read(text)
    assert catalog.rating_tenths.tolist() == [46, 48, 40, 49]  # b: mean of 4.6 and 4.9 to a tenth; c: none is rated
    assert catalog.cost_minor.tolist() == [600, 1200, 1801, 60]
    assert not catalog.reviews.any()
    assert not catalog.quality.any()
    assert catalog.description == catalog.image == ("",) * 4
    assert catalog.filled["rating"].startswith("2 of 4 cells: the mean of the category's rated products")
    assert catalog.filled["cost"] == "all 4 cells: 60 % of the price"
    assert set(catalog.filled) == {"description", "rating", "reviews", "quality", "cost", "image"}


def test_columns_may_go_by_other_names(read):
    text = "sku,group,name,amount\na,L,A,10\n"
    names = {"product_id": "sku", "category": "group", "title": "name", "price": "amount"}
    assert read(text, columns=names).title == ("A",)
    assert "expected a column nom" in messages(read, text, columns={**names, "title": "nom"})[0]


def test_parquet_and_csv_give_the_same_catalogue(read, tmp_path):
    text = HEAD + GOOD + "b2,Lamps,T,,7.25,3,0,,,,\n"
    frame = pd.DataFrame(
        {
            "product_id": ["a1", "b2"],
            "category": ["Lamps"] * 2,
            "title": ["A lamp", "T"],
            "description": ["Bright.", None],
            "price": np.array([19.99, 7.25], np.float32),
            "rating": [4.5, 3.0],
            "reviews": [12, 0],
            "quality": [0.5, np.nan],
            "cost": [8.0, np.nan],
            "brand": ["Alder", None],
        }
    )
    frame.to_parquet(tmp_path / "shop.parquet")
    one, other = read(text), Catalog.load(tmp_path / "shop.parquet")
    for name in ("product_id", "title", "description", "attributes", "filled"):
        assert getattr(one, name) == getattr(other, name), name
    for name in ("price_minor", "cost_minor", "rating_tenths", "reviews", "quality"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name
    frame.assign(price=[-1.0, 2.0]).to_parquet(tmp_path / "shop.parquet")
    with pytest.raises(InputError, match=r'shop.parquet:1: found price "-1.0"'):
        Catalog.load(tmp_path / "shop.parquet")


def test_pictures_are_embedded(read, tmp_path):
    (tmp_path / "lamp.png").write_bytes(b"\x89PNG picture")
    catalog = read(HEAD + GOOD.replace(",,Alder", ",lamp.png,Alder") + 'b,L,T,,1,4,1,,,"<svg xmlns=""x""></svg>",\n')
    kind, content = catalog.image[0].split(";base64,")
    assert (kind, base64.b64decode(content)) == ("data:image/png", b"\x89PNG picture")
    kind, content = catalog.image[1].split(";base64,")
    assert (kind, base64.b64decode(content)) == ("data:image/svg+xml", b'<svg xmlns="x"></svg>')


@given(st.integers(1, 10**10), st.booleans(), st.booleans())
def test_prices_are_read_as_they_are_written(minor, has_sign, has_groups):
    from marketsim.storefront.catalog_cells import money

    number = f"{minor // 100:,}.{minor % 100:02d}" if has_groups else f"{minor // 100}.{minor % 100:02d}"
    assert money(("$" if has_sign else "") + number) == minor


def test_the_built_in_catalogue_is_whole():
    catalog = Catalog.builtin()
    assert len(catalog) == 144
    assert len(catalog.categories) == 12
    for category in catalog.categories:
        products = catalog.products_of(category)
        assert len(products) == 12
        assert len({catalog.attributes[product]["brand"] for product in products}) == 12
        colours = {catalog.attributes[product]["colour"] for product in products[:8]}
        assert "black" in colours, category
    assert len(set(catalog.title)) == 144
    assert min(map(len, catalog.description)) > 20
    assert ((catalog.cost_minor > 0) & (catalog.cost_minor < catalog.price_minor)).all()
    assert set(catalog.filled) == {"image"}


def test_the_listings_of_abxlab_are_read(data_dir):
    catalog = Catalog.load(data_dir / "catalog" / "products.csv")
    assert (len(catalog), len(catalog.categories)) == (7546, 26)
    (lens,) = [number for number, title in enumerate(catalog.title) if title.startswith("MEKE 50mm F1.2 Full Frame")]
    assert catalog.product_id[lens].startswith("meke-50mm-f1-2-full-frame")
    assert (catalog.price_minor[lens], catalog.reviews[lens]) == (35_999, 0)
    (red,) = [number for number, title in enumerate(catalog.title) if title.endswith("for Home, Work, Travel,Red")]
    assert catalog.rating_tenths[red] == 40  # 80 % of five stars
    assert catalog.price_minor.max() == 2_199_999
    assert catalog.filled["rating"].startswith("5,125 of 7,546 cells: ")
    assert {"quality", "cost", "description", "image"} <= set(catalog.filled)

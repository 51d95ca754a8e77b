import pyarrow as pa
import pytest

from marketsim.core.tables import Column, Table

TRADES = Table(
    "exchange/trades",
    "One row a trade",
    (
        Column("time_ns", "int64", "ns", "when"),
        Column("side", "int8", "", "side of the taker", labels={1: "buy", -1: "sell"}),
        Column("price", "float64", "currency", "price"),
        Column("provenance", "string", "", "who decided", digest=False),
        Column("is_auction", "bool", "", "whether an auction made it"),
    ),
)


def test_the_schema_has_types_units_and_descriptions():
    schema = TRADES.schema
    assert schema.names == ["time_ns", "side", "price", "provenance", "is_auction"]
    assert schema.types == [pa.int64(), pa.int8(), pa.float64(), pa.string(), pa.bool_()]
    assert schema.field("time_ns").metadata == {b"unit": b"ns", b"description": b"when"}
    assert not any(field.nullable for field in schema)
    assert schema.metadata[b"table"] == b"exchange/trades"


def test_columns_without_digest_are_left_out_of_it():
    assert [column.name for column in TRADES.digest_columns] == ["time_ns", "side", "price", "is_auction"]


def test_a_column_is_found_by_name_and_tells_its_codes():
    assert TRADES["side"].labelled() == "1 buy, -1 sell"
    assert TRADES["price"].labelled() == ""


def test_an_unknown_type_and_a_column_named_twice_are_refused():
    with pytest.raises(ValueError, match="column x: found type int63, expected one of int8"):
        Column("x", "int63", "", "")
    with pytest.raises(ValueError, match="table a/b: found more than one column x"):
        Table("a/b", "", (Column("x", "int8", "", ""), Column("x", "int64", "", "")))

import numpy as np
import pyarrow as pa
import pytest

from marketsim.analysis.columns import read_columns
from marketsim.analysis.depth import DEPTH_COLUMNS, DepthMeter
from marketsim.analysis.steps import bin_edges

SNAPSHOTS = [
    # time, side, level, size
    (10, 1, 1, 5),
    (10, 1, 2, 7),
    (10, -1, 1, 4),
    (20, 1, 1, 3),
    (20, -1, 1, 6),
    (20, -1, 2, 8),
    (60, -1, 1, 9),
]


def measure(rows, batches=None):
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    table = pa.table(
        {
            "time_ns": columns[0],
            "instrument": np.zeros(columns.shape[1], dtype=np.int32),
            "side": columns[1].astype(np.int8),
            "level": columns[2].astype(np.int16),
            "size_lots": columns[3],
        }
    )
    meter = DepthMeter(bin_edges(0, 100, 2))
    for batch in read_columns(table.to_batches(max_chunksize=batches), DEPTH_COLUMNS):
        meter.add(batch)
    return meter.result()


@pytest.mark.parametrize("rows", [None, 1, 2, 3, 5])
def test_snapshots_by_hand_in_batches_of_any_size(rows):
    found = measure(SNAPSHOTS, rows)
    assert found is not None
    assert found.n_snapshots == 3
    assert found.reach == (1, 2)
    assert found.bid_lots.tolist() == [[4, 0], [7.5, 0]]
    assert found.ask_lots.tolist() == [[5, 9], [9, 9]]
    assert found.bid_profile.tolist() == pytest.approx([8 / 3, 7 / 3])
    assert found.ask_profile.tolist() == pytest.approx([19 / 3, 8 / 3])
    assert found.ask_mean.tolist() == pytest.approx([19 / 3, 9])


@pytest.mark.parametrize(("levels", "reach"), [(1, (1,)), (2, (1, 2)), (5, (1, 5)), (6, (1, 5, 6)), (10, (1, 5, 10))])
def test_depth_is_shown_for_one_five_and_all_levels(levels, reach):
    found = measure([(10, side, level, 1) for side in (1, -1) for level in range(1, levels + 1)])
    assert found is not None
    assert found.reach == reach
    assert found.bid_mean.tolist() == list(reach)


def test_time_without_a_snapshot_is_missing():
    found = measure([(10, 1, 1, 5)])
    assert found is not None
    assert np.array_equal(found.bid_lots, [[5, np.nan]], equal_nan=True)


def test_without_snapshots_there_is_no_depth():
    assert measure([]) is None

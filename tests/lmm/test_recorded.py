"""Recorded order flow as training data, and rollouts as files: both ways round."""

import json

import numpy as np
import pytest

from marketsim.core.errors import InputError
from marketsim.exchange.lobster.files import read_book, read_messages
from marketsim.exchange.lobster.one_step import one_step_agreement
from marketsim.exchange.replay import replay_messages
from marketsim.lmm.conditions import condition_vector
from marketsim.lmm.evaluation import judge_folder, read_flows
from marketsim.lmm.events import GAP, KIND
from marketsim.lmm.recorded import prepare_messages, records_from
from marketsim.lmm.rollout import MINUTE, lobster_of, rollouts, write_rollouts
from marketsim.lmm.scale import exact_scale
from marketsim.lmm.shards import Shards


@pytest.fixture(scope="module")
def played(shipped):
    return rollouts(shipped, 4, MINUTE, seed=3, condition=condition_vector("hawkes"))


@pytest.fixture(scope="module")
def folder(shipped, played, tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated")
    list(write_rollouts(folder, played, shipped.scale))
    return folder


def test_rollouts_last_as_long_as_asked_and_a_longer_one_begins_with_the_shorter(shipped, played):
    for rollout in played:
        assert MINUTE - 20e9 < rollout.record[:, GAP].sum() < MINUTE
    shorter = rollouts(shipped, 4, MINUTE // 10, seed=3, condition=condition_vector("hawkes"))
    for long, short in zip(played, shorter, strict=True):
        assert np.array_equal(long.record[: len(short.record)], short.record)


def test_files_of_a_rollout_replay_row_by_row(folder, shipped, played, tmp_path):
    flows = read_flows(folder)
    assert len(flows) == 4
    for flow in flows:
        assert one_step_agreement(*flow).all()
    list(write_rollouts(tmp_path, played[:1], shipped.scale, levels=64, parquet=False))  # all prices that are kept
    found = replay_messages(tmp_path / "book000_message_64.csv", tmp_path / "book000_orderbook_64.csv", levels=64)
    assert all(level.share == 1.0 for level in found.cumulative)


def test_the_parquet_table_holds_every_event(folder, played):
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "events.parquet").to_pandas()
    assert len(table) == sum(len(one.record) for one in played)
    one = table[table["book"] == 2]
    assert np.array_equal(one["time_ns"], played[2].record[:, GAP].cumsum())
    assert np.array_equal(one["kind"], played[2].record[:, KIND])


def test_events_written_as_rows_and_read_again_are_the_events(shipped, played):
    """Lots that a market order takes from many orders are one event again; times and books are the same."""
    rollout = played[1]
    messages, _ = lobster_of(rollout, shipped.scale, units=1)
    rows = np.stack([messages.time_ns, messages.kind, messages.size, messages.price, messages.direction], axis=1)
    levels = []
    for side in range(2):
        for behind in range(shipped.scale.reach):
            price = int(rollout.quote[side]) - (1 - 2 * side) * behind
            lots = int(rollout.depth[side, price % shipped.scale.ring])
            if lots and rollout.quote[2 + side]:
                levels.append((side, price, lots))
    found = records_from(rows, levels, shipped.scale)
    assert not any(found.counts.values())
    for kinds in ((0,), (1,), (2,), (3,)):
        ours, theirs = (r[np.isin(r[:, KIND], kinds)][:, KIND:] for r in (rollout.record, found.record))
        assert np.array_equal(ours, theirs)
    assert found.record[:, GAP].sum() == rollout.record[1:, GAP].sum()


def test_a_generated_file_is_training_data_too(folder, tmp_path):
    source = folder / "book001_message_10.csv"
    path = prepare_messages(tmp_path, source, folder / "book001_orderbook_10.csv")
    manifest = json.loads(path.read_text())
    assert manifest["source"]["tokens"]["exact"]
    assert manifest["source"]["tokens"]["whole_events_from_tokens"] > 0.95  # a teacher's places and sizes are few
    shards = Shards(tmp_path)
    assert [len(shards.sessions(split)) for split in ("train", "validation", "test")] == [1, 1, 1]
    assert shards.condition(0).tolist() == condition_vector("market")
    assert not shards.has_teacher


def test_real_messages_become_records_that_replay_to_the_real_touch(data_dir, tmp_path):
    folder = data_dir / "lobster"
    message = folder / "AAPL_2012-06-21_34200000_36000000_message_50.csv"
    seed = folder / "AAPL_2012-06-21_34200000_34230000_orderbook_50.csv"
    manifest = json.loads(prepare_messages(tmp_path, message, seed).read_text())
    assert manifest["source"]["tokens"]["exact"]
    assert sum(manifest["source"]["left_out_or_mended"].values()) < 0.002 * manifest["source"]["rows"]
    shards = Shards(tmp_path)
    session = shards.sessions("test")[0]
    block = len(shards.record(session)) // 128
    _, quote = shards.book(session, block)
    touch = read_book(folder / "AAPL_2012-06-21_34200000_36000000_orderbook_1.csv").values
    asks, bids = set((touch[-1000:, 0] // 100).tolist()), set((touch[-1000:, 2] // 100).tolist())
    assert int(quote[0]) in bids  # near the end of the half hour our best prices are ones that really stood there
    assert int(quote[1]) in asks


def test_executions_of_one_instant_are_one_market_order_and_lost_orders_are_mended():
    scale = exact_scale(np.arange(1, 40) * 1000)
    rows = np.array(
        [
            (10, 1, 5, 100, 1),  # a bid
            (20, 1, 4, 103, -1),
            (30, 1, 4, 104, -1),
            (40, 4, 4, 103, -1),  # a buy sweeps two levels
            (40, 4, 2, 104, -1),
            (50, 1, 3, 104, 1),  # crosses what stands at 104: it must be gone
            (60, 3, 9, 90, 1),  # of an order that nobody announced
            (70, 3, 9, 100, 1),  # more than there is
            (80, 5, 9, 100, 1),  # hidden: not in the book
        ]
    )
    found = records_from(rows, [], scale)
    kinds = found.record[:, 1:].tolist()
    assert kinds[:4] == [[0, 0, 5], [1, 2, 4], [1, 1, 4], [2, 0, 6]]
    assert kinds[4:6] == [[5, 0, 2], [0, -4, 3]]
    assert kinds[6:] == [[4, 4, 5]]
    assert found.counts == {"unknown": 1, "clipped": 1, "gone": 1, "beyond": 0}
    assert found.record[:, GAP].tolist() == [0, 10, 10, 10, 10, 0, 20]


def test_a_folder_against_itself_is_at_or_below_its_floor(folder):
    judgement = judge_folder(folder, folder)
    assert {score["rung"] for score in judgement.scores} == {0, 2, 3, 9}
    assert judgement.notes
    for score in judgement.scores:
        if score["rung"] == 2 and np.isfinite(score["value"]):
            assert score["value"] == 0
            assert score["floor"] >= 0
        if score["rung"] == 0:
            assert score["value"] == 1


def test_folders_that_are_not_lobster_are_refused(tmp_path, folder):
    with pytest.raises(InputError, match="no LOBSTER files"):
        read_flows(tmp_path)
    tmp_path.joinpath("x_message_10.csv").write_text("1,2\n")
    with pytest.raises(InputError, match="books of"):
        read_flows(tmp_path)
    tmp_path.joinpath("x_orderbook_10.csv").write_text("1,2,3,4\n")
    with pytest.raises(InputError, match="6 columns"):
        read_flows(tmp_path)


def test_messages_too_few_to_be_split_are_refused(tmp_path):
    path = tmp_path / "x_message_1.csv"
    path.write_text("".join(f"{k}.0,1,{k + 1},5,{10000 + 100 * (k % 3)},1\n" for k in range(50)))
    assert len(read_messages(path)) == 50
    with pytest.raises(InputError, match="at least 1,000"):
        prepare_messages(tmp_path / "out", path)

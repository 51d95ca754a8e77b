"""Prepared data and training: exact resume, faults of files, what wrong data do to the figures."""

import json

import numpy as np
import pytest
import torch

from marketsim.core.errors import InputError
from marketsim.lmm import training as module
from marketsim.lmm.checkpoint import WEIGHTS, load_checkpoint, read_tensors, save_checkpoint
from marketsim.lmm.prepare import prepare_teachers
from marketsim.lmm.shards import Shards
from marketsim.lmm.sizes import SIZES
from marketsim.lmm.teacher import Teacher
from marketsim.lmm.training import Training, TrainingConfig, TrainingError, bits_per_window, fields_below

CONFIG = TrainingConfig(steps=6, books=8, every=3, rate=0.02)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("hawkes")
    prepare_teachers(folder, ["hawkes"], 40_000, seed=4, books=10)
    return folder


@pytest.fixture
def copy(data, tmp_path):
    """A copy of the data, to be damaged."""
    for path in data.iterdir():
        tmp_path.joinpath(path.name).write_bytes(path.read_bytes())
    return tmp_path


def weights(folder):
    return {name: array.tobytes() for name, array in load_checkpoint(folder).arrays.items()}


def test_a_batch_of_shards_is_what_the_teacher_played(data):
    shards = Shards(data)
    assert shards.n_events("train") == 8 * 4000
    batch = shards.batch(np.array([[3, 2], [0, 0]]), 129)
    teacher = Teacher("hawkes", 10, shards.scale, seed=4)
    flow = teacher.next(4000)
    residual = shards.scale.residuals(flow.record[3, 256:385], batch.token[0])
    assert np.array_equal(shards.scale.decode(batch.token[0], residual), flow.record[3, 256:385])
    np.testing.assert_allclose(batch.log_chance[0], flow.log_chance[3, 256:385], atol=1e-5)
    whole = shards.batch(np.array([[3, 0]]), 400)
    np.testing.assert_array_equal(whole.feature[0, 256:386], batch.feature[0])  # books in blocks are the right ones
    np.testing.assert_array_equal(whole.mask[0, 256:385], batch.mask[0])


def test_splits_share_no_book(data):
    shards = Shards(data)
    splits = [set(shards.sessions(split)) for split in ("train", "validation", "test")]
    assert [len(split) for split in splits] == [8, 1, 1]
    assert len(set.union(*splits)) == 10


def test_training_learns_and_a_resumed_one_ends_with_the_same_bytes(data, tmp_path):
    shards = Shards(data)
    whole = Training(CONFIG, shards, tmp_path / "whole")
    before = whole.validation_bits(16).sum()
    assert whole.run()
    assert whole.validation_bits(16).sum() < before - 0.1
    whole.finish("train")
    stopped = Training(CONFIG, shards, tmp_path / "cut")

    def stop_after_four(progress):
        if progress.step == 4:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGINT)

    assert not stopped.run(stop_after_four)
    assert stopped.step == 4
    resumed = Training(CONFIG, shards, tmp_path / "cut", resume=True)
    assert resumed.run()
    resumed.finish("train")
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")
    rows = [path.read_text().splitlines() for path in (tmp_path / "whole/loss.csv", tmp_path / "cut/loss.csv")]
    columns = [[row.split(",")[:1] + row.split(",")[2:] for row in each] for each in rows]  # CPU time aside
    assert columns[0] == columns[1]
    card = json.loads((tmp_path / "cut/card.json").read_text())
    assert card["data"]["teachers"] == [{"name": "hawkes", "volatility": 1.0}]
    assert set(card["figures"]["bits"]) == {"model", "unigram", "chained Markov", "masked unigram", "teacher"}
    order = [card["figures"]["bits"][name]["sum"] for name in ("unigram", "masked unigram", "teacher")]
    assert order == sorted(order, reverse=True)


def test_resuming_with_other_settings_is_refused(data, tmp_path):
    training = Training(CONFIG, Shards(data), tmp_path)
    training.save()
    with pytest.raises(InputError, match="rate"):
        Training(TrainingConfig(steps=6, books=8, every=3, rate=0.01), Shards(data), tmp_path, resume=True)
    with pytest.raises(InputError, match="training"):
        Training(CONFIG, Shards(data), tmp_path / "nowhere", resume=True)


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_model(data, tmp_path, monkeypatch):
    training, honest, calls = Training(CONFIG, Shards(data), tmp_path), module.losses, []

    def broken(model, batch):
        calls.append(1)
        fields = honest(model, batch)
        return [fields[0] * float("nan"), *fields[1:]] if training.step == 4 else fields

    monkeypatch.setattr(module, "losses", broken)
    with pytest.raises(TrainingError, match="step 5.*step 3"):
        training.run()
    arrays, metadata = read_tensors(tmp_path / "training.safetensors")
    assert metadata["step"] == "3"
    assert all(np.isfinite(array).all() for array in arrays.values())


def fitted_on(data, folder, change, steps=40):
    """A model trained on data changed in some way, and its bits on data changed the same way."""
    shards = Shards(data)
    draw = shards.draw
    shards.draw = lambda *args: change(draw(*args))
    training = Training(TrainingConfig(steps=steps, books=16, every=1000), shards, folder)
    for _ in range(steps):
        training._train_step()
        training.step += 1
    return bits_per_window(training.model, map(change, shards.passes("test", 64, 129, 32)))


@pytest.mark.slow
def test_a_leaked_future_beats_the_teacher_and_is_named(data, tmp_path):
    early = lambda batch: batch._replace(feature=np.roll(batch.feature, -1, axis=1))  # noqa: E731
    assert "kind" in fields_below(*fitted_on(data, tmp_path, early, steps=80))
    assert fields_below(*fitted_on(data, tmp_path, lambda batch: batch, steps=80)) == []


@pytest.mark.slow
def test_shuffled_data_and_wrong_bins_are_seen_in_the_bits(data, tmp_path):
    """Events out of order teach nothing of the order; gaps in wrong bins cost bits of that field alone."""
    honest, truth = fitted_on(data, tmp_path, lambda batch: batch)

    def shuffled(batch):
        order = np.random.default_rng(0).permutation(batch.token.shape[1])
        return batch._replace(token=batch.token[:, order], mask=np.full_like(batch.mask, ~np.uint64(0)))

    mixed, _ = fitted_on(data, tmp_path, shuffled)
    assert (mixed - truth).mean(0).sum() > (honest - truth).mean(0).sum() + 1.0
    shards = Shards(data)
    model = Training(CONFIG, shards, tmp_path).model
    low = shards.scale.gap_low.copy()
    low[1:32] = np.sort(low[1:32] * 3)
    wrong = shards.scale._replace(gap_low=low)
    assert wrong.digest() != shards.scale.digest()
    shards.scale = wrong
    other, _ = bits_per_window(model, shards.passes("test", 64, 129, 32))
    assert not np.allclose(other[:, 0].mean(), honest[:, 0].mean(), atol=0.01)


# ---- Bad input --------------------------------------------------------------------------------------------------


def test_a_truncated_shard_is_refused(copy):
    path = copy / "0002-record.npy"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match=r"0002-record.npy.*damaged or truncated"):
        Shards(copy)


def test_a_shard_of_another_length_or_none_is_refused(copy):
    np.save(copy / "0001-quote.npy", np.zeros((3, 4), np.int64))
    with pytest.raises(InputError, match=r"0001-quote.npy.*\(3, 4\)"):
        Shards(copy)
    copy.joinpath("0001-quote.npy").unlink()
    with pytest.raises(InputError, match="no file"):
        Shards(copy)


def test_shards_from_other_bins_are_refused(copy):
    manifest = json.loads(copy.joinpath("manifest.json").read_text())
    manifest["bins"]["gap_low"][3] += 1
    copy.joinpath("manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="those that the shards were written with"):
        Shards(copy)


@pytest.mark.parametrize("text", ["{}", "nonsense", '{"schema_version": 99, "block": 128}'])
def test_another_manifest_is_refused(tmp_path, text):
    tmp_path.joinpath("manifest.json").write_text(text)
    with pytest.raises(InputError, match="manifest"):
        Shards(tmp_path)
    with pytest.raises(InputError, match="prepare wrote"):
        Shards(tmp_path / "nowhere")


def test_data_too_short_for_the_window_are_refused(data, tmp_path):
    with pytest.raises(InputError, match=r"at most 4,000 events.*at least 5001"):
        Training(TrainingConfig(events=5000), Shards(data), tmp_path)


def test_a_checkpoint_of_another_size_is_refused(shipped, tmp_path):
    save_checkpoint(tmp_path, shipped.arrays, SIZES["small"], shipped.scale, shipped.card)
    with pytest.raises(InputError, match=r"size|missing"):
        load_checkpoint(tmp_path)


def test_a_checkpoint_that_is_none_is_refused(shipped, tmp_path):
    with pytest.raises(InputError, match="train wrote"):
        load_checkpoint(tmp_path)
    tmp_path.joinpath(WEIGHTS).write_bytes((shipped.folder / WEIGHTS).read_bytes()[:5000])
    with pytest.raises(InputError, match="damaged or truncated"):
        load_checkpoint(tmp_path)


def test_half_precision_on_disk_changes_weights_by_a_thousandth(shipped, tmp_path):
    save_checkpoint(tmp_path, shipped.arrays, shipped.shape, shipped.scale, shipped.card, half=True)
    again = load_checkpoint(tmp_path)
    assert all(array.dtype == np.float32 for array in again.arrays.values())
    for name, array in shipped.arrays.items():
        np.testing.assert_allclose(again.arrays[name], array, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("books", "events"), [(5, 100_000), (10, 5_000)])
def test_too_little_of_a_teacher_is_refused(tmp_path, books, events):
    with pytest.raises(ValueError, match="10 books"):
        prepare_teachers(tmp_path, ["hawkes"], events, books=books)

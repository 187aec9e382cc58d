"""Fixed features on inputs whose answer is known."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import ndimage

from shared.encoders.beats import PEAK, POINTS, STEP, find_beats, rhythm
from shared.encoders.byte_histogram import BYTES, ByteHistogram
from shared.encoders.filters import LONGEST, VolumeFilters
from shared.encoders.frames import frame_features
from shared.encoders.hashed_bag import BUCKETS, HashedBag
from shared.encoders.picture_features import count_features, picture_features
from shared.encoders.recurrent import CHANNELS, carried_forward
from shared.encoders.resnet1d import Resnet1d, Resnet1dTransformer
from shared.encoders.smoothing import REACH, gaussian
from shared.encoders.wavelets import count_features as count_wavelets
from shared.encoders.wavelets import haar, scattering
from shared.encoders.window_statistics import statistics
from shared.encoders.words import hashed_counts, stable_hash, text_of, word_ids, words_of
from tests.encoder_samples import section

RATE = 250.0


def heart(at: list[float], seconds: float = 10.0, noise: float = 0.0) -> torch.Tensor:
    """A wave with sharp peaks at these seconds, broad ones 0.3 s later, and a slow drift."""
    time = torch.arange(round(seconds * RATE)) / RATE
    wave = 0.1 * torch.sin(2 * torch.pi * 0.15 * time)
    for second in at:
        wave = wave + 0.2 * torch.exp(-0.5 * ((time - second) / 0.012) ** 2)
        wave = wave + 0.06 * torch.exp(-0.5 * ((time - second - 0.3) / 0.05) ** 2)
    return wave + noise * torch.randn(len(time), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("height", [0.05, 1.0, 20.0])
def test_beats_are_found_where_they_are_however_high_upside_down_or_noisy(sign, noise, height) -> None:
    at = [0.7, 1.5, 2.2, 3.1, 3.9, 4.4, 5.5, 6.3, 7.1, 8.0, 8.8]
    wave = sign * height * heart(at, noise=noise)
    found = find_beats(torch.stack([wave, torch.zeros_like(wave)]), RATE)
    torch.testing.assert_close(found.peaks / RATE, torch.tensor(at), rtol=0, atol=0.012)
    beat = sign * found.mean[0] / height
    assert int(beat.argmax()) == PEAK
    assert beat.max() == pytest.approx(0.2, abs=0.05)
    assert beat[PEAK + round(0.3 / STEP)] == pytest.approx(0.06, abs=0.03)  # the broad wave
    assert not found.mean[1].any()


def test_the_rhythm_is_told_from_the_peaks() -> None:
    steady = rhythm(torch.arange(0, 10) * 250, RATE, 2500)
    torch.testing.assert_close(steady, torch.tensor([1.0, 0.0, 0.0, 0.0]))
    early = rhythm(torch.tensor([0, 250, 500, 650, 1000, 1250]), RATE, 2500)
    assert early[3] == pytest.approx(0.2)
    assert early[1] > 0.2
    assert rhythm(torch.tensor([], dtype=torch.long), RATE, 2500).isfinite().all()


def test_a_wave_without_beats_has_none() -> None:
    flat = find_beats(torch.zeros(3, 2500), RATE)
    assert len(flat.peaks) == 0
    assert flat.mean.shape == (3, POINTS)


def test_a_haar_step_keeps_means_and_finds_each_direction() -> None:
    stripes = torch.tensor([[[1.0, 0.0] * 4] * 8])
    smooth, along_columns, along_rows, both = haar(stripes)
    assert torch.equal(smooth, torch.full((1, 4, 4), 0.5))
    assert torch.equal(along_columns, torch.full((1, 4, 4), 0.5))
    assert not along_rows.any()
    assert not both.any()
    assert haar(torch.rand(2, 7, 5, 9)).shape == (8, 2, 4, 3, 5)  # an odd side repeats its last line


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 33, 50), (1, 16, 16, 12), (2, 9, 30, 17)])
def test_features_are_counted_as_they_come(shape: tuple[int, ...]) -> None:
    picture = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    assert len(scattering(picture)) == count_wavelets(shape)
    if len(shape) == 3:
        assert len(picture_features(picture)) == count_features(shape[0])


def test_a_shift_changes_the_scattering_little_and_another_roughness_much() -> None:
    chance = torch.Generator().manual_seed(0)
    rough = 0.5 + 0.1 * torch.randn(1, 64, 64, generator=chance)
    energies = slice(0, 42)
    near = (scattering(rough)[energies] - scattering(rough.roll((3, 5), (1, 2)))[energies]).norm()
    far = (scattering(rough)[energies] - scattering(0.5 + 2 * (rough - 0.5))[energies]).norm()
    assert near < 0.5 * far


def test_statistics_of_a_variable_are_those_of_what_was_observed() -> None:
    series = torch.zeros(5, 2, 4)
    for step, value in ((1, 0.2), (3, 0.6)):
        series[step, 0] = torch.tensor([value, value - 0.1, value + 0.1, 1.0])
    highest, lowest, mean, spread, trend, last, first, share = statistics(series)[:, 0].tolist()
    assert (highest, lowest, mean, last, first) == pytest.approx((0.7, 0.1, 0.4, 0.6, 0.2))
    assert share == pytest.approx(0.4)
    assert spread == pytest.approx(3 * 0.2)
    assert trend > 0
    assert not statistics(series)[:, 1].any()


def test_a_measurement_is_carried_forward_and_never_back() -> None:
    series = torch.zeros(4, 1, 4)
    series[1, 0] = torch.tensor([0.5, 0.4, 0.6, 1.0])
    told = carried_forward(series).view(4, CHANNELS)
    assert not told[0].any()
    assert told[1].tolist() == pytest.approx([0.5, 0.4, 0.6, 1.0, 1.0])
    assert told[3, :4].tolist() == pytest.approx([0.5, 0.4, 0.6, 0.0])
    assert 0 < told[3, 4] < told[2, 4] < 1


def test_words_are_the_same_on_every_machine_and_in_every_process() -> None:
    assert stable_hash("Herz") == 2_619_417_939
    program = "from shared.encoders.words import stable_hash; print(stable_hash('Herz'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) == stable_hash("Herz")


def test_a_text_is_read_from_its_bytes() -> None:
    raw = torch.tensor([*"Ödem, links!".encode(), 0, 0], dtype=torch.uint8)
    assert words_of(raw) == ["ödem", "links"]
    assert text_of(raw[1:]) == "dem, links!"  # cut inside a character
    assert word_ids(raw, 1, 100)[0] == 1 + stable_hash("links") % 99
    assert word_ids(raw, 4, 100).count_nonzero() == 2


def test_hashed_counts_have_length_one_and_know_their_token() -> None:
    counts = hashed_counts(["a", "b", "a"], 1024)
    assert counts.norm() == pytest.approx(1.0)
    assert counts[stable_hash("a") % 1024].abs() > counts[stable_hash("b") % 1024].abs() > 0
    assert not hashed_counts([], 16).any()


def test_codes_and_bytes_are_counted() -> None:
    bag = HashedBag(section("concepts", "hashed-bag")).prepare(torch.tensor([5, 5, 5 + BUCKETS, 9, 0, 0]))
    assert bag[9] == pytest.approx(0.6931, abs=1e-3)
    assert bag[5] == pytest.approx(1.0986 - 0.6931, abs=1e-3)  # the sign takes one of two that share a bucket off
    told = ByteHistogram(section("bytes", "byte-histogram")).prepare(torch.tensor([66, 66, 67, 0, 0]))
    assert told[:BYTES].nonzero().flatten().tolist() == [65, 66]
    assert told[BYTES:-1].count_nonzero() == 2


def test_frames_that_are_missing_do_not_count() -> None:
    frames = torch.rand(4, 2, 8, 8, generator=torch.Generator().manual_seed(0)) + 0.01
    assert torch.equal(frame_features(torch.cat([torch.zeros(3, 2, 8, 8), frames])), frame_features(frames))


def test_a_transformer_starts_as_the_network_without_it() -> None:
    spec = section("signal", "resnet1d", 2)
    plain, more = Resnet1d(spec), Resnet1dTransformer(spec)
    for encoder in (plain, more):
        encoder.start(torch.Generator().manual_seed(0))
    more.load_state_dict(plain.state_dict(), strict=False)
    x = torch.rand(2, *spec.shape)
    assert not torch.equal(plain(x), more(x))  # positions are added
    from shared.encoders.transformer import TransformerBlock

    places = torch.rand(1, 5, 64)
    block = next(module for module in more.modules() if isinstance(module, TransformerBlock))
    assert torch.equal(block(places), places)


def test_a_volume_of_another_kind_is_not_too_long_for_a_step() -> None:
    """The constants of the features are those of a contrast CT; edges of eight channels lie far from them."""
    spec = section("volume", "filters", path=("a", "b", "c", "d"), window=(0.0, 900.0), sobel=True)
    encoder = VolumeFilters(spec)
    for seed in range(4):
        raw = torch.rand(spec.shape, generator=torch.Generator().manual_seed(seed)) ** 4
        values = encoder.prepare(raw)
        assert values.shape == (encoder.readout.in_features,)
        assert values.norm() <= LONGEST * (1 + 1e-5)
    assert encoder.prepare(torch.zeros(spec.shape)).isfinite().all()


@pytest.mark.parametrize("shape", [(2, 9, 14), (1, 12, 7, 10)])
@pytest.mark.parametrize("sigma", [0.8, 2.5])
def test_smoothing_is_scipys(shape: tuple[int, ...], sigma: float) -> None:
    """Also where the kernel is wider than the picture."""
    x = torch.rand(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    radius, axes = int(np.ceil(REACH * sigma)), tuple(range(1, len(shape)))
    known = ndimage.gaussian_filter(x.numpy(), sigma, mode="nearest", radius=radius, axes=axes)
    assert np.abs(gaussian(x, sigma).numpy() - known).max() < 1e-6

"""Bad study files: refused with file, place, rule and remedy, all faults at once; overrides are part of the digest."""

from pathlib import Path

import pytest

from server.validation.adequacy import published_rows
from shared.errors import StudyError
from shared.study import Study
from shared.study_file import catalog, load_study, study_from_text
from shared.study_rules import warnings
from tests.small import STUDY


def _load(folder: Path, text: str = STUDY, *overrides: str) -> Study:
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return load_study(path, overrides)


def _refused(folder: Path, text: str = STUDY, *overrides: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        _load(folder, text, *overrides)
    return [str(problem) for problem in caught.value.problems]


def test_every_study_of_the_catalog_is_right() -> None:
    assert catalog()
    for name in catalog():
        assert load_study(name).name == name


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rounds = 2", "round = 2", "training.round: is not a known key (remove it, or correct its spelling)"),
        ("seed = 3", "", "seed: is missing (add it)"),
        ("epsilon = 8.0", "epsilon = nan", "privacy.epsilon: must be a finite number, got nan"),
        ("delta = 1e-4", "delta = inf", "privacy.delta: must be a finite number, got inf"),
        ("delta = 1e-4", 'delta = "small"', "privacy.delta: Input should be a valid number, got small"),
        ('mechanism = "dp-sgd"\n', "", "privacy.mechanism: is missing (add it)"),
        ('"dp-sgd"', '"dpsgd"', "privacy.mechanism: must be one of 'none', 'dp-sgd', got dpsgd"),
        ("fusion = 0.45", "fusion = 0.9", "privacy.stages: the shares must add up to 1, got 1.45"),
        ('train = ["north", "west"]', "train = []", "cohorts.train: needs at least 1"),
        ('train = ["north", "west"]', 'train = "north"', "cohorts.train: Input should be a valid array, got north"),
        ("range = [0, 200]", "range = [200, 0]", "range must be [low, high] with low < high, got [200.0, 0.0]"),
        ('values = ["f", "m"]', 'values = ["f"]', "modalities.clinical.categorical.sex.values: needs at least 2"),
        ("[modalities.blood]", '[modalities."a+b"]', "modalities.a+b: a name is letters, digits, - and _, got a+b"),
    ],
)
def test_a_section_that_breaks_its_rules_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in STUDY
    assert any(message in line for line in _refused(tmp_path, STUDY.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('external = ["south"]', 'external = ["west", "south"]', 'cohorts: "west" both trains and is external'),
        ('external = ["south"]', 'external = ["east", "south"]', 'cohorts.external: "east" is not under [sites]'),
        ('external = ["south"]', "", 'cohorts: "south" is declared under [sites] but has no role'),
        ('train = ["north", "west"]', 'train = ["north", "north"]', 'cohorts.train: "north" stands twice'),
        ('train = ["north", "west"]', 'train = ["north"]', "training.min_contributors: 1 training hospital(s), 2"),
        ("rounds = 2", 'share = ["fusion"]', "encoders that stay at their hospital cannot be used at an external one"),
        ("[training]", '[arms]\nrun = ["alone", "alone"]\n[training]', 'arms.run: "alone" stands twice'),
        ("south = {", "pooled = { patients = 3 }\nsouth = {", "sites.pooled: this name stands for all hospitals"),
        ("patients = 40 }", 'patients = 40, lacks = ["ct"] }', 'sites.north.lacks: "ct" is not under [modalities]'),
        ("patients = 40 }", 'patients = 40, lacks = ["blood", "clinical"] }', "must have at least one modality"),
        ('"clinical+blood"', '"blood+clinical"', 'must name modalities joined by "+", in their order, got blood+clin'),
        ("numeric.hb", "numeric.ill", 'modalities.blood: "ill" is an identifier, a time or the outcome'),
        (
            "primary =",
            'published = { "auc.test" = [0.8, 0.7, 0.9] }\nprimary =',
            'is named "metric.cohort" or "metric.cohort.model", got auc.test',
        ),
        ("primary =", 'published = { "auc.internal.mri" = 0.8 }\nprimary =', "got auc.internal.mri"),
        ("threshold = 0.1", "threshold = 0.0", "the shares must add up to 1"),
    ],
)
def test_sections_that_contradict_each_other_are_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in STUDY
    assert any(message in line for line in _refused(tmp_path, STUDY.replace(old, new, 1)))


def test_a_published_figure_is_a_number_or_three(tmp_path: Path) -> None:
    def told(text: str) -> tuple[float, float | None, float | None]:
        path = tmp_path / "small.toml"
        path.write_text(STUDY.replace("primary =", f'published = {{ "auc.internal" = {text} }}\nprimary ='))
        study = load_study(path)
        assert study_from_text(study.text) == study
        return study.evaluation.published["auc.internal"]

    assert told("0.8") == (0.8, None, None)
    assert told("[0.8, 0.7, 0.9]") == (0.8, 0.7, 0.9)

    assert told("[0.8, 0.8, 0.8]") == (0.8, None, None), "an interval of no width is none"
    for text in ("[0.8, 0.7]", '"high"'):
        with pytest.raises(StudyError):
            told(text)


def test_a_published_figure_may_be_of_another_model(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(STUDY.replace("primary =", 'published = { "auc.internal.clinical+blood" = 0.8 }\nprimary ='))
    (row,) = published_rows(load_study(path))
    assert (row.metric, row.cohort, row.model, row.estimate) == ("auc", "internal", "clinical+blood", 0.8)


def test_an_unknown_encoder_names_the_known_ones(tmp_path: Path) -> None:
    found = _refused(tmp_path, STUDY, "modalities.blood.encoder=resnet10")
    assert found == ["small.toml: modalities.blood.encoder: Input should be 'linear' or 'mlp', got resnet10"]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    broken = STUDY.replace("rounds = 2", "round = 2").replace("epsilon = 8.0", "epsilon = nan").replace("seed = 3", "")
    assert len(_refused(tmp_path, broken)) == 3
    crossed = STUDY.replace('external = ["south"]', 'external = ["east"]').replace('"clinical+blood"', '"blood"')
    found = _refused(tmp_path, crossed.replace("rounds = 2", 'share = ["encoders"]'))
    assert [line.split(": ")[1] for line in found] == ["cohorts.external", "cohorts", "training.share"]


def test_a_place_is_made_of_keys_that_stand_in_the_file(tmp_path: Path) -> None:
    """A modality may bear the name of its kind; the kind itself is no key."""
    renamed = STUDY.replace("modalities.blood", "modalities.tabular").replace("hb = {", "hb = { unt = 1,")
    renamed = renamed.replace("clinical+blood", "clinical+tabular")
    assert _refused(tmp_path, renamed)[0].startswith("small.toml: modalities.tabular.numeric.hb.unt: is not a known")


def test_a_value_may_hold_braces(tmp_path: Path) -> None:
    assert _refused(tmp_path, STUDY, 'privacy.mechanism="{x}"')[0].endswith("got {x}")


def test_files_that_are_no_study_are_refused(tmp_path: Path) -> None:
    assert "not valid TOML" in _refused(tmp_path, STUDY + "[outcome\n")[0]
    assert "is written by --set only" in _refused(tmp_path, 'overrides = ["seed=1"]\n' + STUDY)[0]
    (tmp_path / "latin.toml").write_bytes("title = 'Köln'".encode("latin-1"))
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "cut.json").write_text('{"name": "a')
    (tmp_path / "locked").mkdir()
    for name, rule in [
        ("latin.toml", "is not UTF-8 text"),
        ("list.json", "holds no sections"),
        ("cut.json", "not valid JSON"),
        ("locked", "cannot be opened"),
        ("lscc-stagin", f"known: {', '.join(catalog())}"),
    ]:
        with pytest.raises(StudyError, match=rule):
            load_study(tmp_path / name)


def test_overrides_are_part_of_the_digest(tmp_path: Path) -> None:
    plain, changed, same = (_load(tmp_path, STUDY, *given) for given in ([], ["seed=4"], ["seed=3"]))
    assert (changed.seed, changed.overrides) == (4, ("seed=4",))
    assert len({plain.digest, changed.digest, same.digest}) == 3
    assert _load(tmp_path, STUDY, "seed=4").digest == changed.digest
    assert not _load(tmp_path, STUDY, 'privacy={mechanism="none"}').private


def test_the_canonical_text_is_the_same_study_and_takes_overrides(tmp_path: Path) -> None:
    study = _load(tmp_path, STUDY, "seed=4")
    (tmp_path / "small.json").write_text(study.text, encoding="utf-8")
    assert load_study(tmp_path / "small.json") == study
    again = load_study(tmp_path / "small.json", ["training.rounds=9"])
    assert (again.training.rounds, again.overrides) == (9, ("seed=4", "training.rounds=9"))


def test_every_wrong_override_is_told(tmp_path: Path) -> None:
    found = _refused(tmp_path, STUDY, "training.rounds", "=3", "training..rounds=3", "seed.x=3", "rounds=5")
    assert [line.split(":")[0] for line in found] == ["--set"] * 4
    assert "for instance training.rounds=40" in found[0]
    assert _refused(tmp_path, STUDY, "rounds=5") == [
        "small.toml: rounds: is not a known key (remove it, or correct its spelling)"
    ]


def test_a_large_delta_is_a_warning(tmp_path: Path) -> None:
    assert list(warnings(_load(tmp_path))) == []
    (warning,) = warnings(_load(tmp_path, STUDY, "privacy.delta=0.01"))
    assert warning.startswith("privacy.delta = 0.01 at 40 patients")
    assert "a delta up to 0.003 is usual" in warning


@pytest.mark.parametrize("strategy", ["median", "krum"])
def test_a_strategy_that_publishes_one_hospitals_values_needs_privacy_or_consent(strategy: str) -> None:
    chosen = f'training.strategy="{strategy}"'
    assert load_study("lscc-staging", [chosen]).training.strategy == strategy
    open_study = [chosen, 'privacy={mechanism="none"}']
    with pytest.raises(StudyError, match="publishes values of single hospitals"):
        load_study("lscc-staging", open_study)
    assert load_study("lscc-staging", [*open_study, "training.share_alone=true"]).training.strategy == strategy


@pytest.mark.parametrize("strategy", ["fedavg", "median", "krum"])
def test_the_twin_without_privacy_is_a_study_by_itself(strategy: str) -> None:
    twin = load_study("lscc-staging", [f'training.strategy="{strategy}"']).without_privacy()
    assert study_from_text(twin.text) == twin
    assert not twin.private


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '"text"', "[" * 100_000])
def test_what_is_no_studys_text_is_refused(text: str) -> None:
    with pytest.raises(StudyError, match="is not the text of a study"):
        study_from_text(text)

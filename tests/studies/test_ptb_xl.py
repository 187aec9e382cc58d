"""Real electrocardiograms of four sites, each left out in turn, against the bounds that the project set itself."""

import csv
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from client.archive import Archive
from client.site import load_site
from server.record import load_records
from server.validation.summary import site_auc
from shared.errors import FileError
from shared.study_file import load_study
from simulations.arms import Hooks, open_consortium, run_arms
from simulations.importers.ptb_xl import import_ptb_xl

SOURCE = Path(__file__).parents[3] / "shared" / "data" / "ptb-xl-500"
SCORED = {"site-0": 249, "site-1": 160, "site-3": 61}  # site 2 has 17 records: too few to report

pytestmark = pytest.mark.skipif(not SOURCE.is_dir(), reason="the PTB-XL data are not on this machine")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ptb-xl")
    return folder, import_ptb_xl(SOURCE, folder / "data")


def test_the_importer_says_what_it_wrote_and_dropped(told):
    folder, sentences = told
    assert sentences == [
        "site-0: 249 records of 236 patients, 196 normal",
        "site-1: 160 records of 152 patients, 73 normal",
        "site-2: 17 records of 16 patients, 9 normal",
        "site-3: 61 records of 55 patients, 19 normal",
        "13 records dropped: no diagnostic statement of a likelihood above zero (rhythm or form only)",
    ]
    table = (folder / "data" / "site-1" / "patients.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(table.splitlines()))
    assert len(rows) == len({row["ecg_id"] for row in rows}) == 160
    assert Counter(row["finding"] for row in rows) == {"normal": 73, "abnormal": 87}
    assert {row["sex"] for row in rows} == {"male", "female"}
    assert all((folder / "data" / "site-1" / f"{row['ecg']}.dat").is_file() for row in rows)


def test_the_study_declares_the_patients_and_every_record_is_read(told):
    study = load_study("ptb-xl-normal")
    for name, entry in study.sites.items():
        archive = Archive(load_site(told[0] / "data" / name / "site.toml"))
        cohort = archive.cohort(study)
        assert cohort.excluded == {}
        assert cohort.patients == entry.patients
        ecg = archive.reading(study, "ecg")
        assert ecg.present.all()
        assert ecg.faults == {}
        assert archive.reading(study, "report").present.sum() >= len(cohort.units) - 1  # one says only "."


def test_a_folder_that_is_not_the_release_is_refused(tmp_path):
    with pytest.raises(FileError) as refused:
        import_ptb_xl(tmp_path, tmp_path / "out")
    assert [problem.file for problem in refused.value.problems] == ["ptbxl_database.csv", "scp_statements.csv"]
    for name in ("ptbxl_database.csv", "scp_statements.csv"):
        (tmp_path / name).write_bytes((SOURCE / name).read_bytes())
    with pytest.raises(FileError, match="487 of its records have no"):
        import_ptb_xl(tmp_path, tmp_path / "out")
    (tmp_path / "scp_statements.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FileError, match=r"lacks the columns \(the code\), diagnostic, diagnostic_class"):
        import_ptb_xl(tmp_path, tmp_path / "out")


def test_500_records_are_read_in_10_s_and_from_the_cache_in_1_s(told, tmp_path, capsys):
    """Seconds of the processor, the least of up to three times: others may use the machine and its caches."""
    cold, cached = [], []
    while len(cold) < 3 and not (cold and min(cold) < 10 and min(cached) < 1):
        state = tmp_path / str(len(cold))
        cold.append(seconds_to_read(told[0], state))
        cached.append(seconds_to_read(told[0], state))
    with capsys.disabled():
        print(f"\n487 records, three modalities: cold {min(cold):.2f} s, from the cache {min(cached):.2f} s")
    assert min(cold) < 10
    assert min(cached) < 1


def seconds_to_read(data: Path, state: Path) -> float:
    """Processor time of reading all sites' modalities; from the cache where this state has one."""
    study, begun = load_study("ptb-xl-normal"), time.process_time()
    for name in study.sites:
        archive = Archive(load_site(data / "data" / name / "site.toml"), state / name)
        for modality in study.modalities:
            archive.reading(study, modality)
    return time.process_time() - begun


def external_auc(told, folder: Path, overrides: list[str]) -> dict[str, float]:
    """Mean over the left-out sites weighted by their records, of each model."""
    study = load_study("ptb-xl-normal", ['arms.run=["federated"]', *overrides])
    run_arms(study, open_consortium(study, told[0] / "data", folder / "state"), folder, Hooks(), twins=False)
    aucs: dict[str, dict[str, float]] = {}
    for record in load_records(folder):
        for figures in record.figures[record.run.fold]:
            if figures.role == "external" and record.run.fold in SCORED:
                aucs.setdefault(figures.model, {})[record.run.fold] = site_auc(figures).value
    weights = list(SCORED.values())
    return {
        model: float(np.average([of_site[site] for site in SCORED], weights=weights)) for model, of_site in aucs.items()
    }


def test_without_privacy_the_left_out_sites_reach_075_and_with_the_report_088(told, tmp_path, capsys):
    aucs = external_auc(told, tmp_path, ['privacy={mechanism="none"}'])
    with capsys.disabled():
        print("\n" + ", ".join(f"{model} {value:.3f}" for model, value in aucs.items()))
    assert aucs["ecg+clinical"] >= 0.75
    assert aucs["ecg+clinical+report"] >= 0.88


@pytest.mark.slow
def test_at_epsilon_8_a_table_is_printed(told, tmp_path, capsys):
    draws = [external_auc(told, tmp_path / str(draw), []) for draw in range(5)]
    with capsys.disabled():
        print("\nepsilon 8, 5 draws of the noise, mean and standard deviation:")
        for model in draws[0]:
            values = [draw[model] for draw in draws]
            print(f"{model:<24} {np.mean(values):.3f} {np.std(values, ddof=1):.3f}")
    assert np.mean([draw["report"] for draw in draws]) > 0.5

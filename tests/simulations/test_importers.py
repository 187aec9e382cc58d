"""Importers of public data on small made files in the releases' layouts; mimic_iv has a file of its own."""

import csv
import struct
import subprocess
import sys
from collections import Counter

import dpkt
import numpy as np
import pytest
from PIL import Image

from client.archive import Archive
from client.site import load_site
from shared.errors import FileError
from shared.study_file import load_study
from simulations.__main__ import PUBLIC
from simulations.importers import IMPORTERS, retina_mnist, ustc_tfc2016
from simulations.importers.eicu import APACHE, ORDER, TABLES, import_eicu
from simulations.importers.retina_mnist import import_retina_mnist
from simulations.importers.tables import file_digest
from simulations.importers.ustc_tfc2016 import import_ustc_tfc2016

STUDY = """
name = "first-day"
title = "Death in hospital"
seed = 1
[unit]
row = "stay"
time = "hour"
[outcome]
kind = "binary"
column = "died"
positive = ["yes"]
negative = ["no"]
predicted_at = "hour 24"
[modalities.course]
kind = "series"
columns.patient = "stay"
hours = 24
steps = 2
variables.map = { range = [20, 160] }
[modalities.notes]
kind = "text"
table = "notes.csv"
columns.patient = "stay"
[modalities.concepts]
kind = "concepts"
table = "concepts.csv"
columns.patient = "stay"
[sites]
hospital-7 = { patients = 2 }
[cohorts]
scheme = "site-holdout"
train = ["hospital-7"]
[training]
share_alone = true
[privacy]
mechanism = "none"
[evaluation]
threshold = { rule = "youden", from = "train" }
primary = "course+notes+concepts"
"""


def read(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def write(path, rows, columns):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def test_the_command_knows_every_importer_and_refuses_in_one_way(tmp_path):
    assert list(PUBLIC) == list(IMPORTERS)
    for name, bring in IMPORTERS.items():
        with pytest.raises(FileError) as refused:
            bring(tmp_path, tmp_path / "out", "")
        assert all(problem.rule and problem.remedy for problem in refused.value.problems), name
    with pytest.raises(FileError, match="is not an option of this data set"):
        IMPORTERS["uci-heart"](tmp_path, tmp_path / "out", "hospital")
    call = [sys.executable, "-m", "simulations", "import", "eicu", "--from", str(tmp_path), "--to", str(tmp_path / "x")]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "patient.csv: no such file, nor one that ends in .csv.gz (take the tables of eICU" in done.stderr


@pytest.fixture
def eicu(tmp_path):
    """Stays of two hospitals, each there for one rule."""
    folder = tmp_path / "eicu"
    folder.mkdir()
    stays = [  # stay, patient, hospital, age, minutes in the unit, status, year, hospital stay, visit
        ("1", "002-1", "7", "> 89", 3000, "Expired", 2014, "21", 1),
        ("2", "002-2", "7", "45", 1500, "Alive", 2014, "99", 2),
        ("3", "002-2", "7", "45", 9000, "Alive", 2014, "99", 10),
        ("4", "002-2", "8", "45", 9000, "Alive", 2015, "22", 1),  # elsewhere later, where visits are counted anew
        ("5", "002-3", "8", "17", 9000, "Alive", 2014, "23", 1),
        ("6", "002-4", "8", "50", 1439, "Expired", 2014, "24", 1),
        ("7", "002-5", "8", "50", 9000, "", 2014, "25", 1),
        ("8", "002-6", "8", "50", 9000, "Alive", 2014, "9", 1),
        ("9", "002-6", "7", "50", 9000, "Alive", 2014, "10", 1),  # in the same year, and 10 is no less than 9
    ]
    names = ("patientunitstayid", "uniquepid", "hospitalid", "age", "unitdischargeoffset", "hospitaldischargestatus")
    patients = [
        {**dict(zip((*names, *ORDER), row, strict=True)), "gender": "Male", "admissionheight": -1} for row in stays
    ]
    write(folder / "patient.csv", patients, [*TABLES["patient"], "dischargeweight"])
    apache = [{"patientunitstayid": row[0], **dict.fromkeys(APACHE, -1), "heartrate": 110} for row in stays]
    write(folder / "apacheApsVar.csv", apache, TABLES["apacheApsVar"])
    signs = [("1", -30, 61), ("1", 1440, 64), ("1", 1441, 20), ("1", 90, -1), ("2", 60, 80), ("6", 60, 80)]
    columns = TABLES["vitalAperiodic"]
    rows = [dict(zip(("patientunitstayid", "observationoffset", "noninvasivemean"), row, strict=True)) for row in signs]
    write(folder / "vitalAperiodic.csv", rows, columns)
    notes = [
        ("1", 10, 20, "a/Admission", "ill"),
        ("1", 10, 2000, "a/Death", "told late"),
        ("2", 1, 1, "a/fine", "fine"),
    ]
    write(folder / "note.csv", [dict(zip(TABLES["note"], row, strict=True)) for row in notes], TABLES["note"])
    known = [("1", 5, "sepsis"), ("1", 5000, "death|brain"), ("2", 5, "stroke")]
    rows = [dict(zip(TABLES["diagnosis"], row, strict=True)) for row in known]
    write(folder / "diagnosis.csv", rows, TABLES["diagnosis"])
    (folder / "hospital.csv").write_text("hospitalid,region\n7,Midwest\n8,\n")
    return folder


def test_eicu_keeps_the_first_day_and_no_column_of_the_discharge(eicu, tmp_path):
    told = import_eicu(eicu, tmp_path / "out")
    assert told[1:3] == [
        "hospital-7: 3 stays of 2 patients, 1 ended in death",
        "hospital-8: 1 stays of 1 patients, 0 ended in death",
    ]
    assert [sentence for sentence in told if " dropped: " in sentence] == [
        "1 dropped: stays without an outcome",
        "1 dropped: stays of patients under 18 or without an age",
        "1 dropped: stays that ended before hour 24",
        "2 dropped: stays of patients whose first stay is at another hospital",
        "1 dropped: vital signs later than hour 24, or without a time",
        "1 dropped: vital signs of -1 or that are no number",
        "1 dropped: notes later than hour 24, or without a time",
        "1 dropped: diagnoses later than hour 24, or without a time",
    ]
    first, second, third = read(tmp_path / "out" / "hospital-7" / "patients.csv")
    assert (first["patient_id"], first["age"], first["died"], first["sex"]) == ("002-1", "90.0", "yes", "male")
    assert (first["heartrate"], first["creatinine"], first["admissionheight"]) == ("110", "", "")
    assert second["patient_id"] == third["patient_id"]
    assert not [name for name in first if "discharge" in name]
    labs = read(tmp_path / "out" / "hospital-7" / "labs.csv")
    assert [(row["stay"], row["time"], row["value"]) for row in labs] == [
        ("1", "-0.5", "61.0"),
        ("1", "24.0", "64.0"),
        ("2", "1.0", "80.0"),
    ]
    assert any("of several in one year, whose order the release does not tell" in sentence for sentence in told)
    assert [row["text"] for row in read(tmp_path / "out" / "hospital-7" / "notes.csv")] == ["Admission: ill", "fine"]
    assert "midwest: 3 stays of 2 patients, 1 ended in death" in import_eicu(eicu, tmp_path / "regions", "region")


def test_a_study_reads_eicus_stays(eicu, tmp_path):
    import_eicu(eicu, tmp_path / "out")
    (tmp_path / "study.toml").write_text(STUDY)
    study = load_study(str(tmp_path / "study.toml"))
    archive = Archive(load_site(tmp_path / "out" / "hospital-7" / "site.toml"))
    assert archive.cohort(study).patients == 2
    present = {name: archive.reading(study, name).present.tolist() for name in study.modalities}
    assert present == {name: [True, True, False] for name in study.modalities}


@pytest.fixture
def retina(tmp_path, monkeypatch):
    rng, arrays = np.random.default_rng(0), {}
    for split, count in (("train", 20), ("val", 4), ("test", 8)):
        arrays[f"{split}_images"] = rng.integers(0, 255, (count, 28, 28, 3), dtype=np.uint8)
        arrays[f"{split}_labels"] = rng.integers(0, 5, (count, 1))
    np.savez(tmp_path / "retinamnist.npz", **arrays)
    monkeypatch.setattr(retina_mnist, "DIGEST", file_digest(tmp_path / "retinamnist.npz", "md5"))
    return tmp_path, arrays


def test_retina_mnist_deals_photographs_out_and_keeps_the_official_split(retina):
    folder, arrays = retina
    told = import_retina_mnist(folder, folder / "out")
    assert told[1:4] == [
        f"{name}: {n} photographs, none dropped" for name, n in (("north", 12), ("west", 12), ("south", 8))
    ]
    rows = [(site, row) for site in ("north", "west", "south") for row in read(folder / "out" / site / "patients.csv")]
    assert Counter(row["split"] for _, row in rows) == {"train": 20, "val": 4, "test": 8}
    site, row = next(pair for pair in rows if pair[1]["patient_id"] == "retina-0022")
    picture = np.asarray(Image.open(folder / "out" / site / row["fundus"]))
    assert np.array_equal(picture, arrays["val_images"][1])
    assert int(row["grade"]) == arrays["val_labels"][1, 0]
    study = load_study("retina-severity")
    reading = Archive(load_site(folder / "out" / "north" / "site.toml")).reading(study, "fundus")
    assert reading.present.all()
    assert reading.faults == {}
    import_retina_mnist(folder, folder / "again")
    assert (folder / "again/west/patients.csv").read_bytes() == (folder / "out/west/patients.csv").read_bytes()


def test_another_retina_file_is_refused(retina, monkeypatch):
    folder, arrays = retina
    arrays["val_labels"][0] = 7
    arrays["test_images"] = arrays["test_images"][..., 0]
    np.savez(folder / "retinamnist.npz", **arrays)
    with pytest.raises(FileError, match="its MD5 differs"):
        import_retina_mnist(folder, folder / "out")
    monkeypatch.setattr(retina_mnist, "DIGEST", file_digest(folder / "retinamnist.npz", "md5"))
    with pytest.raises(FileError) as refused:
        import_retina_mnist(folder, folder / "out")
    assert [problem.place for problem in refused.value.problems] == ["val_labels", "test_images"]


def packet(session, outward, content, transport=dpkt.tcp.TCP):
    """A frame of one of the numbered sessions."""
    ends = [(struct.pack("!I", 0x0A000001 + session), 40000 + session), (b"\x08\x08\x08\x08", 443)]
    (src, sport), (dst, dport) = ends if outward else ends[::-1]
    segment = transport(sport=sport, dport=dport, data=content)
    if transport is dpkt.udp.UDP:
        segment.ulen = len(segment)
    number = dpkt.ip.IP_PROTO_TCP if transport is dpkt.tcp.TCP else dpkt.ip.IP_PROTO_UDP
    return bytes(
        dpkt.ethernet.Ethernet(data=dpkt.ip.IP(src=src, dst=dst, p=number, data=segment, len=20 + len(segment)))
    )


@pytest.fixture
def captures(tmp_path):
    files = {
        "Benign/Gmail.pcap": [(1.0, packet(0, True, b"\x16\x03\x01" + b"a" * 900)), (3.5, packet(0, False, b"bb"))],
        "Benign/DNS.pcap": [(0.0, packet(1, True, b"?", dpkt.udp.UDP)), (0.0, b"\x00" * 20)],
        "Malware/Zeus.pcap": [
            *((float(n), packet(n, True, b"GET /x")) for n in range(5)),
            (9.0, packet(9, True, b"")),
            (9.5, packet(2, False, b"200")),
        ],
    }
    for name, packets in files.items():
        path = tmp_path / "ustc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            writer = dpkt.pcap.Writer(file)
            for time, frame in packets:
                writer.writepkt(frame, time)
    return tmp_path / "ustc"


def test_ustc_cuts_captures_into_sessions_without_headers(captures, tmp_path):
    told = import_ustc_tfc2016(captures, tmp_path / "out")
    assert "1 dropped: packets that are cut off or not of TCP or UDP over IP" in told
    assert "1 dropped: sessions without a payload" in told
    rows = {}
    for site in ustc_tfc2016.SITES:
        for row in read(tmp_path / "out" / site / "patients.csv"):
            rows[row["session"]] = row | {"bytes": (tmp_path / "out" / site / row["payload"]).read_bytes()}
    assert Counter((row["traffic"], row["application"]) for row in rows.values()) == {
        **{("benign", "gmail"): 1, ("benign", "dns"): 1, ("malware", "zeus"): 5},
    }
    mail = next(row for row in rows.values() if row["application"] == "gmail")
    assert mail["bytes"] == b"\x16\x03\x01" + b"a" * 781
    assert (mail["duration"], mail["packets"], mail["bytes_out"], mail["bytes_in"], mail["protocol"]) == (
        *("2.5", "2", "903", "2", "tls"),
    )
    assert {row["protocol"] for row in rows.values() if row["application"] == "zeus"} == {"http"}
    study = load_study("encrypted-traffic")
    for site in ustc_tfc2016.SITES:
        archive = Archive(load_site(tmp_path / "out" / site / "site.toml"))
        assert archive.cohort(study).excluded == {}
        assert all(archive.reading(study, name).faults == {} for name in study.modalities)


def test_ustc_keeps_the_first_sessions_of_a_large_application_and_refuses_other_files(captures, tmp_path, monkeypatch):
    monkeypatch.setattr(ustc_tfc2016, "MOST", 2)
    told = import_ustc_tfc2016(captures, tmp_path / "out")
    assert "4 dropped: sessions beyond the first 2 of their application" in told
    (captures / "Malware" / "Other.pcap").write_bytes(b"no capture at all, whatever its name says")
    with pytest.raises(FileError, match=r"Other.pcap: is not a capture of packets"):
        import_ustc_tfc2016(captures, tmp_path / "out")

"""Importers of single tables: FLamby's TCGA-BRCA by region, and any table with the hospital in a column."""

import pytest

from shared.errors import FileError
from simulations.importers.one_table import import_table
from simulations.importers.tcga_brca import import_tcga_brca
from tests.simulations.test_importers import read


def test_tcga_brca_by_region(tmp_path):
    (tmp_path / "brca.csv").write_text(
        'pid,age_at_index,race_white,"primary_diagnosis_Lobular carcinoma, NOS",E,T\n'
        "A,90,1,0,0.0,538.0\nB,51,1,1,1.0,174.0\nC,60,0,0,1.0,-3\nD,60,0,0,0.0,5\nD,60,0,0,0.0,5\nE,1,1,1,0,1\n"
    )
    split = "pid,fold,fold2\nA,train,train_0\nB,test,test_0\nC,train,train_0\nD,train,train_5\n"
    (tmp_path / "train_test_split.csv").write_text(split)
    told = import_tcga_brca(tmp_path, tmp_path / "out")
    assert told[:5] == [
        "northeast: 2 patients, 1 died; 1 to train on",
        "canada: 1 patients, 0 died; 1 to train on",
        "1 dropped: rows without a region",
        "1 dropped: rows without a time of zero days or more, or an event",
        "1 dropped: copies of a patient",
    ]
    assert read(tmp_path / "out" / "northeast" / "patients.csv")[1] == {
        **{"patient_id": "B", "age_at_index": "51", "race_white": "1", "primary_diagnosis_Lobular carcinoma, NOS": "1"},
        **{"split": "test", "days": "174.0", "status": "dead"},
    }
    (tmp_path / "train_test_split.csv").write_text(split.replace("test_0", "test_9"))
    with pytest.raises(FileError, match="names a region that is not 0 to 5"):
        import_tcga_brca(tmp_path, tmp_path / "out")


def test_one_table_becomes_one_folder_a_hospital(tmp_path):
    source = tmp_path / "all.csv"
    source.write_text('patient_id,clinic,note\n1,St. Anna,"a, b"\n2,North,c\n3,,d\n4,North\n\n5,St. Anna,e\n')
    told = import_table(source, tmp_path / "out", "clinic")
    assert told[:4] == [
        *("north: 1 rows", "st-anna: 2 rows"),
        *("1 dropped: rows without a hospital", "1 dropped: rows with more or fewer cells than columns"),
    ]
    assert (tmp_path / "out" / "st-anna" / "patients.csv").read_text().splitlines() == [
        *("patient_id,note", '1,"a, b"', "5,e"),
    ]
    with pytest.raises(
        FileError, match=r"all.csv: --sites: name the column .*its columns are patient_id, clinic, note"
    ):
        import_table(tmp_path, tmp_path / "out", "")
    source.write_text("patient_id,clinic\n1,North A\n2,north-a\n")
    with pytest.raises(FileError, match='two of its words would both be the folder "north-a"'):
        import_table(source, tmp_path / "out", "clinic")


def test_one_table_says_how_many_patients_are_at_several_hospitals(tmp_path):
    source = tmp_path / "all.csv"
    source.write_text("patient_id,clinic\nA17,North\n A17,West\nA17,West\nB,North\nB,North\n,North\n,West\nC,West\n")
    told = import_table(source, tmp_path / "out", "clinic")
    assert told[2] == (
        "1 patients are at more than one hospital: "
        "each hospital takes such a patient for one of its own, and his privacy is spent at each"
    )
    assert "A17" not in " ".join(told)
    source.write_text("patient_id,clinic\nA17,North\nB,West\n")
    assert not any("more than one" in sentence for sentence in import_table(source, tmp_path / "out", "clinic"))

# SPDX-License-Identifier: Apache-2.0
"""Datasets as scripts for Azure ML read them: files of this machine, by name or by path."""

import pytest

pandas = pytest.importorskip("pandas", reason="tables are read by pandas")

from hdrive.azureml import Dataset, Run, TabularDatasetFactory, UserErrorException, Workspace  # noqa: E402


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "1.csv").write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "digits" / "2.csv").write_text("a,b\n3,z\n")
    monkeypatch.setenv("AZUREML_DATAREFERENCE_digits", str(tmp_path / "digits"))
    return tmp_path


def test_named_data_is_a_path_and_a_table(folder):
    digits = Run.get_context().input_datasets["digits"]
    assert digits == str(folder / "digits") and isinstance(digits, str)
    table = digits.to_pandas_dataframe()
    assert table.to_dict("list") == {"a": [1, 2, 3], "b": ["x", "y", "z"]}
    assert Dataset.get_by_name(None, name="digits").to_pandas_dataframe().equals(table)
    assert Dataset.get_by_id(None, id="digits").to_path() == ["/1.csv", "/2.csv"]
    with digits.mount() as mounted:
        assert mounted.mount_point == digits
    with pytest.raises(KeyError, match="no data is named 'digit' here; set AZUREML_DATAREFERENCE_digit"):
        Run.get_context().input_datasets["digit"]


def test_tables_are_made_from_files(folder):
    one, two = folder / "digits" / "1.csv", folder / "digits" / "2.csv"
    assert len(TabularDatasetFactory.from_delimited_files(path=str(one)).to_pandas_dataframe()) == 2
    assert len(Dataset.Tabular.from_delimited_files([str(one), str(two)]).to_pandas_dataframe()) == 3
    (folder / "semi.csv").write_text("a;b\n1;2\n")
    semicolons = Dataset.Tabular.from_delimited_files(str(folder / "semi.csv"), separator=";")
    assert list(semicolons.to_pandas_dataframe()) == ["a", "b"]
    (folder / "lines.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    assert len(Dataset.Tabular.from_json_lines_files(str(folder / "lines.jsonl")).to_pandas_dataframe()) == 2
    assert Dataset.File.from_files(str(one)).download() == [str(one)]


def test_files_are_copied_and_not_written_over(folder):
    digits = Dataset.get_by_name(None, "digits")
    copies = digits.download(str(folder / "copies"))
    assert copies == [str(folder / "copies" / "1.csv"), str(folder / "copies" / "2.csv")]
    with pytest.raises(UserErrorException, match="is there already; overwrite=True replaces it"):
        digits.download(str(folder / "copies"))
    assert digits.download(str(folder / "copies"), overwrite=True) == copies


def test_a_folder_without_files_is_no_table(folder, monkeypatch):
    (folder / "empty").mkdir()
    monkeypatch.setenv("AZUREML_DATAREFERENCE_none", str(folder / "empty"))
    with pytest.raises(UserErrorException, match="the dataset 'none' has no files"):
        Dataset.get_by_name(None, "none").to_pandas_dataframe()


def test_a_workspaces_datasets_are_those_of_the_environment(monkeypatch, tmp_path):
    (tmp_path / "data.csv").write_text("a\n1\n")
    monkeypatch.setenv("AZUREML_DATAREFERENCE_diabetes_dataset", str(tmp_path / "data.csv"))
    datasets = Workspace().datasets
    assert datasets["diabetes dataset"] == datasets.get("diabetes_dataset") == str(tmp_path / "data.csv")
    assert "other set" not in datasets and datasets.get("other set", None) is None
    for look in (datasets.get, datasets.__getitem__):
        with pytest.raises(UserErrorException, match="no dataset 'other set' here.*; set AZUREML_DATAREFERENCE_other_set to"):
            look("other set")

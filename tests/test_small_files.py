"""Files of settings and records are read within limits, whatever they hold."""

import json
import os
import sys
import tracemalloc

import pytest

from siting import small_files
from siting.errors import InputError, MissingFileError, StudyError
from siting.small_files import read_json, read_toml


def written(tmp_path, data, name="a.toml"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "9" * 5000, "too many digits"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("a = " + "[" * 70 + "]" * 70, "nested too deeply"),
        ("a = " + "{b = " * 3000, "nested too deeply"),
        (".".join("abcdefghij"[at % 10] for at in range(20_000)) + " = 1", "line 1: a key of more than 64 parts"),
        ("b = 1\n[" + " . ".join(["a"] * 100) + "]\n", "line 2: a key of more than 64 parts"),
        ('b = {"x y" . ' + "'z' . " * 100 + "c = 1}", "line 1: a key of more than 64 parts"),
        ("a = ‘1’", r"not valid TOML: .*line 1, column 5"),
        ("a = 1\na = 2", "not valid TOML"),
        ("名 = 1".encode("gb18030"), "line 1 is not UTF-8 text"),
        (b"a = 1\nb = '\xff'", "line 2 is not UTF-8 text"),
        ("a = 1".encode("utf-16"), "is not UTF-8 text"),
        (b"a = 1\x00", "not valid TOML"),
    ],
)
def test_a_toml_that_no_planner_would_write_is_refused_with_the_place(tmp_path, text, message):
    with pytest.raises(StudyError, match=message):
        read_toml(written(tmp_path, text), StudyError)


def test_a_long_dotted_key_takes_no_memory(tmp_path):
    path = written(tmp_path, ".".join(["a"] * 20_000) + " = 1")
    tracemalloc.start()
    with pytest.raises(StudyError):
        read_toml(path, StudyError)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


def test_what_a_planner_writes_is_read(tmp_path):
    path = written(tmp_path, '\ufeff[study]\nname = "a.b.c"\n[plan.extension]\nx = [[1, 2], [3]]\n')
    assert read_toml(path, StudyError) == {"study": {"name": "a.b.c"}, "plan": {"extension": {"x": [[1, 2], [3]]}}}
    deep = ".".join(["a"] * 60) + " = 1"
    assert "a" in read_toml(written(tmp_path, deep), StudyError)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "damaged"),
        ("[1]", "holds no mapping"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": ' + "9" * 5000 + "}", "damaged"),
        ('{"a": ' * 3000 + "1" + "}" * 3000, "nested too deeply"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a": 1', "damaged"),
        (b'{"a": "\xff"}', "line 1 is not UTF-8"),
    ],
)
def test_a_record_that_is_damaged_is_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_json(written(tmp_path, text, "run.json"), InputError)


def test_a_record_is_read(tmp_path):
    assert read_json(written(tmp_path, json.dumps({"a": [1, {"b": None}]})), InputError) == {"a": [1, {"b": None}]}


def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path):
    with pytest.raises(MissingFileError, match="there is no file"):
        read_toml(tmp_path / "none.toml", StudyError)
    with pytest.raises(StudyError, match="is a folder"):
        read_toml(tmp_path, StudyError)
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe.toml")
        for path in (tmp_path / "pipe.toml", type(tmp_path)("/dev/zero")):
            with pytest.raises(StudyError, match="no ordinary file"):
                read_toml(path, StudyError)


def test_a_file_too_large_to_be_one_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(small_files, "LARGEST_TOML", 10)
    with pytest.raises(StudyError, match="cannot be such a file"):
        read_toml(written(tmp_path, "a = 1 # and a remark"), StudyError)
